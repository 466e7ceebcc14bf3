package board_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
	"queuetrack/projection/board"
)

// crowded is a board of 200 queues with 10,000 open tickets, and 200,000 that have ended.
func crowded(b *testing.B) *pgxpool.Pool {
	b.Helper()
	pool := dbtest.New(b)
	for _, sql := range []string{
		`INSERT INTO board_ticket_0 (source, ticket, status, queue, created_at, entered_at, priority, order_at, order_position, state)
		SELECT 's' || i % 200 % 3, 't' || i, CASE WHEN i % 21 > 0 THEN 'served' WHEN i % 3 = 0 THEN 'called' ELSE 'waiting' END,
			'q' || i % 200, at, at, 0, at, i, convert_to(repeat(md5(i::text), 10), 'UTF8')
		FROM generate_series(1, 210000) AS i, LATERAL (SELECT now() - make_interval(secs => i)) AS t (at)`,
		`INSERT INTO board_spell_0 (source, ticket, n, status, queue, from_at, to_at, entered_at)
		SELECT source, ticket, 1, 'waiting', queue, entered_at, CASE WHEN status = 'served' THEN entered_at + interval '5 min' END, entered_at
		FROM board_ticket_0`,
		`INSERT INTO board_queue_0
		SELECT source, queue, now(), 1, count(*) FILTER (WHERE status = 'waiting'), count(*) FILTER (WHERE status = 'called'), 0, 0, 0
		FROM board_ticket_0
		GROUP BY source, queue`,
		`VACUUM ANALYZE board_ticket_0, board_spell_0, board_queue_0`,
		// What is folded meanwhile makes pages that an index can't answer for.
		`UPDATE board_ticket_0 SET state = state WHERE order_position % 50 = 0`,
	} {
		if _, err := pool.Exec(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
	return pool
}

func BenchmarkQueues(b *testing.B) {
	pool := crowded(b)
	reader := projection.NewReader(pool)
	b.Run("now", func(b *testing.B) {
		for b.Loop() {
			err := reader.View(b.Context(), func(v *projection.View) error {
				_, err := board.Queues(b.Context(), v, board.Filter{})
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("an hour ago", func(b *testing.B) {
		for b.Loop() {
			err := reader.View(b.Context(), func(v *projection.View) error {
				_, err := board.QueuesAt(b.Context(), v, board.Filter{}, v.Now.Add(-3600e9))
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
