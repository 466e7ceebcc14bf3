package wait

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// ServedSince counts, by queue, the segments served since an instant a source (its local midnight), until another one,
// itself inside, as known today; a zero until is no bound.
func ServedSince(ctx context.Context, v *projection.View, since map[string]time.Time, until time.Time) (map[QueueID]int64, error) {
	var sources []string
	var instants []time.Time
	for source, t := range since {
		sources, instants = append(sources, source), append(instants, t)
	}
	rows, err := v.Tx.Query(ctx, v.Set.SQL(`
		SELECT s.source, s.queue, count(*)
		FROM unnest($1::text[], $2::timestamptz[]) AS d (source, since)
		JOIN wait_segment_{set} s ON s.source = d.source AND s.left_at >= d.since
		WHERE s.outcome = 'served'
			AND s.left_at <= coalesce($3::timestamptz, 'infinity')
		GROUP BY s.source, s.queue`), sources, instants, projection.NullTime(until))
	if err != nil {
		return nil, fmt.Errorf("count segments served: %w", err)
	}
	counts := map[QueueID]int64{}
	var queue QueueID
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&queue.Source, &queue.Queue, &n}, func() error {
		counts[queue] = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count segments served: %w", err)
	}
	return counts, nil
}
