package eventstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"queuetrack/eventstore"
	"queuetrack/migrations/dbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const source = "city"

// noon is when the tests' deliveries are received, unless they say otherwise.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// body makes a delivery of a ticket with a body of its own.
func body(ticket, text string) eventstore.Delivery {
	return eventstore.Delivery{
		Ticket: ticket, Type: "changed", ReceivedAt: noon, Body: []byte(ticket + ":" + text), VerifiedBy: "literal-1",
	}
}

func newLog(t testing.TB) (*eventstore.Log, *pgxpool.Pool) {
	t.Helper()
	pool := dbtest.New(t)
	return eventstore.New(pool, eventstore.Config{}), pool
}

func mustAppend(t testing.TB, log *eventstore.Log, ds ...eventstore.Delivery) []eventstore.Receipt {
	t.Helper()
	receipts, err := log.AppendBatch(t.Context(), source, ds)
	if err != nil {
		t.Fatalf("append: %v", err)
	}
	return receipts
}

// readAll reads the log in pages, and fails at a hole.
func readAll(t testing.TB, log *eventstore.Log) []eventstore.Event {
	t.Helper()
	var all []eventstore.Event
	for {
		events, err := log.Read(t.Context(), source, int64(len(all)), 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			return all
		}
		for _, e := range events {
			if e.Position != int64(len(all))+1 {
				t.Fatalf("position %d after %d", e.Position, len(all))
			}
			all = append(all, e)
		}
	}
}

// bodies are the log's, in order.
func bodies(t testing.TB, log *eventstore.Log) []string {
	t.Helper()
	var all []string
	for _, e := range readAll(t, log) {
		all = append(all, string(e.Body))
	}
	return all
}

// checkEverything is what holds after any test.
func checkEverything(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	for _, v := range violations(t, pool) {
		t.Errorf("violation: %+v", v)
	}
}

func violations(t testing.TB, pool *pgxpool.Pool) []eventstore.Violation {
	t.Helper()
	var found []eventstore.Violation
	opts := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(t.Context(), pool, opts, func(tx pgx.Tx) error {
		_, err := eventstore.Verify(t.Context(), tx, source, func(v eventstore.Violation) { found = append(found, v) }, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// equal fails the test with the difference.
func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// eventually polls a condition that another goroutine brings about.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("never happened: %s", what)
		case <-tick.C:
		}
	}
}

// accepted are n receipts of new events, from a position.
func accepted(from int64, n int) []eventstore.Receipt {
	var rs []eventstore.Receipt
	for i := range n {
		rs = append(rs, eventstore.Receipt{Result: eventstore.Accepted, Position: from + int64(i)})
	}
	return rs
}

func duplicate(of int64) eventstore.Receipt {
	return eventstore.Receipt{Result: eventstore.Duplicate, Position: of}
}

func quarantined(at int64) eventstore.Receipt {
	return eventstore.Receipt{Result: eventstore.Quarantined, Position: at}
}

func exec(t testing.TB, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", sql, err))
	}
}
