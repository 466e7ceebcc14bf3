package bench

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/eventstore/source/qminder"
	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
	"queuetrack/projection/board"
	"queuetrack/projection/estimate"
	"queuetrack/projection/history"
	"queuetrack/projection/wait"
)

func adapter(t *testing.T) source.Source {
	t.Helper()
	a, err := qminder.New(source.Config{PublicURL: "https://x.example", Secrets: []source.Secret{{Name: "a", Value: []byte("a secret of some length")}}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// What a site tells is what the door would have made of its webhooks, and like what goes on at one.
func TestSiteIsQminders(t *testing.T) {
	t.Parallel()
	const events = 60_000
	a, s := adapter(t), newSite(1)
	tickets, most, bytes, kinds := map[string]bool{}, 0, 0, map[string]int{}
	var last time.Time
	for range events {
		e := s.next()
		id := a.Identify(e.Body)
		if id.Ticket != e.Ticket || id.Type != e.Type || id.Quarantine != "" || !id.OccurredAt.Equal(e.occurredAt) {
			t.Fatalf("%s at %s reads as %+v", e.Body, e.occurredAt, id)
		}
		if e.receivedAt.Before(last) || !e.receivedAt.Equal(e.receivedAt.Truncate(time.Microsecond)) {
			t.Fatalf("received at %s, after %s", e.receivedAt, last)
		}
		last, most, bytes = e.receivedAt, max(most, len(s.here)), bytes+len(e.Body)
		kinds[e.Type]++
		if e.Ticket != "" {
			tickets[e.Ticket] = true
		}
	}
	if per := float64(events) / float64(len(tickets)); per < 4 || per > 5 {
		t.Errorf("%.2f events a ticket, want 4 to 5", per)
	}
	if most < 200 || most > 900 {
		t.Errorf("up to %d tickets are open, want some hundreds", most)
	}
	if mean := bytes / events; mean < 300 || mean > 540 {
		t.Errorf("a body has %d bytes, the vendor's have 377 to 539 with their indents", mean)
	}
	for _, kind := range []string{"ticket_created", "ticket_called", "ticket_recalled", "ticket_changed", "ticket_served", "ticket_cancelled", "line_changed", "location_created"} {
		if kinds[kind] == 0 {
			t.Errorf("no %s among %v", kind, kinds)
		}
	}
}

// The log that is filled is one that the door could have written.
func TestFilledLogIsSound(t *testing.T) {
	t.Parallel()
	ctx, pool := t.Context(), dbtest.New(t)
	log := eventstore.New(pool, eventstore.Config{})
	indexes := count(t, pool, `SELECT count(*) FROM pg_indexes WHERE tablename = 'event'`)
	if err := FillLog(ctx, pool, []string{"one", "two"}, fillPage+1000); err != nil {
		t.Fatal(err)
	}
	if now := count(t, pool, `SELECT count(*) FROM pg_indexes WHERE tablename = 'event'`); now != indexes {
		t.Errorf("%d indexes, before %d", now, indexes)
	}
	for _, name := range []string{"one", "two"} {
		events, err := log.Read(ctx, name, 0, fillPage+2000)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range events {
			if e.Position != int64(i+1) || e.Digest != sha256.Sum256(e.Body) {
				t.Fatalf("event %d of %s has position %d and digest %x", i+1, name, e.Position, e.Digest)
			}
		}
		if len(events) != fillPage+1000 {
			t.Errorf("%d events of %s", len(events), name)
		}
	}
}

// The yardstick measures the same work: each row it writes is the one that the fold writes, and the bytes that it writes
// in the place of the fold's own have about their size.
func TestYardstickFillsTheSameRows(t *testing.T) {
	t.Parallel()
	ctx, pool := t.Context(), dbtest.New(t)
	names := []string{"one", "two"}
	if err := FillLog(ctx, pool, names, 6000); err != nil {
		t.Fatal(err)
	}
	if err := FillSet(ctx, pool, 1, names); err != nil {
		t.Fatal(err)
	}
	sources := map[string]source.Source{"one": adapter(t), "two": adapter(t)}
	models := []projection.ReadModel{board.Model{}, history.Model{}, wait.Model{}, estimate.Model{}}
	log := eventstore.New(pool, eventstore.Config{})
	runner := projection.NewRunner(pool, log, sources, models, projection.Config{Logger: slog.New(slog.DiscardHandler)})
	if err := runner.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"folded", "board_ticket", "board_spell", "board_queue", "board_name", "history", "wait_segment"} {
		compareSets(t, pool, table)
	}
}

// compareSets compares a table's rows in both sets.
func compareSets(t *testing.T, pool *pgxpool.Pool, table string) {
	t.Helper()
	rows, err := pool.Query(t.Context(), `
		SELECT column_name, data_type
		FROM information_schema.columns
		WHERE table_name = $1 || '_0'
		ORDER BY ordinal_position`, table)
	if err != nil {
		t.Fatal(err)
	}
	var columns, sizes []string
	var name, kind string
	if _, err := pgx.ForEachRow(rows, []any{&name, &kind}, func() error {
		switch kind {
		case "bytea":
			columns, sizes = append(columns, name+" IS NULL"), append(sizes, "coalesce(octet_length("+name+"), 0)")
		case "json":
			columns = append(columns, name+"::text")
		default:
			columns = append(columns, name)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(columns, ", ")
	for _, way := range [][2]int{{0, 1}, {1, 0}} {
		var n int
		var example *string
		query := fmt.Sprintf(`SELECT count(*), min(d::text) FROM (SELECT %[1]s FROM %[2]s_%[3]d EXCEPT ALL SELECT %[1]s FROM %[2]s_%[4]d) AS d`,
			all, table, way[0], way[1])
		if err := pool.QueryRow(t.Context(), query).Scan(&n, &example); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		if n > 0 {
			t.Errorf("%d rows of %s_%d are not in %s_%d: %s", n, table, way[0], table, way[1], *example)
		}
	}
	if count(t, pool, "SELECT count(*) FROM "+table+"_0") == 0 {
		t.Errorf("%s is empty", table)
	}
	for _, size := range sizes {
		fold := count(t, pool, fmt.Sprintf("SELECT sum(%s) FROM %s_0", size, table))
		sql := count(t, pool, fmt.Sprintf("SELECT sum(%s) FROM %s_1", size, table))
		if ratio := float64(sql) / float64(fold); ratio < 0.75 || ratio > 1.33 {
			t.Errorf("%s of %s: the yardstick's bytes are %d, the fold's %d", size, table, sql, fold)
		}
	}
}

func count(t *testing.T, pool *pgxpool.Pool, query string) (n int64) {
	t.Helper()
	if err := pool.QueryRow(context.WithoutCancel(t.Context()), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}
