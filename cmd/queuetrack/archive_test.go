package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
	"queuetrack/eventstore/archive"
	"queuetrack/migrations/dbtest"
)

// comesBack exports what the story wrote, imports it into another database and folds it there: the log is the same byte
// for byte, and the read models row by row.
func (s *story) comesBack() {
	pool := dbtest.New(s.t)
	p, err := newParts(s.config, pools{pool, pool, pool})
	s.must(err)
	whole := s.exported(s.parts.log)
	_, err = archive.Import(s.t.Context(), p.log, bytes.NewReader(whole), func(archive.Phase, int64) {})
	s.must(err)
	if got := s.exported(p.log); !bytes.Equal(got, whole) {
		s.t.Errorf("what came back (-want +got):\n%s", cmp.Diff(string(whole), string(got)))
	}
	s.copyDismissals(pool)
	s.must(p.runner(slog.New(slog.DiscardHandler), 7).CatchUp(s.t.Context()))
	checkEverything(s.t.Context(), s.t, p)
	want, got := s.readModels(s.parts.pools.reading), s.readModels(pool)
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("read models (-want +got):\n%s", diff)
	}
}

// copyDismissals takes over what an operator decided: no archive holds that.
func (s *story) copyDismissals(to *pgxpool.Pool) {
	rows, _ := s.parts.pools.reading.Query(s.t.Context(), `SELECT source, position, dismissed_at FROM dismissal`)
	dismissals, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
	s.must(err)
	_, err = to.CopyFrom(s.t.Context(), pgx.Identifier{"dismissal"}, []string{"source", "position", "dismissed_at"}, pgx.CopyFromRows(dismissals))
	s.must(err)
}

func (s *story) exported(log *eventstore.Log) []byte {
	var b bytes.Buffer
	_, err := archive.Export(s.t.Context(), log, &b, archive.Scope{}, func(int64, int64) {})
	s.must(err)
	return b.Bytes()
}

// readModels are the rows of every table of the serving generation, by table.
func (s *story) readModels(pool *pgxpool.Pool) map[string][]string {
	var generation, set int
	s.must(pool.QueryRow(s.t.Context(), `SELECT generation, generation % 2 FROM generation WHERE state = 'serving'`).Scan(&generation, &set))
	rows, _ := pool.Query(s.t.Context(), `
		SELECT table_name::text
		  FROM information_schema.tables
		 WHERE table_schema = 'public'
		   AND (table_name = 'dead_letter' OR table_name ~ ('^(folded|board_.*|history|wait_.*)_' || $1::int || '$'))
		 ORDER BY table_name`, set)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	s.must(err)
	if len(tables) < 7 {
		s.t.Fatalf("only %d tables: %v", len(tables), tables)
	}
	all := map[string][]string{}
	for _, table := range tables {
		rows, _ := pool.Query(s.t.Context(), `
			SELECT (to_jsonb(t) - 'generation')::text AS line
			  FROM `+table+` AS t
			 WHERE coalesce((to_jsonb(t) ->> 'generation')::int, $1) = $1
			 ORDER BY line`, generation)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		s.must(err)
		all[strings.TrimSuffix(table, fmt.Sprintf("_%d", set))] = lines
	}
	return all
}

// An import that is killed, again and again, leaves a log that is whole up to some position, and goes on there.
func TestKilledImportGoesOn(t *testing.T) {
	t.Parallel()
	const events = 40_000
	file := archiveFile(t, events)
	url := dbtest.NewURL(t)
	pool, err := openPool(t.Context(), url, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	log := eventstore.New(pool, eventstore.Config{})
	for kills := 0; kills < 3; {
		before, err := log.Tail(t.Context(), "city")
		if err != nil {
			t.Fatal(err)
		}
		if killImport(t, url, file, func() bool {
			tail, err := log.Tail(t.Context(), "city")
			return err != nil || tail > before
		}) {
			kills++
			continue
		}
		t.Fatalf("it came to its end after %d kills: the file is too small", kills)
	}
	if out, err := importCommand(t.Context(), url, file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got := filepath.Join(t.TempDir(), "got.ndjson")
	if code := run(t.Context(), []string{"export", "--out", got}, []string{"DATABASE_URL=" + url}, nil, t.Output(), t.Output()); code != exitDone {
		t.Fatalf("export: %d", code)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := os.ReadFile(got); err != nil || !bytes.Equal(back, want) {
		t.Errorf("what came back is not what was imported (%v)", err)
	}
}

// killImport imports until a condition holds, and reports whether there was somebody to kill then.
func killImport(t *testing.T, url, file string, enough func() bool) bool {
	t.Helper()
	cmd := importCommand(context.WithoutCancel(t.Context()), url, file)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !enough() {
		select {
		case err := <-ended:
			t.Logf("it ended by itself: %v", err)
			return false
		case <-tick.C:
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	return <-ended != nil && cmd.ProcessState.ExitCode() == -1 // by a signal
}

func importCommand(ctx context.Context, url, file string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "queuetrack", "import", file) // the command that the scripts run
	cmd.Env = append(os.Environ(), "DATABASE_URL="+url)
	return cmd
}

// archiveFile writes an archive of so many events.
func archiveFile(t *testing.T, events int64) string {
	t.Helper()
	var b bytes.Buffer
	w := archive.NewWriter(&b, nil)
	for n := range events {
		body := fmt.Appendf(nil, `{"n":%d}`, n)
		err := w.Write(&eventstore.Event{
			Source: "city", Position: n + 1, Ticket: fmt.Sprint(n / 4), Type: "ticket_changed", Body: body, Digest: sha256.Sum256(body),
			ReceivedAt: time.Unix(1_795_000_000+n, 0).UTC(), DeliveryID: uuid.New(), VerifiedBy: "literal-1",
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "log.ndjson")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// An export that ends early leaves neither its file nor a part of it, and an older file as it was.
func TestInterruptedExportLeavesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	name := filepath.Join(folder, "log.ndjson")
	if err := os.WriteFile(name, []byte("older"), 0o644); err != nil {
		t.Fatal(err)
	}
	interrupted := errors.New("interrupted")
	err := writeWhole(name, 0o600, func(w io.Writer) error {
		fmt.Fprint(w, "newer")
		return errors.Join(interrupted, isPrivate(filepath.Join(folder, "*.partial")))
	})
	if err == nil || err.Error() != "write "+name+": interrupted" {
		t.Errorf("%v", err)
	}
	hasOnly(t, folder, "older")
	err = writeWhole(name, 0o600, func(w io.Writer) error {
		fmt.Fprint(w, "newer")
		return nil
	})
	if err := errors.Join(err, isPrivate(name)); err != nil {
		t.Error(err)
	}
	hasOnly(t, folder, "newer")
}

// isPrivate looks for the one file of a pattern, which nobody but its owner may read.
func isPrivate(pattern string) error {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) != 1 {
		return fmt.Errorf("%s: %v, %w", pattern, files, err)
	}
	info, err := os.Stat(files[0])
	if err != nil || info.Mode() != 0o600 {
		return fmt.Errorf("%s: %v, %w", files[0], info.Mode(), err)
	}
	return nil
}

// hasOnly looks for the one file of a folder.
func hasOnly(t *testing.T, folder, want string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if text, err := os.ReadFile(files[0]); err != nil || string(text) != want {
		t.Errorf("%q, %v; want %q", text, err, want)
	}
}
