package migrations_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"queuetrack/migrations"
	"queuetrack/migrations/dbtest"
)

// gooses matches what goose keeps for itself.
var gooses = regexp.MustCompile(`goose_db_version`)

func TestUpDownUp(t *testing.T) {
	t.Parallel()
	ctx, url, logger := t.Context(), dbtest.NewEmptyURL(t), slog.New(slog.DiscardHandler)
	fresh := objects(t, url)
	if err := migrations.Up(ctx, url, logger); err != nil {
		t.Fatal(err)
	}
	migrated := objects(t, url)
	for range files(t) {
		if err := migrations.Down(ctx, url, logger); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(fresh, objects(t, url)); diff != "" {
		t.Errorf("what all migrations leave behind when taken back (-want +got):\n%s", diff)
	}
	if err := migrations.Down(ctx, url, logger); !errors.Is(err, migrations.ErrNone) {
		t.Errorf("one step too many = %v, want ErrNone", err)
	}
	if err := migrations.Up(ctx, url, logger); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(migrated, objects(t, url)); diff != "" {
		t.Errorf("second migration (-want +got):\n%s", diff)
	}
}

func TestEachDownTakesBackItsUp(t *testing.T) {
	t.Parallel()
	ctx, url, logger := t.Context(), dbtest.NewEmptyURL(t), slog.New(slog.DiscardHandler)
	if err := migrations.Up(ctx, url, logger); err != nil {
		t.Fatal(err)
	}
	want := objects(t, url)
	for steps := range len(files(t)) {
		for range steps + 1 {
			if err := migrations.Down(ctx, url, logger); err != nil {
				t.Fatal(err)
			}
		}
		if err := migrations.Up(ctx, url, logger); err != nil {
			t.Fatalf("up after %d down: %v", steps+1, err)
		}
		if diff := cmp.Diff(want, objects(t, url)); diff != "" {
			t.Errorf("up after %d down (-want +got):\n%s", steps+1, diff)
		}
	}
}

func TestUpFromManyProcesses(t *testing.T) {
	t.Parallel()
	url := dbtest.NewEmptyURL(t)
	group, ctx := errgroup.WithContext(t.Context())
	for range 4 {
		group.Go(func() error { return migrations.Up(ctx, url, slog.New(slog.DiscardHandler)) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if got, want := appliedCount(t, url), len(files(t)); got != want {
		t.Errorf("applied %d migrations, want %d", got, want)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	ctx, url := t.Context(), dbtest.NewEmptyURL(t)
	before := objects(t, url)
	pending, err := migrations.Status(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range pending {
		if m.Version != int64(i+1) || m.Name != files(t)[i] || !m.AppliedAt.IsZero() {
			t.Errorf("migration %d of a fresh database = %+v, want pending %s", i+1, m, files(t)[i])
		}
	}
	if diff := cmp.Diff(before, objects(t, url)); diff != "" {
		t.Errorf("the status changed the database (-before +after):\n%s", diff)
	}
	if err := migrations.Up(ctx, url, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if got, want := appliedCount(t, url), len(files(t)); got != want {
		t.Errorf("applied %d migrations, want %d", got, want)
	}
}

func TestBehindIsTold(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	pool := dbtest.New(t)
	if err := migrations.Check(ctx, pool); err != nil {
		t.Errorf("a migrated database: %v", err)
	}
	url := pool.Config().ConnString()
	if err := migrations.Down(ctx, url, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Check(ctx, pool); !errors.Is(err, migrations.ErrBehind) {
		t.Errorf("after one down = %v, want ErrBehind", err)
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	ctx, logger := t.Context(), slog.New(slog.DiscardHandler)
	pool := dbtest.New(t)
	url := pool.Config().ConnString()
	_, err := pool.Exec(ctx, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
	if err != nil {
		t.Fatal(err)
	}
	before := objects(t, url)
	for name, refused := range map[string]error{
		"check": migrations.Check(ctx, pool),
		"up":    migrations.Up(ctx, url, logger),
		"down":  migrations.Down(ctx, url, logger),
	} {
		if !errors.Is(refused, migrations.ErrAhead) {
			t.Errorf("%s = %v, want ErrAhead", name, refused)
		}
	}
	if diff := cmp.Diff(before, objects(t, url)); diff != "" {
		t.Errorf("refused, and changed the database (-before +after):\n%s", diff)
	}
}

func TestFailedMigrationLeavesNoTrace(t *testing.T) {
	t.Parallel()
	ctx, url, logger := t.Context(), dbtest.NewEmptyURL(t), slog.New(slog.DiscardHandler)
	conn := connect(t, url)
	if _, err := conn.Exec(ctx, `CREATE TABLE counter (in_the_way int)`); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Up(ctx, url, logger); err == nil {
		t.Fatal("migrated over a table that is in the way")
	}
	if got := appliedCount(t, url); got != 2 {
		t.Errorf("%d migrations applied, want the 2 before the failing one", got)
	}
	if _, err := conn.Exec(ctx, `DROP TABLE counter`); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Up(ctx, url, logger); err != nil {
		t.Errorf("up once the way is free: %v", err)
	}
}

// objects are the relations, constraints, functions and triggers of a database, goose's own apart.
func objects(t *testing.T, url string) []string {
	t.Helper()
	rows, err := connect(t, url).Query(t.Context(), `
		SELECT 'relation ' || relname || ' ' || relkind::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
		UNION ALL
		SELECT 'column ' || attrelid::regclass || '.' || attname || ' ' || atttypid::regtype || ' ' || attnotnull
		FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
		WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
		UNION ALL
		SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid)
		FROM pg_constraint WHERE connamespace = 'public'::regnamespace
		UNION ALL
		SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
		UNION ALL
		SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
		ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	ours := all[:0]
	for _, name := range all {
		if !gooses.MatchString(name) {
			ours = append(ours, name)
		}
	}
	return ours
}

func appliedCount(t *testing.T, url string) (n int) {
	t.Helper()
	all, err := migrations.Status(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if !m.AppliedAt.IsZero() {
			n++
		}
	}
	return n
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func files(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(migrations.Files, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	return names
}
