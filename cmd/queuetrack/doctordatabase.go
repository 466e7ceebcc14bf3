package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/cmd/queuetrack/doctor"
	"queuetrack/eventstore"
	"queuetrack/migrations"
	"queuetrack/migrations/localpg"
	"queuetrack/projection"
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

// Below these, a private Postgres is about to stop taking webhooks.
const (
	diskShort = 1 << 30
	diskFull  = 100 << 20
)

// private tells what there is of a private Postgres; there: it can be opened.
func (x *examination) private(s localpg.State) (found []doctor.Finding, there bool) {
	f := doctor.Finding{Check: "private Postgres", Verdict: doctor.OK, Found: fmt.Sprintf("Postgres %s in %s, of user %s", s.Major, s.DataDir, s.Owner)}
	switch {
	case errors.Is(s.Refuses, localpg.ErrNoBinaries):
		f.Verdict, f.Found = doctor.Problem, "no database is configured, and no Postgres found on this machine to keep a private one with"
		f.Do = "install one (apt-get install postgresql); or 'docker compose up'; or set DATABASE_URL=postgres://user:password@host:5432/database"
	case errors.Is(s.Refuses, localpg.ErrVersion):
		f.Verdict, f.Found = doctor.Problem, s.Refuses.Error()
		f.Do = "to move it to another major version, see README: Upgrades"
	case s.Refuses != nil:
		f.Verdict, f.Found = doctor.Problem, s.Refuses.Error()
		f.Do = "mend that; or run this as root, or as that user; or name another folder with --data-dir"
	case s.Major == "":
		f.Verdict, f.Found = doctor.Note, "there is none yet in "+s.DataDir
		f.Do = "serve makes it at its first start; if yours has one elsewhere, name its --data-dir, or --database-url"
	default:
		return append([]doctor.Finding{f}, x.privatePlace(s)...), true
	}
	return []doctor.Finding{f}, false
}

// privatePlace tells how to get at it, and how much room it has.
func (x *examination) privatePlace(s localpg.State) []doctor.Finding {
	found := []doctor.Finding{{Check: "psql, pg_dump", Verdict: doctor.OK, Found: fmt.Sprintf("while serve runs, as root or %s: psql '%s'", s.Owner, s.URL)}}
	room := doctor.Finding{Check: "disk", Verdict: doctor.OK, Found: fmt.Sprintf("%d MiB free for %s", s.Free>>20, s.DataDir)}
	switch {
	case s.Free < 0:
		return found
	case s.Free < diskFull:
		room.Verdict = doctor.Problem
	case s.Free < diskShort:
		room.Verdict = doctor.Warning
	}
	if room.Verdict != doctor.OK {
		room.Do = "make room: on a full disk webhooks are answered 503 until there is some"
	}
	return append(found, room)
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
		doctor.Check{Section: in, Name: "append-only", Look: func(ctx context.Context) ([]doctor.Finding, error) { return appendOnly(ctx, log) }})
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

// contents looks at the log and at what is folded from it.
func (x *examination) contents(pool *pgxpool.Pool, log *eventstore.Log, server doctor.Server) []doctor.Check {
	reader := projection.NewReader(pool)
	if len(x.mistakes) == 0 { // of half a configuration everything would differ
		reader.Fingerprint = x.config.fingerprint()
	}
	var names []string
	sources := doctor.Sources{Log: log, Now: x.now}
	for _, s := range x.sources() {
		names = append(names, s.Name)
		sources.Configured = append(sources.Configured, s.examined())
	}
	folds := doctor.Projections{Reader: reader, Sources: names}
	negative := func(ctx context.Context) ([]doctor.Finding, error) { return sources.NegativeWaits(ctx, reader) }
	return append(sources.Checks(),
		doctor.Check{Section: "other sources", Name: "logs", Look: sources.Unknown},
		doctor.Check{Section: "clocks", Name: "database clock", Look: server.Clock},
		doctor.Check{Section: "clocks", Name: "vendors' clocks", Look: sources.Clocks},
		doctor.Check{Section: "clocks", Name: "waits", Look: negative},
		doctor.Check{Section: "projections", Name: "folded", Look: folds.Folded},
		doctor.Check{Section: "projections", Name: "processes", Look: folds.Processes},
		doctor.Check{Section: "projections", Name: "version", Look: folds.Version},
		doctor.Check{Section: "projections", Name: "rebuild", Look: folds.Rebuild},
	)
}

// examined is what doctor has to know of a source.
func (s sourceConfig) examined() doctor.Source {
	return doctor.Source{
		Name: s.Name, Header: s.signatureHeader(), Unsigned: s.Kind.unsigned(), Secrets: s.secretNames(), SilentAfter: s.SilentAfter, Zone: s.Location,
	}
}
