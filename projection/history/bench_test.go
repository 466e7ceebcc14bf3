package history_test

import (
	"fmt"
	"testing"

	"queuetrack/eventstore/ticket"
	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
	"queuetrack/projection/history"
)

// BenchmarkOpenAt is for a history of a million rows: tickets of three events each, 10,000 of them open at any position,
// most for a short time and each thirtieth for very long.
func BenchmarkOpenAt(b *testing.B) {
	pool := dbtest.New(b)
	after, _ := ticket.Apply(ticket.Ticket{}, ticket.Observation{
		Says: ticket.TransitionCreated, Status: ticket.StatusWaiting, At: noon, CreatedAt: noon, Queue: "1", Label: "A1", Position: 1, ReceivedAt: noon,
	})
	state, err := projection.EncodeState(after.State)
	if err != nil {
		b.Fatal(err)
	}
	for _, sql := range []string{
		`INSERT INTO history_0 (source, ticket, position, next_position, type, transitions, received_at, detail, open, state)
		SELECT 'city', 't' || i, p.position, p.next, 'x', '{}', now(), '{}', n < 3, $1
		FROM generate_series(1, 333333) AS i,
			LATERAL (SELECT CASE WHEN i % 30 = 0 THEN 200000 ELSE 12000 END AS apart) AS a,
			LATERAL (VALUES (1, 3 * i, 3 * i + 1 + apart / 3 * 3), (2, 3 * i + 1 + apart / 3 * 3, 3 * i + 2 + apart * 3 / 2 / 3 * 3),
				(3, 3 * i + 2 + apart * 3 / 2 / 3 * 3, NULL)) AS p (n, position, next)`,
	} {
		if _, err := pool.Exec(b.Context(), sql, state); err != nil {
			b.Fatal(err)
		}
	}
	for _, sql := range []string{logged + ` ON CONFLICT DO NOTHING`, standing, `VACUUM ANALYZE history_0`, `VACUUM ANALYZE event`, `VACUUM ANALYZE folded_0`} {
		if _, err := pool.Exec(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
	reader := projection.NewReader(pool)
	for _, position := range []int64{20_000, 500_000, 999_000} {
		b.Run(fmt.Sprint(position), func(b *testing.B) {
			for b.Loop() {
				err := reader.View(b.Context(), func(v *projection.View) error {
					open, err := history.OpenAt(b.Context(), v, "city", position)
					b.ReportMetric(float64(len(open)), "open")
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
