package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
	"queuetrack/migrations/dbtest"
)

// at is a delivery received some time after noon.
func at(d eventstore.Delivery, after time.Duration) eventstore.Delivery {
	d.ReceivedAt = noon.Add(after)
	return d
}

func keyed(d eventstore.Delivery, key string) eventstore.Delivery {
	d.EventKey = key
	return d
}

func unreadable(d eventstore.Delivery) eventstore.Delivery {
	d.Quarantined = "not JSON"
	return d
}

func own(d eventstore.Delivery) eventstore.Delivery {
	d.VerifiedBy = eventstore.Own
	return d
}

func repeat(d eventstore.Delivery, of int64) eventstore.Delivery {
	d.RepeatOf = of
	return d
}

// TestDuplicates goes through the rules; each case runs twice, delivery by delivery and in one batch.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	a, b, none := body("1", "A"), body("1", "B"), body("", "ping")
	const window = eventstore.DefaultReplayWindow
	cases := []struct {
		name string
		ds   []eventstore.Delivery
		want []eventstore.Receipt
	}{
		{"the latest body again", []eventstore.Delivery{a, a}, []eventstore.Receipt{accepted(1, 1)[0], duplicate(1)}},
		{"an edit taken back", []eventstore.Delivery{a, b, a}, accepted(1, 3)},
		{"the latest of the ticket, not of the source", []eventstore.Delivery{a, body("2", "A"), a}, append(accepted(1, 2), duplicate(1))},
		{
			"a replay, once",
			[]eventstore.Delivery{a, b, at(a, window+time.Second), at(a, window+time.Minute), at(b, window+time.Minute)},
			[]eventstore.Receipt{accepted(1, 1)[0], accepted(2, 1)[0], quarantined(3), duplicate(3), duplicate(2)},
		},
		{"just within the window", []eventstore.Delivery{a, b, at(a, window)}, accepted(1, 3)},
		{"the latest again is never a replay", []eventstore.Delivery{a, at(a, 9*window)}, append(accepted(1, 1), duplicate(1))},
		{
			"our own events aren't the vendor's latest",
			[]eventstore.Delivery{a, own(body("1", "expired")), at(a, 2*window)},
			append(accepted(1, 2), duplicate(1)),
		},
		{"our own without a key are all kept", []eventstore.Delivery{own(a), own(a)}, accepted(1, 2)},
		{
			"a key is for ever, whatever the bytes",
			[]eventstore.Delivery{keyed(a, "k"), keyed(b, "k"), at(keyed(a, "k"), 99*window)},
			[]eventstore.Receipt{accepted(1, 1)[0], duplicate(1), duplicate(1)},
		},
		{"two keys, one body", []eventstore.Delivery{keyed(a, "k"), keyed(a, "l")}, accepted(1, 2)},
		{"no ticket, within the window", []eventstore.Delivery{none, at(none, window)}, append(accepted(1, 1), duplicate(1))},
		{"no ticket, after the window", []eventstore.Delivery{none, at(none, window+time.Second)}, accepted(1, 2)},
		{
			"quarantined, within the window",
			[]eventstore.Delivery{unreadable(a), unreadable(a), at(unreadable(a), window+time.Second)},
			[]eventstore.Receipt{quarantined(1), duplicate(1), quarantined(2)},
		},
		{"quarantined ones aren't the latest", []eventstore.Delivery{a, unreadable(b), a}, []eventstore.Receipt{accepted(1, 1)[0], quarantined(2), duplicate(1)}},
		{
			"a repeat passes, and is then the latest",
			[]eventstore.Delivery{unreadable(a), repeat(a, 1), repeat(a, 1), a},
			[]eventstore.Receipt{quarantined(1), accepted(2, 1)[0], accepted(3, 1)[0], duplicate(3)},
		},
		{
			"a repeat keeps its key",
			[]eventstore.Delivery{keyed(unreadable(a), "k"), repeat(keyed(a, "k"), 1), keyed(a, "k")},
			[]eventstore.Receipt{quarantined(1), accepted(2, 1)[0], duplicate(1)},
		},
	}
	log, _ := newLog(t)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			whole, err := log.AppendBatch(t.Context(), fmt.Sprintf("whole-%d", i), c.ds)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "in one batch", whole, c.want)
			var single []eventstore.Receipt
			for _, d := range c.ds {
				r, err := log.Append(t.Context(), fmt.Sprintf("single-%d", i), d)
				if err != nil {
					t.Fatal(err)
				}
				single = append(single, r)
			}
			equal(t, "one by one", single, c.want)
		})
	}
}

// A ticket with more events than one look at it takes in.
func TestReplayOnALongTicket(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	a := body("1", "A")
	mustAppend(t, log, a)
	for i := range 40 {
		mustAppend(t, log, body("1", fmt.Sprint(i)))
	}
	equal(t, "within the window", mustAppend(t, log, at(a, time.Hour), body("1", "B")), accepted(42, 2))
	for i := range 40 {
		mustAppend(t, log, at(body("1", fmt.Sprint(i)), time.Hour))
	}
	replay := at(a, 26*time.Hour)
	equal(t, "after it", mustAppend(t, log, replay, replay), []eventstore.Receipt{quarantined(84), duplicate(84)})
	equal(t, "again", mustAppend(t, log, replay), []eventstore.Receipt{duplicate(84)})
	equal(t, "cause", readAll(t, log)[83].Quarantined, "replay of position 42")
	checkEverything(t, pool)
}

func TestReplayNamesItsOriginal(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	mustAppend(t, log, body("1", "A"), body("1", "B"), at(body("1", "A"), 25*time.Hour))
	equal(t, "cause", readAll(t, log)[2].Quarantined, "replay of position 1")
}

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

func TestDuplicateInsideABatchLeavesNoHole(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	a, b, c := body("1", "A"), body("1", "B"), body("1", "C")
	got := mustAppend(t, log, a, a, b, b, b, a, c)
	equal(t, "receipts", got, []eventstore.Receipt{
		accepted(1, 1)[0], duplicate(1), accepted(2, 1)[0], duplicate(2), duplicate(2), accepted(3, 1)[0], accepted(4, 1)[0],
	})
	equal(t, "bodies", bodies(t, log), []string{"1:A", "1:B", "1:A", "1:C"})
	checkEverything(t, pool)
}

// A batch fails on data: only the offenders are refused, and the positions stay dense.
func TestFailedBatchLeavesNoHole(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	var ds []eventstore.Delivery
	for i := range 20 {
		ds = append(ds, body(fmt.Sprint(i), "A"))
	}
	ds[3].Type = "nul\x00"
	ds[11].Ticket = "latin-\xe5"
	ds[19].EventKey = strings.Repeat("incompressible? ", 1)[:3] + randomText(9000)
	receipts, err := log.AppendBatch(t.Context(), source, ds)
	for _, part := range []string{"delivery 3:", "delivery 11:", "delivery 19:", `nul\x00`, `latin-\xe5`} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error doesn't name %s: %v", part, err)
		}
	}
	if errors.Is(err, eventstore.ErrBusy) {
		t.Error("bad data is called busy: the sender would try for ever")
	}
	position := int64(0)
	for i, r := range receipts {
		want := eventstore.Receipt{}
		if i != 3 && i != 11 && i != 19 {
			position++
			want = accepted(position, 1)[0]
		}
		equal(t, fmt.Sprint("receipt ", i), r, want)
	}
	checkEverything(t, pool)
}

// randomText doesn't compress: an index row of it is too large.
func randomText(n int) string {
	var s strings.Builder
	for i := uint32(1); s.Len() < n; i++ {
		fmt.Fprintf(&s, "%08x", i*2654435761)
	}
	return s.String()
}

func TestRefusedDeliveryOfAppendIsAlone(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	var group sync.WaitGroup
	errs := make([]error, 40)
	for i := range errs {
		group.Go(func() {
			d := body(fmt.Sprint(i), "A")
			if i%10 == 0 {
				d.Type = "\x00"
			}
			_, errs[i] = log.Append(t.Context(), source, d)
		})
	}
	group.Wait()
	for i, err := range errs {
		if (err != nil) != (i%10 == 0) {
			t.Errorf("delivery %d: %v", i, err)
		}
	}
	equal(t, "events", len(readAll(t, log)), 36)
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

func TestHeldLockIsBusy(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	mustAppend(t, log, body("1", "A"))
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM log_head WHERE source = $1 FOR UPDATE`, source); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), source, body("1", "B")); !errors.Is(err, eventstore.ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "afterwards", mustAppend(t, log, body("1", "C")), accepted(2, 1))
	equal(t, "bodies", bodies(t, log), []string{"1:A", "1:C"})
}

func TestCallerWhoGivesUp(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := log.Append(ctx, source, body("1", "A")); !errors.Is(err, context.Canceled) && err != nil {
		t.Errorf("got %v, want the context's error", err)
	}
	if _, err := log.AppendBatch(ctx, source, []eventstore.Delivery{body("1", "B")}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	mustAppend(t, log, body("2", "C"))
	checkEverything(t, pool)
}

func TestWrongSourceIsAnErrorAtOnce(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	if _, err := log.Append(t.Context(), "No Source", body("1", "A")); err == nil || errors.Is(err, eventstore.ErrBusy) {
		t.Errorf("got %v", err)
	}
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
		config.ConnConfig.DialFunc = spoil.dial
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}
