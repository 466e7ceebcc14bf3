package migrations

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3"
)

var (
	// ErrBehind means that migrations of this binary are not applied.
	ErrBehind = errors.New("the database schema is behind this binary: run `queuetrack migrate up`")
	// ErrAhead means that migrations are applied which this binary does not know.
	ErrAhead = errors.New("this binary is older than the database schema: run the newer queuetrack")
	// ErrNone means that there is no migration to take back.
	ErrNone = errors.New("no migration is applied")
)

// A Migration is one step of the schema.
type Migration struct {
	Version   int64
	Name      string    // the file's name; empty: applied by a newer binary, unknown to this one
	AppliedAt time.Time // UTC; zero: pending
}

// Status lists the migrations of this binary and of the database, by version. It changes nothing, and needs no
// more than the right to read.
func Status(ctx context.Context, databaseURL string) ([]Migration, error) {
	config, err := connConfig(databaseURL)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing was written
	return status(ctx, conn)
}

// Check compares the pool's database with this binary: nil, ErrBehind or ErrAhead.
func Check(ctx context.Context, pool *pgxpool.Pool) error {
	all, err := status(ctx, pool)
	if err != nil {
		return err
	}
	if err := ahead(all); err != nil {
		return err
	}
	for _, m := range all {
		if m.AppliedAt.IsZero() {
			return fmt.Errorf("%w (%s is pending)", ErrBehind, m.Name)
		}
	}
	return nil
}

func refuseAhead(ctx context.Context, databaseURL string) error {
	all, err := Status(ctx, databaseURL)
	if err != nil {
		return err
	}
	return ahead(all)
}

func ahead(all []Migration) error {
	for _, m := range all {
		if m.Name == "" {
			return fmt.Errorf("%w (it has migration %d)", ErrAhead, m.Version)
		}
	}
	return nil
}

// querier is the part of a connection or pool that reading the status needs.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func status(ctx context.Context, db querier) ([]Migration, error) {
	byVersion, err := known()
	if err != nil {
		return nil, err
	}
	done, err := applied(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("read the schema's version: %w", err)
	}
	for _, d := range done {
		m := byVersion[d.Version]
		m.Version, m.AppliedAt = d.Version, d.AppliedAt
		byVersion[d.Version] = m
	}
	return slices.SortedFunc(maps.Values(byVersion), func(a, b Migration) int {
		return cmp.Compare(a.Version, b.Version)
	}), nil
}

// known are this binary's migrations.
func known() (map[int64]Migration, error) {
	names, err := fs.Glob(Files, "*.sql")
	if err != nil {
		return nil, err
	}
	byVersion := make(map[int64]Migration, len(names))
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return nil, fmt.Errorf("read the version of %s: %w", name, err)
		}
		byVersion[version] = Migration{Version: version, Name: path.Base(name)}
	}
	return byVersion, nil
}

// applied reads goose's table, which a fresh database does not have yet. Goose's own status would create it.
func applied(ctx context.Context, db querier) ([]Migration, error) {
	var exists bool
	err := db.QueryRow(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&exists)
	if err != nil || !exists {
		return nil, err
	}
	rows, err := db.Query(ctx, `
		SELECT version_id, max(tstamp) AS applied_at
		FROM goose_db_version
		WHERE version_id > 0 AND is_applied
		GROUP BY version_id`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (m Migration, err error) {
		err = row.Scan(&m.Version, &m.AppliedAt)
		return m, err
	})
}
