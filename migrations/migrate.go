package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// While one process migrates, the others look once a second whether it is done, for ten minutes at most.
const (
	lockPollSeconds = 1
	lockPolls       = 600
)

// errURL does not repeat what was written: it may hold a password.
var errURL = errors.New("the database URL can't be read; write it as postgres://user:password@host:5432/database")

// Up applies every pending migration, each in a transaction of its own, and does nothing when none is pending.
// It returns ErrAhead, and changes nothing, when the database has migrations that this binary does not know.
func Up(ctx context.Context, databaseURL string, logger *slog.Logger) error {
	// Goose alone would call a newer schema up to date, so it is refused here first. A newer binary may still
	// migrate between this look and goose's lock: hence the second look.
	if err := refuseAhead(ctx, databaseURL); err != nil {
		return err
	}
	err := withProvider(ctx, databaseURL, func(p *goose.Provider) error {
		results, err := p.Up(ctx)
		for _, r := range results {
			logApplied(ctx, logger, r)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("migrate up: %w", err)
	}
	return refuseAhead(ctx, databaseURL)
}

// Down takes back the latest applied migration, and with it the data in what it created. It returns ErrNone when
// none is applied, and ErrAhead when this binary does not know all that are.
func Down(ctx context.Context, databaseURL string, logger *slog.Logger) error {
	if err := refuseAhead(ctx, databaseURL); err != nil {
		return err
	}
	err := withProvider(ctx, databaseURL, func(p *goose.Provider) error {
		result, err := p.Down(ctx)
		if errors.Is(err, goose.ErrNoNextVersion) {
			return ErrNone
		}
		if err == nil {
			logApplied(ctx, logger, result)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("migrate down: %w", err)
	}
	return nil
}

func logApplied(ctx context.Context, logger *slog.Logger, r *goose.MigrationResult) {
	logger.InfoContext(ctx, "migrated", "file", r.Source.Path, "direction", r.Direction, "seconds", r.Duration.Seconds())
}

// withProvider runs do with a goose provider for the database, which knows our files and no others.
func withProvider(ctx context.Context, databaseURL string, do func(*goose.Provider) error) (err error) {
	db, err := open(databaseURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.PingContext(ctx); err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(lockPollSeconds, lockPolls))
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, Files,
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	return do(provider)
}

func open(databaseURL string) (*sql.DB, error) {
	config, err := connConfig(databaseURL)
	if err != nil {
		return nil, err
	}
	return stdlib.OpenDB(*config), nil
}

// connConfig is how both goose and we connect: goose notes when it applied a migration in a timestamp without
// zone, so every session that writes or reads it keeps UTC.
func connConfig(databaseURL string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return nil, errURL
	}
	config.RuntimeParams["timezone"] = "UTC"
	return config, nil
}
