package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/migrations"
	"queuetrack/migrations/localpg"
)

// database is where everything is kept: the one that is configured, else a private Postgres, which ends with it.
type database struct {
	url     string
	private *localpg.Server // nil: not ours
	config  localpg.Config  // to start it again
	logger  *slog.Logger
}

// openDatabase finds the database, and starts the private one where none is configured.
func openDatabase(ctx context.Context, c config, logger *slog.Logger) (*database, error) {
	if c.DatabaseURL.Value != "" {
		return &database{url: c.DatabaseURL.Value}, nil
	}
	config := localpg.Config{DataDir: c.DataDir.Value, Logger: logger}
	server, err := localpg.Start(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("start the private Postgres: %w", err)
	}
	logger.InfoContext(ctx, "private postgres started", "version", server.Version())
	return &database{url: server.URL(), private: server, config: config, logger: logger}, nil
}

// existingDatabase is joinDatabase for a command that has nothing to do in a database that isn't there yet.
func existingDatabase(ctx context.Context, c config, logger *slog.Logger) (*database, error) {
	if c.DatabaseURL.Value == "" {
		dir, exists, err := localpg.Exists(localpg.Config{DataDir: c.DataDir.Value})
		if err != nil {
			return nil, err
		}
		if !exists {
			return nil, fmt.Errorf("no queuetrack data in %s: name the server's --data-dir, or --database-url", dir)
		}
	}
	return joinDatabase(ctx, c, logger)
}

// joinDatabase is openDatabase for a command that ends by itself: beside a server that has the private Postgres
// running, it uses that one.
func joinDatabase(ctx context.Context, c config, logger *slog.Logger) (*database, error) {
	db, err := openDatabase(ctx, c, logger)
	if !errors.Is(err, localpg.ErrInUse) {
		return db, err
	}
	url, err := localpg.RunningURL(localpg.Config{DataDir: c.DataDir.Value})
	if err != nil {
		return nil, fmt.Errorf("find the running private Postgres: %w", err)
	}
	return &database{url: url}, nil
}

// close stops the private Postgres. It works after ctx has ended, too: nothing may be left behind.
func (d *database) close(ctx context.Context) error {
	if d.private == nil {
		return nil
	}
	return d.private.Stop(context.WithoutCancel(ctx))
}

// applicationName is how our connections are called in pg_stat_activity.
const applicationName = "queuetrack"

var errDatabaseURL = errors.New("the database URL can't be read; write it as postgres://user:password@host:5432/database")

// readConnections is how many connections reading may take at a time, and a command in all. Who needs more waits.
const readConnections = 10

// workConnections is how many the rest takes: one append and two of a projector a source (it folds the next page while it
// writes one), counters, expiry, health and a look at the API keys; but no more than leave room for others, as a Postgres
// takes 100 by default. Then whoever needs one waits for a page's length.
func workConnections(sources int) int32 { return int32(min(3*sources+4, 64)) }

// fillConnections is how many a rebuild takes: one a worker, and for reading, its lease and the switch.
func fillConnections() int32 { return int32(runtime.GOMAXPROCS(0) + 4) }

// openPool connects, with at most so many connections unless the URL's pool_max_conns says otherwise. The URL is in no
// error: it may hold a password.
func openPool(ctx context.Context, url string, most int32) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errDatabaseURL
	}
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = most
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = applicationName
	}
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	config.AfterConnect = scanUTC
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	return pool, nil
}

// scanUTC makes instants come back as UTC, wherever the process runs.
func scanUTC(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
}

// ready opens the database for a command that needs the schema as it is: it checks, and changes nothing.
func ready(ctx context.Context, c config, logger *slog.Logger) (*database, *pgxpool.Pool, error) {
	db, err := existingDatabase(ctx, c, logger)
	if err != nil {
		return nil, nil, err
	}
	pool, err := openPool(ctx, db.url, readConnections)
	if err == nil {
		if err = migrations.Check(ctx, pool); err != nil {
			pool.Close()
		}
	}
	if err != nil {
		return nil, nil, errors.Join(err, db.close(ctx))
	}
	return db, pool, nil
}
