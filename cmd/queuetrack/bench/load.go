package bench

import (
	"context"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// sender does one thing after the other on a connection of its own: each call sends the next delivery and returns
// when it is answered, or inserts the next row and returns after the commit.
type sender func(context.Context) error

// Load is what senders came to together.
type Load struct {
	Connections int
	Done        int64         // finished within the time
	Took        time.Duration // the time
	Latencies   Latencies
}

// PerSecond is the throughput.
func (l Load) PerSecond() float64 { return float64(l.Done) / l.Took.Seconds() }

// Latencies are percentiles of all that was done, each at most a hundredth off.
type Latencies struct{ P50, P99, P999, Max time.Duration }

// What a histogram holds, in microseconds.
const (
	longest = int64(2 * time.Minute / time.Microsecond)
	digits  = 2
)

// schedule says when a sender's nth delivery is due; nil: when the one before it is answered.
type schedule func(sender, n int) time.Duration

// paced spreads a rate over the senders: each takes its turn.
func paced(senders int, perSecond float64) schedule {
	return func(sender, n int) time.Duration {
		return time.Duration(float64(n*senders+sender) / perSecond * float64(time.Second))
	}
}

// warmUp is what is sent before anything counts: connections are made, statements prepared.
const warmUp = 500 * time.Millisecond

// run lets the senders go for the warm-up and then for the length, and says what was done within the length. The first
// failure ends it.
func run(ctx context.Context, senders []sender, due schedule, length time.Duration) (Load, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	began := time.Now()
	watches := make([]*watch, len(senders))
	var group sync.WaitGroup
	for i, send := range senders {
		watches[i] = &watch{from: began.Add(warmUp), to: began.Add(warmUp + length), seen: hdrhistogram.New(1, longest, digits)}
		group.Go(func() {
			if err := watches[i].drive(ctx, send, began, due, i); err != nil {
				cancel(err)
			}
		})
	}
	group.Wait()
	if err := context.Cause(ctx); err != nil {
		return Load{}, err
	}
	all := hdrhistogram.New(1, longest, digits)
	for _, w := range watches {
		all.Merge(w.seen)
	}
	return Load{Connections: len(senders), Done: all.TotalCount(), Took: length, Latencies: latencies(all)}, nil
}

// watch is one sender's stop watch.
type watch struct {
	from, to time.Time // what counts: what was finished in between
	seen     *hdrhistogram.Histogram
}

// drive sends until the time is over.
func (w *watch) drive(ctx context.Context, send sender, began time.Time, due schedule, nth int) error {
	for n := 0; ; n++ {
		started := time.Now()
		if due != nil {
			started = began.Add(due(nth, n))
			if !sleepUntil(ctx, started) {
				return nil
			}
		}
		if !started.Before(w.to) || ctx.Err() != nil {
			return nil
		}
		if err := send(ctx); err != nil {
			return err
		}
		if err := w.note(started, time.Now()); err != nil {
			return err
		}
	}
}

// note counts what was finished in time.
func (w *watch) note(started, done time.Time) error {
	if !done.After(w.from) || done.After(w.to) {
		return nil
	}
	return w.seen.RecordValue(max(1, done.Sub(started).Microseconds()))
}

// sleepUntil waits, unless the moment has passed; false: ctx ended first.
func sleepUntil(ctx context.Context, moment time.Time) bool {
	left := time.Until(moment)
	if left <= 0 {
		return true
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func latencies(h *hdrhistogram.Histogram) Latencies {
	at := func(percent float64) time.Duration {
		return time.Duration(h.ValueAtPercentile(percent)) * time.Microsecond
	}
	return Latencies{P50: at(50), P99: at(99), P999: at(99.9), Max: time.Duration(h.Max()) * time.Microsecond}
}
