package eventstore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
	"queuetrack/migrations/dbtest"
)

func TestEventKeepsAllOfADelivery(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	d := eventstore.Delivery{
		Ticket: "1", Type: "t", EventKey: "k", OccurredAt: noon.Add(-time.Minute), ReceivedAt: noon, Body: []byte{0, 0xff},
		VerifiedBy: "env:SECRET", Quarantined: "why",
	}
	mustAppend(t, log, d, repeat(d, 1), eventstore.Delivery{ReceivedAt: noon})
	events := readAll(t, log)
	got := events[1]
	equal(t, "event", eventstore.Delivery{
		Ticket: got.Ticket, Type: got.Type, EventKey: got.EventKey, OccurredAt: got.OccurredAt, ReceivedAt: got.ReceivedAt,
		Body: got.Body, VerifiedBy: got.VerifiedBy, Quarantined: got.Quarantined, RepeatOf: got.RepeatOf,
	}, repeat(d, 1))
	if bare := events[2]; bare.Ticket != "" || !bare.OccurredAt.IsZero() || len(bare.Body) != 0 || bare.Source != source {
		t.Errorf("got %+v", bare)
	}
}

// An empty append wedged a stream elsewhere.
func TestEmptyAppend(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	if receipts, err := log.AppendBatch(t.Context(), source, nil); err != nil || len(receipts) != 0 {
		t.Fatalf("got %v, %v", receipts, err)
	}
	equal(t, "after it", mustAppend(t, log, body("1", "A")), accepted(1, 1))
}

// Many events at the same instant were skipped elsewhere, where times ordered them.
func TestSameInstant(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	var want []string
	for i := range 30 {
		mustAppend(t, log, body("1", fmt.Sprint(i)))
		want = append(want, fmt.Sprintf("1:%d", i))
	}
	var got []string
	for after := int64(0); ; after++ {
		events, err := log.Read(t.Context(), source, after, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			break
		}
		got = append(got, string(events[0].Body))
	}
	equal(t, "bodies", got, want)
}

// Two processes get the same deliveries at once: each is appended once.
func TestTwoProcessesOneDelivery(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	pool := open(t, url, nil)
	var group sync.WaitGroup
	for range 2 {
		log := eventstore.New(open(t, url, nil), eventstore.Config{})
		for i := range 100 {
			group.Go(func() {
				if _, err := log.Append(t.Context(), source, body(fmt.Sprint(i), "A")); err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Wait()
	if got := len(readAll(t, eventstore.New(pool, eventstore.Config{}))); got != 100 {
		t.Errorf("%d events, want 100", got)
	}
	checkEverything(t, pool)
}

// open opens a pool, whose connections wrap can spoil.
func open(t testing.TB, url string, spoil *saboteur) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 4
	if spoil != nil {
		config.ConnConfig.DialFunc, config.AfterConnect = spoil.dial, spoil.up
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}
