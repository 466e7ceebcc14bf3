package wait_test

import (
	"testing"
	"time"

	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
	"queuetrack/projection/wait"
)

// Two years of a location, 100,000 tickets, by day and queue: under 150 ms.
func BenchmarkReport(b *testing.B) {
	pool := dbtest.New(b)
	for _, sql := range []string{
		`INSERT INTO wait_segment_0 (source, ticket, n, queue, desk, agent, entered_at, called_at, left_at, outcome, wait_seconds, service_seconds, self_registered, recalls)
		SELECT 'city', 't' || i, 1, (37330 + i % 10)::text, '3', 'A', at, at + interval '9 min', at + interval '20 min',
			CASE WHEN i % 9 = 0 THEN 'no_show' ELSE 'served' END, i % 997 * 7919 % 1800, CASE WHEN i % 9 > 0 THEN i % 997 * 104729 % 900 END, false, 0
		FROM generate_series(1, 100000) AS i, LATERAL (SELECT timestamptz '2024-11-20T00:00:00Z' + make_interval(secs => i * 630)) AS t (at)`,
		`VACUUM ANALYZE wait_segment_0`,
	} {
		if _, err := pool.Exec(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
	reader := projection.NewReader(pool)
	from := time.Date(2024, 11, 20, 0, 0, 0, 0, time.UTC)
	for name, groupBy := range map[string][]wait.GroupKey{"all": nil, "queue and day": {wait.ByQueue, wait.ByDay}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				err := reader.View(b.Context(), func(v *projection.View) error {
					_, err := wait.Run(b.Context(), v, wait.Request{
						Sources: []string{"city"}, From: from, To: from.AddDate(2, 0, 0), Zone: time.UTC, GroupBy: groupBy,
						Percentiles: []int{50, 90, 95}, ServiceLevel: 300, Formula: wait.F4,
					})
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
