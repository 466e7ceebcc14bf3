package wait_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
	"queuetrack/projection/wait"
)

// Two years of a location: 100,000 tickets in 5 queues, in ten hours of each day.
func twoYears(b *testing.B) *pgxpool.Pool {
	b.Helper()
	pool := dbtest.New(b)
	for _, sql := range []string{
		`INSERT INTO wait_segment_0 (source, ticket, n, queue, desk, agent, entered_at, called_at, left_at, outcome, wait_seconds, service_seconds, self_registered, recalls)
		SELECT 'city', 't' || i, 1, (37330 + i % 5)::text, (i % 7)::text, 'A' || i % 11, at,
			CASE WHEN i % 9 > 0 THEN at + make_interval(secs => wait) END, at + make_interval(secs => wait + service),
			CASE WHEN i % 9 = 0 THEN 'abandoned' WHEN i % 11 = 0 THEN 'no_show' ELSE 'served' END, wait + CASE WHEN i % 9 = 0 THEN service ELSE 0 END,
			CASE WHEN i % 9 > 0 AND i % 11 > 0 THEN service END, false, i % 13 / 12
		FROM generate_series(0, 99999) AS i,
			LATERAL (SELECT timestamptz '2024-11-20T08:00:00Z' + make_interval(days => i / 137, secs => i % 137 * 262 + i % 17), i % 997 * 7919 % 1800, i % 997 * 104729 % 900) AS t (at, wait, service)`,
		`VACUUM ANALYZE wait_segment_0`,
	} {
		if _, err := pool.Exec(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
	return pool
}

// By day and queue: under 150 ms; with what else there is: well under a second.
func BenchmarkReport(b *testing.B) {
	pool := twoYears(b)
	reader := projection.NewReader(pool)
	from := time.Date(2024, 11, 20, 0, 0, 0, 0, time.UTC)
	base := wait.Request{
		Sources: []string{"city"}, From: from, To: from.AddDate(2, 0, 0), Zone: time.UTC, Percentiles: []int{50, 90, 95}, ServiceLevel: 300, Formula: wait.F4,
		GroupBy: []wait.GroupKey{wait.ByQueue, wait.ByDay},
	}
	for _, c := range []struct {
		name string
		with func(*wait.Request)
	}{
		{"all", func(r *wait.Request) { r.GroupBy = nil }},
		{"queue and day", func(*wait.Request) {}},
		{"desk and week by call", func(r *wait.Request) {
			r.GroupBy, r.AttributedBy = []wait.GroupKey{wait.ByDesk, wait.ByWeek}, wait.AtCall
		}},
		{"weekday and hour", func(r *wait.Request) { r.GroupBy = []wait.GroupKey{wait.ByWeekday, wait.ByHourOfDay} }},
		{"queue length", func(r *wait.Request) { r.QueueLength = true }},
		{"queue length of weekday and hour", func(r *wait.Request) {
			r.QueueLength, r.GroupBy = true, []wait.GroupKey{wait.ByWeekday, wait.ByHourOfDay}
		}},
		{"drop-off", func(r *wait.Request) { r.DropOff = true }},
		{"everything, compared", func(r *wait.Request) { r.QueueLength, r.DropOff, r.Compare = true, true, true }},
	} {
		r := base
		c.with(&r)
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				err := reader.View(b.Context(), func(v *projection.View) error {
					_, err := wait.Run(b.Context(), v, r)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
