package board

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// openStatuses are the statuses of a ticket that stands in a queue, as the partial index has them.
const openStatuses = `'booked', 'waiting', 'called', 'serving', 'on_hold'`

// Queue is what stands in one queue.
type Queue struct {
	Source      string
	Queue       string // empty: of the tickets whose queue no event told
	Waiting     int64
	Called      int64
	Serving     int64
	OnHold      int64
	Booked      int64
	OldestEntry time.Time // earliest entry among those waiting; zero: nobody waits
	HeadEntry   time.Time // entry of the first one waiting, in queue order; zero: nobody waits
	Ahead       int64     // how many of those waiting would be called before somebody who comes now, of priority 0
	LastEventAt time.Time
}

// Filter chooses queues; empty fields choose all.
type Filter struct {
	Source string
	Queue  string
}

// Queues returns every known queue of the filter with what stands in it now, ordered by source and queue.
func Queues(ctx context.Context, v *projection.View, f Filter) ([]Queue, error) {
	rows, err := v.Tx.Query(ctx, v.Set.SQL(`
		SELECT q.source, q.queue, q.waiting, q.called, q.serving, q.on_hold, q.booked,
			(SELECT t.entered_at
			FROM board_ticket_{set} t
			WHERE q.waiting > 0 AND t.source = q.source AND t.queue = q.queue AND t.status = 'waiting'
			ORDER BY t.entered_at
			LIMIT 1),
			(SELECT t.entered_at
			FROM board_ticket_{set} t
			WHERE q.waiting > 0 AND t.source = q.source AND t.queue = q.queue AND t.status = 'waiting'
			ORDER BY t.priority DESC, t.order_at, t.order_position
			LIMIT 1),
			-- Few have a priority below a newcomer's, or a place that begins later than now: they are counted, and taken off.
			q.waiting - (
				SELECT count(*)
				FROM board_ticket_{set} t
				WHERE q.waiting > 0 AND t.source = q.source AND t.queue = q.queue AND t.status = 'waiting' AND t.priority < 0
			) - (
				SELECT count(*)
				FROM board_ticket_{set} t
				WHERE q.waiting > 0 AND t.source = q.source AND t.queue = q.queue AND t.status = 'waiting' AND t.priority = 0
					AND t.order_at > $3),
			q.last_event_at
		FROM board_queue_{set} q
		WHERE ($1 = '' OR q.source = $1)
			AND ($2 = '' OR q.queue = $2)
		ORDER BY q.source, q.queue`), f.Source, f.Queue, v.Now)
	return collectQueues(rows, err)
}

// QueuesAt is Queues at an instant, from the spells: what was true then, as known today. LastEventAt is the present one;
// of the queue's order, HeadEntry and Ahead, the spells tell nothing.
func QueuesAt(ctx context.Context, v *projection.View, f Filter, at time.Time) ([]Queue, error) {
	rows, err := v.Tx.Query(ctx, v.Set.SQL(`
		WITH standing AS (
			-- By source and in two halves, each of which is one stretch of the index.
			SELECT p.source, s.queue, s.status, s.entered_at
			FROM (SELECT DISTINCT source FROM board_queue_{set} WHERE ($1 = '' OR source = $1)) AS p,
				LATERAL (
					SELECT queue, status, entered_at
					FROM board_spell_{set}
					WHERE source = p.source AND from_at <= $3 AND to_at > $3
					UNION ALL
					SELECT queue, status, entered_at
					FROM board_spell_{set}
					WHERE source = p.source AND from_at <= $3 AND to_at IS NULL) AS s
			WHERE ($2 = '' OR s.queue = $2)
		),
		counted AS (
			SELECT source, queue,
				count(*) FILTER (WHERE status = 'waiting') AS waiting,
				count(*) FILTER (WHERE status = 'called') AS called,
				count(*) FILTER (WHERE status = 'serving') AS serving,
				count(*) FILTER (WHERE status = 'on_hold') AS on_hold,
				count(*) FILTER (WHERE status = 'booked') AS booked,
				min(entered_at) FILTER (WHERE status = 'waiting') AS oldest_entry
			FROM standing
			GROUP BY source, queue
		)
		SELECT q.source, q.queue,
			coalesce(c.waiting, 0), coalesce(c.called, 0), coalesce(c.serving, 0), coalesce(c.on_hold, 0), coalesce(c.booked, 0),
			c.oldest_entry, NULL::timestamptz, 0::bigint, q.last_event_at
		FROM board_queue_{set} q
		LEFT JOIN counted c ON c.source = q.source AND c.queue = q.queue
		WHERE ($1 = '' OR q.source = $1)
			AND ($2 = '' OR q.queue = $2)
		ORDER BY q.source, q.queue`), f.Source, f.Queue, at)
	return collectQueues(rows, err)
}

func collectQueues(rows pgx.Rows, err error) ([]Queue, error) {
	if err != nil {
		return nil, fmt.Errorf("read queues: %w", err)
	}
	queues, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Queue, error) {
		var q Queue
		var oldest, head *time.Time
		err := row.Scan(&q.Source, &q.Queue, &q.Waiting, &q.Called, &q.Serving, &q.OnHold, &q.Booked, &oldest, &head, &q.Ahead, &q.LastEventAt)
		q.OldestEntry, q.HeadEntry, q.LastEventAt = projection.TimeOf(oldest), projection.TimeOf(head), q.LastEventAt.UTC()
		return q, err
	})
	if err != nil {
		return nil, fmt.Errorf("read queues: %w", err)
	}
	return queues, nil
}
