package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// oldestServer is the oldest Postgres that will do, as server_version_num has it.
const oldestServer = 14_00_00

// Server is a look at a database server, whoever's it is.
type Server struct {
	Pool    *pgxpool.Pool
	Private bool // ours: everything runs as its superuser
	Needs   int  // connections that one process may take
	Limits  Limits
}

// Limits are how long is too long. The zero value works.
type Limits struct {
	Idle time.Duration // for a transaction in which nothing happens; 0: a minute
	Busy time.Duration // for any other; 0: half an hour, which a dump or a rebuild may well take
}

// settings are what the server goes by: name → text.
func (s Server) settings(ctx context.Context) (map[string]string, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT s.name, s.setting
		  FROM pg_settings AS s
		 WHERE s.name = ANY ('{server_version,server_version_num,server_encoding,fsync,full_page_writes,synchronous_commit,
		       data_checksums,autovacuum,transaction_read_only,max_connections,superuser_reserved_connections}')`)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	var name, text string
	_, err = pgx.ForEachRow(rows, []any{&name, &text}, func() error {
		all[name] = text
		return nil
	})
	return all, err
}

// Durability looks at the version, and at whatever could lose or garble what was answered 200.
func (s Server) Durability(ctx context.Context) ([]Finding, error) {
	set, err := s.settings(ctx)
	if err != nil {
		return nil, err
	}
	return durability(set), nil
}

func durability(set map[string]string) []Finding {
	found := []Finding{{"version", OK, "Postgres " + set["server_version"], ""}}
	var number int
	if _, err := fmt.Sscan(set["server_version_num"], &number); err != nil || number < oldestServer {
		found[0].Verdict, found[0].Do = Problem, "move the database to Postgres 14 or newer (README: Upgrades)"
	}
	if e := set["server_encoding"]; e != "UTF8" {
		found = append(found, Finding{"encoding", Problem, "the database is in " + e + ", and vendors send UTF-8", "make a new one: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0; then export and import the log"})
	}
	if set["transaction_read_only"] == "on" {
		found = append(found, Finding{"writing", Problem, "the database is read-only (a standby, or default_transaction_read_only)", "name the primary in the database URL"})
	}
	durable := true
	for _, name := range []string{"fsync", "full_page_writes"} {
		if set[name] == "off" {
			durable = false
			found = append(found, Finding{name, Problem, "off: a power cut can lose or garble what was answered 200", "set " + name + " = on in postgresql.conf, and reload the server"})
		}
	}
	if durable {
		found = append(found, Finding{"durability", OK, "fsync and full_page_writes are on", ""})
	}
	if set["synchronous_commit"] == "off" {
		found = append(found, Finding{"synchronous_commit", Note, "off: queuetrack's own appends are flushed all the same", ""})
	}
	if set["data_checksums"] == "off" {
		found = append(found, Finding{"checksums", Note, "off: Postgres does not notice a page that the disk garbled; 'queuetrack verify' notices it of bodies", "with the server stopped: pg_checksums --enable"})
	} else {
		found = append(found, Finding{"checksums", OK, "on", ""})
	}
	if set["autovacuum"] == "off" {
		found = append(found, Finding{"autovacuum", Warning, "off: the read models' tables grow without end", "set autovacuum = on in postgresql.conf, and reload the server"})
	}
	return found
}

// Rights looks at what the role may do in the schema.
func (s Server) Rights(ctx context.Context) ([]Finding, error) {
	var role string
	var superuser bool
	err := s.Pool.QueryRow(ctx, `SELECT current_user, r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user`).Scan(&role, &superuser)
	if err != nil {
		return nil, err
	}
	if superuser && !s.Private {
		return []Finding{{"rights", Note, role + " is a superuser, who can take the log's append-only trigger away", "for a stricter setup, connect as a role that owns only this database"}}, nil
	}
	rows, err := s.Pool.Query(ctx, `
		SELECT p.privilege || ' on ' || c.relname
		  FROM pg_class AS c
		 CROSS JOIN unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS p (privilege)
		 WHERE c.relnamespace = (SELECT e.relnamespace FROM pg_class AS e WHERE e.oid = to_regclass('event'))
		   AND c.relkind = 'r' AND c.relname <> 'goose_db_version'
		   AND NOT (c.relname = 'event' AND p.privilege IN ('UPDATE', 'DELETE')) -- nobody needs these
		   AND NOT (c.relname = 'log_head' AND p.privilege = 'DELETE')
		   AND NOT has_table_privilege(c.oid, p.privilege)
		 ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	missing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	switch {
	case err != nil:
		return nil, err
	case len(missing) > 0:
		return []Finding{{"rights", Problem, fmt.Sprintf("%s lacks %s", role, some(missing)), "grant it, or connect as the role that migrated the schema"}}, nil
	}
	return []Finding{{"rights", OK, role + " may read and write what it needs to", ""}}, nil
}

// some names the first few.
func some(all []string) string {
	const few = 3
	if len(all) <= few {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(slices.Clone(all[:few]), ", "), len(all)-few)
}

// Connections looks at whether there are as many as a process may take.
func (s Server) Connections(ctx context.Context) ([]Finding, error) {
	var most, used, ours int
	err := s.Pool.QueryRow(ctx, `
		SELECT least(current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
		           nullif(d.datconnlimit, -1), nullif(r.rolconnlimit, -1)),
		       (SELECT count(*) FROM pg_stat_activity AS a WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()),
		       (SELECT count(*) FROM pg_stat_activity AS a WHERE a.datname = d.datname AND a.application_name = 'queuetrack' AND a.pid <> pg_backend_pid())
		  FROM pg_database AS d, pg_roles AS r
		 WHERE d.datname = current_database() AND r.rolname = current_user`).Scan(&most, &used, &ours)
	if err != nil {
		return nil, err
	}
	return connections(most, used, ours, s.Needs), nil
}

// connections judges: so many are allowed and in use, of these so many by queuetrack, and so many a process may need.
func connections(most, used, ours, needs int) []Finding {
	found := fmt.Sprintf("%d of %d are in use, %d by queuetrack; a server takes up to %d", used, most, ours, needs)
	const do = "raise max_connections (or the limit of the role or database), or lower pool_max_conns in the database URL"
	switch {
	case most < needs:
		return []Finding{{"connections", Warning, found, do}}
	case ours == 0 && most-used < needs, most-used < 3:
		return []Finding{{"connections", Warning, found + ": too few are left", do}}
	}
	return []Finding{{"connections", OK, found, ""}}
}

// Clock holds the database's clock against this machine's.
func (s Server) Clock(ctx context.Context) ([]Finding, error) {
	before := time.Now()
	var theirs time.Time
	if err := s.Pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&theirs); err != nil {
		return nil, err
	}
	took := time.Since(before)
	return []Finding{skew(theirs.Sub(before.Add(took/2)), took)}, nil
}

// skew judges how far the database's clock is ahead of ours, which was read within so long.
func skew(ahead, took time.Duration) Finding {
	const tolerated = time.Second
	if ahead.Abs() <= tolerated+took/2 {
		return Finding{"database clock", OK, "goes with this machine's", ""}
	}
	which := "ahead of"
	if ahead < 0 {
		which = "behind"
	}
	return Finding{"database clock", Warning, fmt.Sprintf("%v %s this machine's", ahead.Abs().Round(time.Millisecond), which), "set both by NTP: received_at is this machine's time, leases are the database's"}
}
