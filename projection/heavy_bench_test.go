package projection_test

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
	"queuetrack/projection/board"
	"queuetrack/projection/estimate"
	"queuetrack/projection/history"
	"queuetrack/projection/wait"
)

// How long a few tickets with thousands of events take to be followed and verified, and the most memory that the process
// has taken so far.
func BenchmarkHeavyTickets(b *testing.B) {
	for _, bench := range []struct {
		name string
		ds   []eventstore.Delivery
	}{
		{"3000 of one", wandering("a", 3000)},
		{"6000 of three", toAndFro(6000)},
		{"18000 of three", slices.Concat(wandering("a", 6000), wandering("b", 6000), wandering("c", 6000))},
	} {
		b.Run(bench.name, func(b *testing.B) {
			pool := dbtest.New(b)
			log := eventstore.New(pool, eventstore.Config{})
			if _, err := log.AppendBatch(b.Context(), "city", bench.ds); err != nil {
				b.Fatal(err)
			}
			sources := map[string]source.Source{"city": fake{}}
			models := []projection.ReadModel{board.Model{}, history.Model{}, wait.Model{}, estimate.Model{}}
			for b.Loop() { // from the second on there is nothing to follow: -benchtime 1x
				start := time.Now()
				if err := projection.NewRunner(pool, log, sources, models, projection.Config{}).CatchUp(b.Context()); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(time.Since(start).Seconds(), "s/catch-up")
				start = time.Now()
				if _, err := projection.Verify(b.Context(), pool, sources, models, func(v eventstore.Violation) { b.Error(v) }, projection.VerifyConfig{}); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(time.Since(start).Seconds(), "s/verify")
				b.ReportMetric(peak(b), "MiB")
			}
		})
	}
}

// peak is the process's largest resident set so far.
func peak(b *testing.B) float64 {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return float64(usage.Maxrss) / 1024
}
