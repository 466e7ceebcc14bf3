package projection_test

import (
	"testing"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
	"queuetrack/projection/board"
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
		[]projection.ReadModel{board.Model{}, history.Model{}, wait.Model{}}, projection.Config{})
	events := 0
	for b.Loop() {
		b.StopTimer()
		if _, err := pool.Exec(b.Context(), `TRUNCATE shard, dead_letter, folded_0, board_ticket_0, board_spell_0, board_queue_0,
			board_name_0, history_0, wait_segment_0`); err != nil {
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
