package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/cmd/queuetrack/doctor"
	"queuetrack/eventstore"
	"queuetrack/migrations"
	"queuetrack/migrations/localpg"
)

const inDatabase = "database"

// privateStart is what the private Postgres may take to start, through a recovery too.
const privateStart = 30 * time.Second

// database opens the database as it is, and returns the checks of it and of all that is in it; end closes it. Where it
// can't be opened, that is the finding.
func (x *examination) database(ctx context.Context) (checks []doctor.Check, end func() error) {
	end = func() error { return nil }
	var private localpg.State
	if x.config.DatabaseURL.Value == "" {
		var err error
		if private, err = localpg.Inspect(ctx, localpg.Config{DataDir: x.config.DataDir.Value}); err != nil {
			return []doctor.Check{known(inDatabase, doctor.Finding{Check: "private", Verdict: doctor.Problem, Found: err.Error(), Do: "name a folder with --data-dir"})}, end
		}
		findings, there := x.private(private)
		checks = append(checks, known(inDatabase, findings...))
		if !there {
			return checks, end
		}
	}
	db, pool, err := x.open(ctx)
	if err != nil {
		return append(checks, known(inDatabase, unreachable(err))), end
	}
	server := doctor.Server{
		Pool: pool, Private: private.DataDir != "",
		Needs: readConnections + int(workConnections(len(x.config.Sources))) + int(fillConnections()),
	}
	checks = append(checks, known(inDatabase, x.reached(db)),
		doctor.Check{Section: inDatabase, Name: "settings", Look: server.Durability},
		doctor.Check{Section: inDatabase, Name: "connections", Look: server.Connections},
		doctor.Check{Section: inDatabase, Name: "vacuum", Look: server.HeldBack},
	)
	checks = append(checks, x.schema(ctx, pool, server)...)
	return checks, func() error {
		pool.Close()
		return db.close(ctx)
	}
}

// open connects, bounded in time, and makes nothing.
func (x *examination) open(ctx context.Context) (*database, *pgxpool.Pool, error) {
	starting, cancel := context.WithTimeout(ctx, privateStart)
	defer cancel()
	db, err := existingDatabase(starting, x.config, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nil, err
	}
	connecting, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	const few = 2 // one check at a time; a second connection where one did not come back
	pool, err := openPool(connecting, db.url, few)
	if err != nil {
		return nil, nil, errors.Join(err, db.close(ctx))
	}
	return db, pool, nil
}

// unreachable tells that the database is away, and the ways to one that is not.
func unreachable(err error) doctor.Finding {
	return doctor.Finding{
		Check: "connection", Verdict: doctor.Problem, Found: err.Error(),
		Do: "start that server or mend its URL; or install Postgres here and give no URL, so that serve keeps a private one; or 'docker compose up'; or set DATABASE_URL to another server",
	}
}

// reached tells which database it is, without its password.
func (x *examination) reached(db *database) doctor.Finding {
	f := doctor.Finding{Check: "connection", Verdict: doctor.OK, Found: withoutPassword(x.config.DatabaseURL.Value) + ", by " + x.config.DatabaseURL.Origin}
	switch {
	case x.config.DatabaseURL.Value != "":
	case db.private != nil:
		f.Found = "it was not running: started for this look, and stopped again"
	default:
		f.Found = "it is running"
	}
	return f
}

// schema looks at the schema and, where it is this binary's, at all that is in it.
func (x *examination) schema(ctx context.Context, pool *pgxpool.Pool, server doctor.Server) []doctor.Check {
	within, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	const in = "schema"
	finding, level := schemaFinding(within, pool)
	checks := []doctor.Check{known(in, finding)}
	if !level {
		return checks
	}
	log := eventstore.New(pool, eventstore.Config{})
	checks = append(checks,
		doctor.Check{Section: in, Name: "rights", Look: server.Rights},
		doctor.Check{Section: in, Name: "append-only", Look: func(ctx context.Context) ([]doctor.Finding, error) { return appendOnly(ctx, log) }},
		doctor.Check{Section: in, Name: "API keys", Look: func(ctx context.Context) ([]doctor.Finding, error) { return x.keys(ctx, pool) }})
	return append(checks, x.contents(pool, log, server)...)
}

// schemaFinding holds the schema against this binary's migrations; level: it can be read by this binary.
func schemaFinding(ctx context.Context, pool *pgxpool.Pool) (f doctor.Finding, level bool) {
	err := migrations.Check(ctx, pool)
	f = doctor.Finding{Check: "migrations", Verdict: doctor.Problem}
	switch version, _ := schemaVersion(); {
	case err == nil:
		f.Verdict, f.Found = doctor.OK, version+", as this binary wants it"
		return f, true
	case errors.Is(err, migrations.ErrBehind):
		f.Found = err.Error()
		f.Do = "run 'queuetrack migrate up', or start serve, which does"
	case errors.Is(err, migrations.ErrAhead):
		f.Found = err.Error()
		f.Do = "use the newer binary; or, to go back, its 'queuetrack migrate down' (README: Upgrades)"
	default:
		f.Found = err.Error()
	}
	return f, false
}

func appendOnly(ctx context.Context, log *eventstore.Log) ([]doctor.Finding, error) {
	guarded, err := log.AppendOnly(ctx)
	switch {
	case err != nil:
		return nil, err
	case !guarded:
		return []doctor.Finding{{
			Check: "append-only", Verdict: doctor.Problem, Found: "the trigger that refuses to change or delete events is off, or gone",
			Do: "ALTER TABLE event ENABLE TRIGGER event_append_only, or make it anew as migration 00002 does; then 'queuetrack verify'",
		}}, nil
	}
	return []doctor.Finding{{Check: "append-only", Verdict: doctor.OK, Found: "the log refuses to be changed"}}, nil
}
