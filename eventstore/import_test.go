package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
	"queuetrack/migrations/dbtest"
)

// kept is a log of n events, and what it holds.
func kept(t *testing.T, n int) []eventstore.Event {
	t.Helper()
	log, _ := newLog(t)
	for i := range n {
		mustAppend(t, log, body(fmt.Sprint(i%3), fmt.Sprint(i)))
	}
	return readAll(t, log)
}

func mustRestore(t *testing.T, log *eventstore.Log, events []eventstore.Event, want int) {
	t.Helper()
	n, err := log.Restore(t.Context(), source, events)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "written", n, want)
}

func TestRestore(t *testing.T) {
	t.Parallel()
	events := kept(t, 10)
	log, pool := newLog(t)
	mustRestore(t, log, nil, 0)
	mustRestore(t, log, events[:4], 4)
	mustRestore(t, log, events[:4], 0)
	mustRestore(t, log, events[2:7], 3) // what is there is passed over
	mustRestore(t, log, events[7:], 3)
	mustRestore(t, log, events[3:5], 0)
	equal(t, "events", readAll(t, log), events)
	checkEverything(t, pool)
}

func TestRestoreIsNoOtherLog(t *testing.T) {
	t.Parallel()
	events := kept(t, 6)
	log, pool := newLog(t)
	refuses := func(what string, events []eventstore.Event, want eventstore.DivergedError) {
		t.Helper()
		var got *eventstore.DivergedError
		if n, err := log.Restore(t.Context(), source, events); n != 0 || !errors.As(err, &got) {
			t.Fatalf("%s: %d, %v", what, n, err)
		}
		equal(t, what, *got, want)
	}
	refuses("a gap", events[1:], eventstore.DivergedError{Source: source, Position: 1, Missing: true})
	mustRestore(t, log, events[:3], 3)
	refuses("a gap behind something", events[4:], eventstore.DivergedError{Source: source, Position: 4, Missing: true})
	for what, change := range map[string]func(*eventstore.Event){
		"ticket":     func(e *eventstore.Event) { e.Ticket += "x" },
		"type":       func(e *eventstore.Event) { e.Type += "x" },
		"key":        func(e *eventstore.Event) { e.EventKey += "x" },
		"occurred":   func(e *eventstore.Event) { e.OccurredAt = noon },
		"received":   func(e *eventstore.Event) { e.ReceivedAt = e.ReceivedAt.Add(time.Microsecond) },
		"body":       func(e *eventstore.Event) { e.Body = append([]byte("x"), e.Body...) },
		"digest":     func(e *eventstore.Event) { e.Digest[31]++ },
		"id":         func(e *eventstore.Event) { e.DeliveryID[0]++ },
		"verifier":   func(e *eventstore.Event) { e.VerifiedBy += "x" },
		"quarantine": func(e *eventstore.Event) { e.Quarantined = "x" },
		"repetition": func(e *eventstore.Event) { e.RepeatOf = 1 },
	} {
		other := append([]eventstore.Event(nil), events...)
		change(&other[2])
		refuses(what, other, eventstore.DivergedError{Source: source, Position: 3})
	}
	for what, change := range map[string]func(*eventstore.Event){
		"another source":   func(e *eventstore.Event) { e.Source = "other" },
		"another position": func(e *eventstore.Event) { e.Position++ },
	} {
		other := append([]eventstore.Event(nil), events...)
		change(&other[5])
		if n, err := log.Restore(t.Context(), source, other); n != 0 || err == nil {
			t.Errorf("%s: %d, %v", what, n, err)
		}
	}
	equal(t, "events", readAll(t, log), events[:3])
	checkEverything(t, pool)
}

// What the database itself refuses is refused at once, and whole.
func TestRestoreOfWhatCantBe(t *testing.T) {
	t.Parallel()
	events := kept(t, 3)
	events[0].EventKey, events[2].EventKey = "key", "key"
	log, _ := newLog(t)
	n, err := log.Restore(t.Context(), source, events)
	if n != 0 || err == nil || errors.Is(err, eventstore.ErrBusy) {
		t.Errorf("%d, %v", n, err)
	}
	equal(t, "events", len(readAll(t, log)), 0)
}

// The answer to a commit is lost: the next try finds that there is nothing left to write.
func TestRestoreLostCommitAnswer(t *testing.T) {
	t.Parallel()
	events := kept(t, 20)
	spoil := newSaboteur(1)
	pool := open(t, dbtest.NewURL(t), spoil)
	log := eventstore.New(pool, eventstore.Config{})
	for i := 0; i < len(events); i += 4 {
		spoil.commits.Store(int64(i / 4 % 3))
		if _, err := log.Restore(t.Context(), source, events[i:i+4]); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "events", readAll(t, log), events)
	checkEverything(t, pool)
}

// Connections are cut after any number of bytes, in both directions.
func TestRestoreWithConnectionsCutAnywhere(t *testing.T) {
	t.Parallel()
	events := kept(t, 60)
	spoil := newSaboteur(43)
	url := dbtest.NewURL(t)
	log := eventstore.New(open(t, url, spoil), eventstore.Config{})
	spoil.odds.Store(8)
	for i := 0; i < len(events); i += 3 {
		if _, err := log.Restore(t.Context(), source, events[i:i+3]); err != nil {
			t.Fatal(err)
		}
	}
	clean := open(t, url, nil)
	equal(t, "events", readAll(t, eventstore.New(clean, eventstore.Config{})), events)
	checkEverything(t, clean)
}

// Appends go on in another process: the log is what was restored before, then them, without a hole.
func TestRestoreBesideAppends(t *testing.T) {
	t.Parallel()
	events := kept(t, 40)
	log, pool := newLog(t)
	other := eventstore.New(pool, eventstore.Config{})
	mustRestore(t, log, events[:10], 10)
	var appending sync.WaitGroup
	appending.Go(func() {
		for i := range 20 {
			if _, err := other.Append(t.Context(), source, body("9", fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		}
	})
	restored := 10
	for restored < len(events) {
		n, err := log.Restore(t.Context(), source, events[restored:restored+1])
		var diverged *eventstore.DivergedError
		if errors.As(err, &diverged) {
			equal(t, "position", diverged.Position, int64(restored+1))
			break
		}
		if err != nil || n != 1 {
			t.Fatal(n, err)
		}
		restored++
	}
	appending.Wait()
	all := readAll(t, log)
	equal(t, "events", len(all), restored+20)
	equal(t, "restored", all[:restored], events[:restored])
	checkEverything(t, pool)
}

// Somebody holds the lock: the restore waits for it, and what it waited for is before it.
func TestRestoreWaitsForTheLock(t *testing.T) {
	t.Parallel()
	events := kept(t, 2)
	log, pool := newLog(t)
	mustRestore(t, log, events[:1], 1)
	holder, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := holder.Exec(t.Context(), `SELECT source FROM log_head WHERE source = $1 FOR NO KEY UPDATE`, source); err != nil {
		t.Fatal(err)
	}
	restored := make(chan error, 1)
	go func() {
		_, err := log.Restore(t.Context(), source, events[1:])
		restored <- err
	}()
	eventually(t, "the restore waits", func() bool { return waiting(t, pool) == 1 })
	if _, err := holder.Exec(t.Context(), `
		INSERT INTO event (source, position, type, received_at, body, digest, delivery_id, verified_by)
		SELECT source, 2, type, received_at, body, digest, gen_random_uuid(), verified_by FROM event WHERE position = 1`); err != nil {
		t.Fatal(err)
	}
	if err := holder.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	var diverged *eventstore.DivergedError
	if err := <-restored; !errors.As(err, &diverged) || diverged.Position != 2 {
		t.Errorf("%v", err)
	}
}

// waiting counts who waits for a lock.
func waiting(t *testing.T, q interface {
	QueryRow(context.Context, string, ...any) pgx.Row
},
) (n int) {
	t.Helper()
	err := q.QueryRow(t.Context(), `
		SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Whoever stops in the middle of a walk leaves no reader behind; TestMain looks.
func TestWalk(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	var ds []eventstore.Delivery
	for i := range 2500 {
		ds = append(ds, body("1", fmt.Sprint(i)))
	}
	mustAppend(t, log, ds...)
	for _, c := range [][2]int64{{0, 2500}, {0, 0}, {7, 8}, {1999, 2001}, {2500, 2500}, {999, 1000}} {
		want := c[0]
		for e, err := range log.Walk(t.Context(), source, c[0], c[1]) {
			if want++; err != nil || e.Position != want {
				t.Fatalf("%d, %v; want %d", e.Position, err, want)
			}
		}
		equal(t, "last", want, c[1])
	}
	for e, err := range log.Walk(t.Context(), source, 0, 2500) {
		if err != nil || e.Position == 10 {
			break
		}
	}
	var last error
	for _, last = range log.Walk(t.Context(), source, 2000, 2501) {
	}
	if !errors.Is(last, eventstore.ErrDamaged) {
		t.Errorf("beyond the end: %v", last)
	}
	exec(t, pool, `ALTER TABLE event DISABLE TRIGGER event_append_only; DELETE FROM event WHERE position = 1500`)
	n := 0
	for _, last = range log.Walk(t.Context(), source, 0, 2500) {
		n++
	}
	if n != 1001 || !errors.Is(last, eventstore.ErrDamaged) {
		t.Errorf("a hole: %v after %d", last, n)
	}
}

func TestTails(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	exec(t, pool, `INSERT INTO log_head (source) VALUES ('empty')`)
	mustAppend(t, log, body("1", "a"), body("1", "b"))
	tails, err := log.Tails(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "tails", tails, map[string]int64{source: 2})
}
