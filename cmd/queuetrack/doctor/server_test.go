package doctor

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/migrations/dbtest"
)

func TestDurabilityIsJudged(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"server_version": "17.4", "server_version_num": "170004", "server_encoding": "UTF8", "fsync": "on", "full_page_writes": "on",
		"synchronous_commit": "on", "data_checksums": "on", "autovacuum": "on", "transaction_read_only": "off",
	}
	for name := range verdicts(durability(good)) {
		if v := verdicts(durability(good))[name]; v != OK {
			t.Errorf("of a good server: %s is a %s", name, v)
		}
	}
	for _, c := range []struct {
		set, to, check string
		want           Verdict
	}{
		{"server_version_num", "130014", "version", Problem},
		{"server_encoding", "LATIN1", "encoding", Problem},
		{"transaction_read_only", "on", "writing", Problem},
		{"fsync", "off", "fsync", Problem},
		{"full_page_writes", "off", "full_page_writes", Problem},
		{"synchronous_commit", "off", "synchronous_commit", Note},
		{"data_checksums", "off", "checksums", Note},
		{"autovacuum", "off", "autovacuum", Warning},
	} {
		bad := maps.Clone(good)
		bad[c.set] = c.to
		findings := found(t, durability(bad), nil)
		if got := verdicts(findings)[c.check]; got != c.want {
			t.Errorf("%s %s: %q, want %s of %s", c.set, c.to, got, c.want, c.check)
		}
	}
}

// The settings are those that hold for a session in this database.
func TestSettingsAreTheDatabases(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	pool := open(t, url, "")
	exec(t, pool, `
		DO $$ BEGIN
			EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database());
			EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database());
		END $$`)
	var fsync string
	if err := pool.QueryRow(t.Context(), `SHOW fsync`).Scan(&fsync); err != nil {
		t.Fatal(err)
	}
	findings, err := Server{Pool: open(t, url, "")}.Durability(t.Context())
	got := verdicts(found(t, findings, err))
	if got["version"] != OK || got["writing"] != Problem || got["synchronous_commit"] != Note || (fsync == "off") != (got["fsync"] == Problem) {
		t.Errorf("fsync is %s: %v", fsync, got)
	}
}

// open connects, as another role if one is named.
func open(t *testing.T, url string, role string) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 2
	if role != "" {
		config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, `SET ROLE `+role)
			return err
		}
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// A role that lacks rights is named with them; the owner of the tables may be stricter than a superuser.
func TestRights(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	pool := open(t, url, "")
	role := "doctor_" + pool.Config().ConnConfig.Database // roles are the server's, not the database's
	exec(t, pool, `CREATE ROLE `+role)
	defer exec(t, pool, `DROP OWNED BY `+role+`; DROP ROLE `+role)
	look := func(s Server) Finding {
		findings, err := s.Rights(t.Context())
		return found(t, findings, err)[0]
	}
	theirs := Server{Pool: open(t, url, role)}
	if f := look(theirs); f.Verdict != Problem {
		t.Errorf("without any right: %+v", f)
	}
	exec(t, pool, `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO `+role)
	exec(t, pool, `REVOKE UPDATE, DELETE ON event FROM `+role)
	if f := look(theirs); f.Verdict != OK {
		t.Errorf("with all that is needed: %+v", f)
	}
	exec(t, pool, `REVOKE INSERT ON event FROM `+role)
	if f := look(theirs); f.Verdict != Problem || !strings.HasSuffix(f.Found, "lacks INSERT on event") {
		t.Errorf("without INSERT: %+v", f)
	}
	if f := look(Server{Pool: pool}); f.Verdict != Note {
		t.Errorf("of a superuser: %+v", f)
	}
	if f := look(Server{Pool: pool, Private: true}); f.Verdict != OK {
		t.Errorf("of the private one's: %+v", f)
	}
}

func TestConnections(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	s := Server{Pool: pool, Needs: 1}
	look := func() Finding {
		findings, err := s.Connections(t.Context())
		return found(t, findings, err)[0]
	}
	s.Needs = 100_000
	if f := look(); f.Verdict != Warning {
		t.Errorf("more are needed than there may be: %+v", f)
	}
	s.Needs = 3
	exec(t, pool, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 2', current_database()); END $$`)
	if f := look(); f.Verdict != Warning {
		t.Errorf("the database takes fewer: %+v", f)
	}
	for _, c := range []struct {
		most, used, ours, needs int
		want                    Verdict
	}{
		{97, 10, 0, 28, OK},
		{97, 70, 0, 28, Warning}, // a server that starts now gets too few
		{97, 70, 20, 28, OK},     // it has them already
		{97, 95, 20, 28, Warning},
		{20, 0, 0, 28, Warning},
	} {
		if got := found(t, connections(c.most, c.used, c.ours, c.needs), nil)[0].Verdict; got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestClocksOfDatabaseAndMachine(t *testing.T) {
	t.Parallel()
	findings, err := Server{Pool: dbtest.New(t)}.Clock(t.Context())
	if f := found(t, findings, err)[0]; f.Verdict != OK {
		t.Errorf("%+v", f)
	}
	for _, c := range []struct {
		ahead, took time.Duration
		want        Verdict
	}{
		{time.Second, 0, OK},
		{1100 * time.Millisecond, 0, Warning},
		{-1100 * time.Millisecond, 0, Warning},
		{-1100 * time.Millisecond, 300 * time.Millisecond, OK}, // as well as could be told
		{time.Hour, time.Second, Warning},
	} {
		if got := found(t, []Finding{skew(c.ahead, c.took)}, nil)[0].Verdict; got != c.want {
			t.Errorf("%v ahead, read within %v: %s", c.ahead, c.took, got)
		}
	}
}

func TestHeldBack(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	s := Server{Pool: pool, Limits: Limits{Idle: time.Nanosecond}}
	look := func() Finding {
		findings, err := s.HeldBack(t.Context())
		return found(t, findings, err)[0]
	}
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT 1`); err != nil {
		t.Fatal(err)
	}
	if f := look(); f.Verdict != Warning {
		t.Errorf("a session idle in a transaction: %+v", f)
	}
	s.Limits.Idle = time.Hour
	if f := look(); f.Check != "vacuum" || f.Verdict == Warning && f.Do == "" {
		t.Errorf("not for long: %+v", f)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		held heldBack
		want Verdict
	}{
		{heldBack{"session", "1", true, time.Second}, OK},
		{heldBack{"session", "1", false, time.Hour}, Warning},
		{heldBack{"session", "1", false, 5 * time.Minute}, OK},
		{heldBack{"prepared transaction", "x", true, time.Hour}, Warning},
		{heldBack{"replication slot", "old", true, 0}, Warning},
	} {
		if got := found(t, Limits{}.judge([]heldBack{c.held}), nil)[0].Verdict; got != c.want {
			t.Errorf("%+v: %s", c.held, got)
		}
	}
}
