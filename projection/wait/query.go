package wait

import (
	"context"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// Which segments count for what (metrics.md, "excluded"): a negative wait and a self-registered ticket leave the
// statistics, and none of the counts. A NULL counts for nothing.
const counted = `
				CASE WHEN called_at IS NOT NULL AND wait_seconds >= 0 AND NOT self_registered THEN wait_seconds END AS wait,
				CASE WHEN outcome = 'abandoned' AND wait_seconds >= 0 AND NOT self_registered THEN wait_seconds END AS abandoned,
				CASE WHEN outcome = 'served' AND service_seconds >= 0 AND NOT self_registered THEN service_seconds END AS service`

// components are what an item is made of, in the order that scanItem reads. $4 are the percentiles, $5 the threshold.
const components = `
			count(*),
			count(*) FILTER (WHERE outcome = 'served'),
			count(*) FILTER (WHERE outcome = 'abandoned'),
			count(*) FILTER (WHERE outcome = 'no_show'),
			count(*) FILTER (WHERE outcome = 'cancelled'),
			count(*) FILTER (WHERE outcome = 'returned'),
			count(*) FILTER (WHERE outcome = 'transferred'),
			count(*) FILTER (WHERE outcome = 'expired'),
			count(*) FILTER (WHERE outcome = 'merged'),
			count(*) FILTER (WHERE outcome = 'open'),

			count(wait), coalesce(sum(wait), 0)::bigint, coalesce(max(wait), 0),
			percentile_disc($4::float8[]) WITHIN GROUP (ORDER BY wait) FILTER (WHERE wait IS NOT NULL),

			count(abandoned), coalesce(sum(abandoned), 0)::bigint, coalesce(max(abandoned), 0),
			percentile_disc($4::float8[]) WITHIN GROUP (ORDER BY abandoned) FILTER (WHERE abandoned IS NOT NULL),

			count(service), coalesce(sum(service), 0)::bigint, coalesce(max(service), 0),
			percentile_disc($4::float8[]) WITHIN GROUP (ORDER BY service) FILTER (WHERE service IS NOT NULL),

			count(*) FILTER (WHERE outcome = 'served' AND wait <= $5),
			count(*) FILTER (WHERE outcome = 'abandoned' AND wait_seconds <= $5),

			count(*) FILTER (WHERE wait_seconds < 0 AND NOT self_registered),
			count(*) FILTER (WHERE service_seconds < 0 AND NOT self_registered),
			count(*) FILTER (WHERE self_registered)`

// statement counts the segments of the window by group. It is put together from these constants only; all that comes
// from the request is an argument. The bucket comes first in the grouping: numbers sort faster than texts.
func statement(r Request, b buckets) string {
	bucket, source, queue := `0`, `''`, `''`
	if b.count() > 0 {
		bucket = `width_bucket(entered_at, $6::timestamptz[])`
	}
	if r.bySource() && len(r.Sources) > 1 { // of one source we know the name
		source = `source`
	}
	if r.by(ByQueue) {
		queue = `queue`
	}
	return `
		WITH known AS (SELECT $6::timestamptz[]) -- an argument must be used, also where nothing is asked of it
		SELECT bucket, source, queue,` + components + `
		FROM (
			SELECT ` + bucket + ` AS bucket, ` + source + ` AS source, ` + queue + ` AS queue,
				outcome, wait_seconds, service_seconds, self_registered,` + counted + `
			FROM wait_segment_{set}
			WHERE source = ANY($1)
				AND entered_at >= $2
				AND entered_at < $3
				AND ($7::text[] IS NULL OR (source, queue) IN (SELECT * FROM unnest($7::text[], $8::text[])))
			OFFSET 0 -- computed once a row, not again in each aggregate
		) AS segment
		GROUP BY bucket, source, queue
		LIMIT $9`
}

// bySource reports whether items tell their source: a queue's id means nothing without it.
func (r Request) bySource() bool { return r.by(BySource) || r.by(ByQueue) }

// sortMemory is what a report's sorts may take each: two years of a location fit, and need no temporary file.
const sortMemory = `64MB`

// query returns the items that have a segment.
func query(ctx context.Context, v *projection.View, r Request, b buckets) ([]Item, error) {
	var sources, queues []string // nil, which is NULL: all
	if r.Queues != nil {
		sources, queues = []string{}, []string{}
	}
	for _, q := range r.Queues {
		sources, queues = append(sources, q.Source), append(queues, q.Queue)
	}
	if _, err := v.Tx.Exec(ctx, `SET LOCAL work_mem = '`+sortMemory+`'`); err != nil {
		return nil, err
	}
	rows, err := v.Tx.Query(ctx, v.Set.SQL(statement(r, b)),
		r.Sources, r.From, r.To, fractions(r.Percentiles), r.ServiceLevel, b.bounds, sources, queues, MaxItems+1)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Item, error) { return scanItem(row, r, b) })
}

// fractions are the percentiles as percentile_disc takes them. It answers with the value of rank ceil(fraction × n), and
// 0.55 × 100 is a little more than 55 in binary: so each is a little less than it says, which moves no rank below
// ten thousand million values.
func fractions(percentiles []int) []float64 {
	fs := make([]float64, len(percentiles))
	for i, p := range percentiles {
		fs[i] = float64(p)/100 - 1e-12
	}
	return fs
}

// scanStats receives one kind of seconds.
type scanStats struct {
	n, sum, max int64
	percentiles []int64
}

func (s scanStats) stats(percentiles []int) Stats {
	if s.n == 0 {
		return Stats{}
	}
	stats := Stats{N: s.n, Mean: float64(s.sum) / float64(s.n), Max: s.max, Percentiles: make(map[int]int64, len(percentiles))}
	for i, p := range percentiles {
		stats.Percentiles[p] = s.percentiles[i]
	}
	return stats
}

func scanItem(row pgx.CollectableRow, r Request, b buckets) (Item, error) {
	var item Item
	var bucket int
	var wait, abandoned, service scanStats
	var negativeWait, negativeService, selfRegistered int64
	err := row.Scan(&bucket, &item.Source, &item.Queue,
		&item.Offered, &item.Served, &item.Abandoned, &item.NoShow, &item.Cancelled, &item.Returned, &item.Transferred,
		&item.Expired, &item.Merged, &item.Open,
		&wait.n, &wait.sum, &wait.max, &wait.percentiles,
		&abandoned.n, &abandoned.sum, &abandoned.max, &abandoned.percentiles,
		&service.n, &service.sum, &service.max, &service.percentiles,
		&item.ServedWithin, &item.AbandonedWithin, &negativeWait, &negativeService, &selfRegistered)
	if err != nil {
		return Item{}, err
	}
	if r.bySource() && len(r.Sources) == 1 {
		item.Source = r.Sources[0]
	}
	if bucket > 0 {
		item.Start, item.End = b.bounds[bucket-1], b.bounds[bucket]
	}
	item.Wait, item.AbandonedWait, item.Service = wait.stats(r.Percentiles), abandoned.stats(r.Percentiles), service.stats(r.Percentiles)
	item.exclude("negative_wait", negativeWait)
	item.exclude("negative_service", negativeService)
	item.exclude("self_registered", selfRegistered)
	item.ServiceLevel = item.serviceLevel(r.Formula)
	return item, nil
}

func (item *Item) exclude(cause string, n int64) {
	if n == 0 {
		return
	}
	if item.Excluded == nil {
		item.Excluded = map[string]int64{}
	}
	item.Excluded[cause] = n
}

// serviceLevel computes the formula from the item's components; nil when it would divide by nothing.
func (item *Item) serviceLevel(f Formula) *float64 {
	var within, of int64
	switch f {
	case F1:
		within, of = item.ServedWithin+item.AbandonedWithin, item.Served+item.Abandoned
	case F2:
		within, of = item.ServedWithin, item.Served
	case F3:
		within, of = item.ServedWithin, item.Served+item.Abandoned
	case F4:
		within, of = item.ServedWithin, item.Served+item.Abandoned-item.AbandonedWithin
	}
	if of == 0 {
		return nil
	}
	level := float64(within) / float64(of)
	return &level
}
