package projection_test

import (
	"strings"
	"testing"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
	"queuetrack/projection/board"
	"queuetrack/projection/estimate"
	"queuetrack/projection/history"
	"queuetrack/projection/wait"
)

// How many events a second one source's log is followed at.
func BenchmarkCatchUp(b *testing.B) {
	pool := dbtest.New(b)
	log := eventstore.New(pool, eventstore.Config{})
	if _, err := log.AppendBatch(b.Context(), "city", bustle(1, 20_000)); err != nil {
		b.Fatal(err)
	}
	runner := projection.NewRunner(pool, log, map[string]source.Source{"city": fake{}},
		[]projection.ReadModel{board.Model{}, history.Model{}, wait.Model{}, estimate.Model{}}, projection.Config{})
	events := 0
	for b.Loop() {
		b.StopTimer()
		if _, err := pool.Exec(b.Context(), `TRUNCATE shard, `+strings.Join(tables, ", ")); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := runner.CatchUp(b.Context()); err != nil {
			b.Fatal(err)
		}
		events += 20_000
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}
