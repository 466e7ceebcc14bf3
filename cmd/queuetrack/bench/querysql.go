package bench

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
	"queuetrack/projection/wait"
)

// The yardstick of a report: what someone who knows SQL well, these tables, and these questions would write for the same
// numbers, with an index that is made for it. What was tried and took longer, or as long: counting by value instead of sorting
// (GROUP BY seconds, then running sums), window functions, and one SELECT for all sources, in which no percentile is computed
// in parallel. A fence is OFFSET '0': with OFFSET 0, Postgres doesn't see in time that it is none, and gives parallel plans up.

// handIndex has all that the statement reads.
const handIndex = `
CREATE INDEX wait_segment_by_hand ON wait_segment_{set} (source, entered_at)
	INCLUDE (queue, outcome, called_at, wait_seconds, service_seconds, self_registered, recalls)`

// handMeasures is the answer's part that is the same for all questions.
const handMeasures = `
	count(*),
	count(*) FILTER (WHERE outcome = 1),
	count(*) FILTER (WHERE outcome = 3),
	count(*) FILTER (WHERE outcome = 2),
	count(*) FILTER (WHERE outcome = 4),
	count(*) FILTER (WHERE outcome = 5),
	count(*) FILTER (WHERE outcome = 6),
	count(*) FILTER (WHERE outcome = 7),
	count(*) FILTER (WHERE outcome = 8),
	count(*) FILTER (WHERE outcome = 0),
	count(wait), coalesce(sum(wait), 0)::bigint, coalesce(max(wait), 0),
	percentile_disc('{0.5,0.9,0.95}'::float8[]) WITHIN GROUP (ORDER BY wait) FILTER (WHERE wait IS NOT NULL),
	count(given_up), coalesce(sum(given_up), 0)::bigint, coalesce(max(given_up), 0),
	percentile_disc('{0.5,0.9,0.95}'::float8[]) WITHIN GROUP (ORDER BY given_up) FILTER (WHERE given_up IS NOT NULL),
	count(service), coalesce(sum(service), 0)::bigint, coalesce(max(service), 0),
	percentile_disc('{0.5,0.9,0.95}'::float8[]) WITHIN GROUP (ORDER BY service) FILTER (WHERE service IS NOT NULL),
	count(*) FILTER (WHERE outcome = 1 AND wait <= 300),
	count(*) FILTER (WHERE outcome = 3 AND wait_seconds <= 300),
	count(called_at),
	count(*) FILTER (WHERE recalls > 0),
	coalesce(sum(recalls), 0),
	count(*) FILTER (WHERE wait_seconds < 0 AND NOT self_registered),
	count(*) FILTER (WHERE service_seconds < 0 AND NOT self_registered),
	count(*) FILTER (WHERE self_registered)`

// handSelect is the answer of one source. The fence computes what is used more than once; numbers are compared faster than
// texts.
func handSelect(keys, groupBy string, source int) string {
	return fmt.Sprintf(`
	SELECT $%d::text%s,`, source, keys) + handMeasures + fmt.Sprintf(`
	FROM (
		SELECT queue, entered_at, called_at, self_registered, recalls, wait_seconds, service_seconds,
			CASE outcome WHEN 'served' THEN 1 WHEN 'no_show' THEN 2 WHEN 'abandoned' THEN 3 WHEN 'cancelled' THEN 4 WHEN 'returned' THEN 5
				WHEN 'transferred' THEN 6 WHEN 'expired' THEN 7 WHEN 'merged' THEN 8 ELSE 0 END AS outcome,
			CASE WHEN called_at IS NOT NULL AND wait_seconds >= 0 AND NOT self_registered THEN wait_seconds END AS wait,
			CASE WHEN outcome = 'abandoned' AND wait_seconds >= 0 AND NOT self_registered THEN wait_seconds END AS given_up,
			CASE WHEN outcome = 'served' AND service_seconds >= 0 AND NOT self_registered THEN service_seconds END AS service
		FROM wait_segment_{set}
		WHERE source = $%d AND entered_at >= $1 AND entered_at < $2
		OFFSET '0'
	) AS segment`, source) + groupBy
}

// handStatement is the statement for a inquiry: by queue and bucket, of one source, or by source. $1 and $2 are the window.
func handStatement(q inquiry) string {
	if len(q.bounds) > 0 {
		return handSelect(`, queue, width_bucket(entered_at, $4::timestamptz[])::bigint`, `
	GROUP BY 3, 2`, 3)
	}
	selects := make([]string, len(q.request.Sources))
	for i := range q.request.Sources {
		selects[i] = handSelect(`, '', 0::bigint`, ``, i+3)
	}
	return strings.Join(selects, `
	UNION ALL`)
}

// byHand asks the inquiry in SQL.
func byHand(ctx context.Context, v *projection.View, q inquiry) (pgx.Rows, error) {
	if _, err := v.Tx.Exec(ctx, `SET LOCAL work_mem = '64MB'; SET LOCAL jit = off; SET LOCAL plan_cache_mode = force_custom_plan`); err != nil {
		return nil, err
	}
	args := []any{q.request.From, q.request.To}
	for _, source := range q.request.Sources {
		args = append(args, source)
	}
	if len(q.bounds) > 0 {
		args = append(args, q.bounds)
	}
	return v.Tx.Query(ctx, v.Set.SQL(handStatement(q)), args...)
}

// handSpread is a set of seconds in the answer.
type handSpread struct {
	n, sum, max int64
	percentiles []int64
}

func (s handSpread) stats(percentiles []int) wait.Stats {
	if s.n == 0 {
		return wait.Stats{}
	}
	stats := wait.Stats{N: s.n, Mean: float64(s.sum) / float64(s.n), Max: s.max, Percentiles: map[int]int64{}}
	for i, p := range percentiles {
		stats.Percentiles[p] = s.percentiles[i]
	}
	return stats
}

// handItem reads a row of the answer.
func handItem(row pgx.CollectableRow, q inquiry) (wait.Item, error) {
	var item wait.Item
	var bucket, negativeWait, negativeService, selfRegistered int64
	var spreads [3]handSpread
	scans := []any{
		&item.Source, &item.Queue, &bucket, &item.Offered, &item.Served, &item.Abandoned, &item.NoShow, &item.Cancelled, &item.Returned,
		&item.Transferred, &item.Expired, &item.Merged, &item.Open,
	}
	for i := range spreads {
		s := &spreads[i]
		scans = append(scans, &s.n, &s.sum, &s.max, &s.percentiles)
	}
	scans = append(scans, &item.ServedWithin, &item.AbandonedWithin, &item.Calls.Called, &item.Calls.Recalled, &item.Calls.Recalls,
		&negativeWait, &negativeService, &selfRegistered)
	if err := row.Scan(scans...); err != nil {
		return item, err
	}
	if bucket > 0 {
		item.Start = q.bounds[bucket-1]
	}
	for i, to := range []*wait.Stats{&item.Wait, &item.AbandonedWait, &item.Service} {
		*to = spreads[i].stats(q.request.Percentiles)
	}
	for cause, n := range map[string]int64{"negative_wait": negativeWait, "negative_service": negativeService, "self_registered": selfRegistered} {
		if n > 0 {
			if item.Excluded == nil {
				item.Excluded = map[string]int64{}
			}
			item.Excluded[cause] = n
		}
	}
	return item, nil
}
