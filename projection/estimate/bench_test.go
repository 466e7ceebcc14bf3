package estimate

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"queuetrack/migrations/dbtest"
)

// BenchmarkSettle folds the moves of a source anew: what a rebuild does after its filling.
func BenchmarkSettle(b *testing.B) {
	pool := dbtest.New(b)
	moves := crowd(1, 100_000)
	tx, err := pool.Begin(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer tx.Rollback(b.Context()) //nolint:errcheck // nothing of it is kept
	for i := 0; i < len(moves); i += 1000 {
		var batch pgx.Batch
		queueMoves(&batch, 0, "city", moves[i:min(i+1000, len(moves))])
		if err := tx.SendBatch(b.Context(), &batch).Close(); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if err := (Model{}).Settle(b.Context(), tx, 0, "city"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(moves)), "µs/move")
}

// BenchmarkApply folds moves in memory.
func BenchmarkApply(b *testing.B) {
	moves := crowd(1, 100_000)
	for b.Loop() {
		f := newFolding()
		for _, m := range moves {
			f.apply(m)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(moves)), "ns/move")
}
