package eventstore_test

import (
	"context"
	"testing"
	"time"

	"queuetrack/eventstore"
	"queuetrack/migrations/dbtest"
)

// run runs the log until the test or stop ends it.
func run(t *testing.T, log *eventstore.Log) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- log.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

func TestWakeInTheSameProcess(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	hint, stop := log.Wake(source)
	other, stopOther := log.Wake("other")
	defer stopOther()
	mustAppend(t, log, body("1", "A"), body("1", "B"))
	mustAppend(t, log, body("1", "C"))
	<-hint
	select {
	case <-hint:
		t.Error("two hints, though nobody took the first one meanwhile")
	case <-other:
		t.Error("a hint of another source")
	default:
	}
	mustAppend(t, log, body("1", "C")) // a duplicate is no news
	stop()
	mustAppend(t, log, body("1", "D"))
	select {
	case <-hint:
		t.Error("a hint after stop")
	default:
	}
}

// The listener dies, and projections stopped until a restart, elsewhere. Here a lost connection is made anew.
func TestTheListenerDies(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	pool := open(t, url, nil)
	here, there := eventstore.New(pool, eventstore.Config{}), eventstore.New(open(t, url, nil), eventstore.Config{})
	run(t, here)
	run(t, there)
	hint, stop := here.Wake(source)
	defer stop()
	for range 3 {
		drain(hint)
		appendUntil(t, there, hint)
		exec(t, pool, `
			SELECT pg_terminate_backend(pid)
			  FROM pg_stat_activity
			 WHERE datname = current_database() AND (query LIKE 'LISTEN%' OR query LIKE '%pg_notify%') AND pid <> pg_backend_pid()`)
	}
}

func drain(hint <-chan struct{}) {
	select {
	case <-hint:
	default:
	}
}

// appendUntil appends until the hint comes: one can be lost.
func appendUntil(t *testing.T, log *eventstore.Log, hint <-chan struct{}) {
	t.Helper()
	eventually(t, "a hint from the other process", func() bool {
		mustAppend(t, log, own(body("1", "A")))
		select {
		case <-hint:
			return true
		case <-time.After(100 * time.Millisecond):
			return false
		}
	})
}

func statsOf(t *testing.T, log *eventstore.Log, source string) eventstore.Stats {
	t.Helper()
	all, err := log.Stats(t.Context(), []string{source})
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

func TestStats(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	stop := run(t, log)
	mustAppend(t, log, body("1", "A"), body("1", "A"), at(body("1", "B"), time.Minute), at(unreadable(body("2", "C")), 2*time.Minute))
	mustAppend(t, log, at(own(body("1", "expired")), time.Hour), at(repeat(body("2", "C"), 3), time.Hour))
	log.Count(source, eventstore.CounterRejected, "signature")
	log.Count(source, eventstore.CounterRejected, "signature")
	log.Count(source, eventstore.CounterRejected, "size")
	stop()
	all, err := log.Stats(t.Context(), []string{"silent", source})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "stats", all, []eventstore.Stats{
		{Source: "silent", Rejected: map[string]int64{}, VerifiedBy: map[string]int64{}},
		{
			Source: source, Tail: 5, LastReceivedAt: noon.Add(2 * time.Minute), Quarantined: 1, Duplicates: 1,
			Rejected: map[string]int64{"signature": 2, "size": 1}, VerifiedBy: map[string]int64{"literal-1": 4},
		},
	})
}

// Counters of two processes add up, and a flush that fails keeps its sums.
func TestCountersSurviveAFailedFlush(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	pool := open(t, url, nil)
	exec(t, pool, `ALTER TABLE counter RENAME TO away`)
	one, two := eventstore.New(pool, eventstore.Config{}), eventstore.New(open(t, url, nil), eventstore.Config{})
	stopOne, stopTwo := run(t, one), run(t, two)
	one.Count(source, eventstore.CounterDuplicate, "")
	two.Count(source, eventstore.CounterDuplicate, "")
	stopOne() // flushes, and fails
	stopTwo()
	exec(t, pool, `ALTER TABLE away RENAME TO counter`)
	run(t, one)
	run(t, two)
	eventually(t, "the counts arrive", func() bool { return statsOf(t, one, source).Duplicates == 2 })
}
