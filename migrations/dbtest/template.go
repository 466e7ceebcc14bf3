package dbtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/migrations"
)

const (
	testPrefix     = "queuetrack_test_"
	templatePrefix = "queuetrack_template_"
	// templateLock is the advisory lock, on the server's maintenance database, under which templates are made.
	templateLock = 0x71_75_65_75_65
	// abandonedAfter is when a test database without connections counts as left behind by a killed test.
	abandonedAfter = 6 * time.Hour
)

// template returns the name of the migrated template on the server, and makes it if needed.
func template(ctx context.Context, server string) (name string, err error) {
	digest, err := digest()
	if err != nil {
		return "", err
	}
	name = templatePrefix + digest
	return name, ensure(ctx, server, name)
}

// ensure makes the template if there is none. Test binaries race for that: one makes it under a lock and another
// name, and renames it when complete, so a template that exists is good.
func ensure(ctx context.Context, server, name string) error {
	return admin(ctx, server, func(conn *pgx.Conn) error {
		if found, err := exists(ctx, conn, name); err != nil || found {
			return err
		}
		// Released with the session: closing the connection is enough, even by a crash.
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, templateLock); err != nil {
			return err
		}
		if found, err := exists(ctx, conn, name); err != nil || found {
			return err
		}
		if err := sweep(ctx, conn); err != nil {
			return err
		}
		return build(ctx, conn, server, name)
	})
}

func build(ctx context.Context, conn *pgx.Conn, server, name string) error {
	unfinished := name + "_new"
	if err := drop(ctx, conn, unfinished); err != nil {
		return err
	}
	if err := create(ctx, conn, unfinished, "template0"); err != nil {
		return err
	}
	target, err := migrations.WithDatabase(server, unfinished)
	if err != nil {
		return err
	}
	if err := migrations.Up(ctx, target, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	// Without connections a clone is never refused because somebody looks at the template.
	_, err = conn.Exec(ctx, "ALTER DATABASE "+unfinished+" ALLOW_CONNECTIONS false")
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "ALTER DATABASE "+unfinished+" RENAME TO "+name)
	return err
}

// digest names the schema: any change of a migration makes another template.
func digest() (string, error) {
	names, err := fs.Glob(migrations.Files, "*.sql")
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, name := range names {
		text, err := fs.ReadFile(migrations.Files, name)
		if err != nil {
			return "", err
		}
		h.Write(fmt.Appendf(nil, "%s %d\n%s", name, len(text), text))
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// sweep drops the databases of tests that were killed. It is done where it costs least: when a template is made.
func sweep(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `
		SELECT datname
		FROM pg_database
		WHERE starts_with(datname, $1)
		  AND NOT EXISTS (SELECT FROM pg_stat_activity AS a WHERE a.datname = pg_database.datname)`, testPrefix)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		made, _, _ := strings.Cut(strings.TrimPrefix(name, testPrefix), "_")
		seconds, err := strconv.ParseInt(made, 10, 64)
		if err != nil || time.Since(time.Unix(seconds, 0)) < abandonedAfter {
			continue
		}
		if err := drop(ctx, conn, name); err != nil {
			return err
		}
	}
	return nil
}

func clone(ctx context.Context, server, name, from string) error {
	return admin(ctx, server, func(conn *pgx.Conn) error { return create(ctx, conn, name, from) })
}

// The names below are made of letters, digits and underscores by this package, so they need no quotes.

func create(ctx context.Context, conn *pgx.Conn, name, from string) error {
	_, err := conn.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+from)
	return err
}

func drop(ctx context.Context, conn *pgx.Conn, name string) error {
	_, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	return err
}

func exists(ctx context.Context, conn *pgx.Conn, name string) (found bool, err error) {
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&found)
	return found, err
}

// admin runs do on a connection of its own to the server's maintenance database.
func admin(ctx context.Context, server string, do func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	err = do(conn)
	return errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
}
