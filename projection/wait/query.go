package wait

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// period is what one window of a report is computed from.
type period struct {
	Request // From and To are the period's own
	calendar
	chosen []lane // the report is computed bit by bit: only these; nil: all
}

// place is where in the report a segment is counted.
type place struct {
	lane
	key int32
}

// Which segments count for what (metrics.md, "excluded"): a negative wait and a self-registered ticket leave the
// statistics, and none of the counts. A NULL counts for nothing.
const counted = `
				CASE WHEN s.called_at IS NOT NULL AND s.wait_seconds >= 0 AND NOT s.self_registered THEN s.wait_seconds END AS wait,
				CASE WHEN s.outcome = 'abandoned' AND s.wait_seconds >= 0 AND NOT s.self_registered THEN s.wait_seconds END AS abandoned,
				CASE WHEN s.outcome = 'served' AND s.service_seconds >= 0 AND NOT s.self_registered THEN s.service_seconds END AS service`

// components are what an item is made of, in the order that counts.scan reads.
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
			percentile_disc(@percentiles::float8[]) WITHIN GROUP (ORDER BY wait) FILTER (WHERE wait IS NOT NULL),

			count(abandoned), coalesce(sum(abandoned), 0)::bigint, coalesce(max(abandoned), 0),
			percentile_disc(@percentiles::float8[]) WITHIN GROUP (ORDER BY abandoned) FILTER (WHERE abandoned IS NOT NULL),

			count(service), coalesce(sum(service), 0)::bigint, coalesce(max(service), 0),
			percentile_disc(@percentiles::float8[]) WITHIN GROUP (ORDER BY service) FILTER (WHERE service IS NOT NULL),

			count(*) FILTER (WHERE outcome = 'served' AND wait <= @threshold),
			count(*) FILTER (WHERE outcome = 'abandoned' AND wait_seconds <= @threshold),

			count(called_at), count(called_at) FILTER (WHERE recalls > 0), coalesce(sum(recalls), 0)::bigint,

			count(*) FILTER (WHERE wait_seconds < 0 AND NOT self_registered),
			count(*) FILTER (WHERE service_seconds < 0 AND NOT self_registered),
			count(*) FILTER (WHERE self_registered)`

// statement counts the segments of the window by key and lane. It is put together from these constants only; all that
// comes from the request is an argument. The key comes first in the grouping: numbers sort faster than texts.
func (p period) statement() string {
	columns := p.laneColumns()
	return `
		SELECT ` + list(`key`, columns, laneColumn.named) + `,` + components + `
		FROM (
			SELECT ` + list(p.keyExpr(`s.`+p.instant()), columns, laneColumn.computed) + `,
				s.outcome, s.called_at, s.wait_seconds, s.service_seconds, s.self_registered, s.recalls,` + counted + `
			FROM wait_segment_{set} AS s` + p.join() + `
			WHERE s.` + p.instant() + ` >= @from
				AND s.` + p.instant() + ` < @to
				AND ` + p.filter() + p.laneFilter() + `
			OFFSET 0 -- computed once a row, not again in each aggregate
		) AS segment
		WHERE key <> -1
		GROUP BY ` + list(`key`, columns, laneColumn.named) + `
		LIMIT @limit`
}

// list is a key and the lane's columns, in one form or another.
func list(key string, columns []laneColumn, form func(laneColumn) string) string {
	parts := []string{key}
	for _, c := range columns {
		parts = append(parts, form(c))
	}
	return strings.Join(parts, `, `)
}

func (c laneColumn) named() string    { return c.name }
func (c laneColumn) computed() string { return c.expr + ` AS ` + c.name }

// keyExpr is the key of the bucket that an instant lies in.
func (p period) keyExpr(at string) string {
	switch {
	case !p.timed:
		return `0 AS key`
	case p.plain():
		return `width_bucket(` + at + `, @bounds::timestamptz[]) - 1 AS key`
	}
	return `(@keys::int[])[width_bucket(` + at + `, @bounds::timestamptz[])] AS key`
}

// instant is the column that places a segment.
func (r Request) instant() string {
	switch r.AttributedBy {
	case AtCall:
		return `called_at`
	case AtEnd:
		return `left_at`
	case AtArrival:
	}
	return `entered_at`
}

// join finds the location of a segment's queue, where that is asked for.
func (p period) join() string {
	if !p.by(ByLocation) {
		return ``
	}
	return `
			LEFT JOIN unnest(@located_sources::text[], @located_queues::text[], @locations::text[]) AS l (source, queue, location)
				ON l.source = s.source AND l.queue = s.queue`
}

// filter chooses the segments of the report's sources and queues.
func (p period) filter() string {
	if p.Queues == nil {
		return `s.source = ANY(@sources::text[])`
	}
	return `s.source = ANY(@sources::text[])
				AND (s.source, s.queue) IN (SELECT * FROM unnest(@queue_sources::text[], @queues::text[]))`
}

// laneFilter chooses some lanes of a report that is computed bit by bit.
func (p period) laneFilter() string {
	columns := p.laneColumns()
	if p.chosen == nil || len(columns) == 0 {
		return ``
	}
	var exprs, arrays []string
	for _, c := range columns {
		exprs, arrays = append(exprs, c.expr), append(arrays, `@lane_`+c.name+`::text[]`)
	}
	return `
				AND (` + strings.Join(exprs, `, `) + `) IN (SELECT * FROM unnest(` + strings.Join(arrays, `, `) + `))`
}

// args are the arguments of all of the period's statements, by name.
func (p period) args() pgx.NamedArgs {
	args := pgx.NamedArgs{
		"from": p.From, "to": p.To, "sources": p.Sources, "percentiles": fractions(p.Percentiles), "threshold": p.ServiceLevel,
		"bounds": p.bounds, "keys": p.of,
	}
	var sources, queues, locations []string
	for _, q := range p.Queues {
		sources, queues = append(sources, q.Source), append(queues, q.Queue)
	}
	args["queue_sources"], args["queues"] = sources, queues
	sources, queues = nil, nil
	for q, location := range p.Locations {
		if location != "" {
			sources, queues, locations = append(sources, q.Source), append(queues, q.Queue), append(locations, location)
		}
	}
	args["located_sources"], args["located_queues"], args["locations"] = sources, queues, locations
	for _, c := range p.laneColumns() {
		var values []string
		for _, l := range p.chosen {
			values = append(values, *c.field(&l))
		}
		args["lane_"+c.name] = values
	}
	return args
}

// query asks one of the period's statements.
func (p period) query(ctx context.Context, v *projection.View, statement string, more pgx.NamedArgs) (pgx.Rows, error) {
	args := p.args()
	for name, value := range more {
		args[name] = value
	}
	return v.Tx.Query(ctx, v.Set.SQL(statement), args)
}

// count counts the segments of the window; those of lanes that are not known, if some are, are passed over.
func (p period) count(ctx context.Context, v *projection.View, m *measured, limit *int) error {
	rows, err := p.query(ctx, v, p.statement(), pgx.NamedArgs{"limit": limit})
	if err != nil {
		return err
	}
	var c counts
	at, scans := p.scanPlace()
	_, err = pgx.ForEachRow(rows, append(scans, c.scans()...), func() error {
		if to := m.at(place{p.named(at.lane), at.key}); to != nil {
			*to = c.measures(p.Request)
		}
		return nil
	})
	return err
}

// scanPlace returns what a row's key and lane are scanned into.
func (p period) scanPlace() (*place, []any) {
	at := new(place)
	scans := []any{&at.key}
	for _, c := range p.laneColumns() {
		scans = append(scans, c.field(&at.lane))
	}
	return at, scans
}

// StatementTimeout bounds each statement of a report: Postgres ends it, and with it the report.
const StatementTimeout = 30 * time.Second

// sortMemory is what a report's sorts may take each: two years of a location fit, and need no temporary file.
const sortMemory = `64MB`

// prepare sets the transaction's limits.
func prepare(ctx context.Context, v *projection.View, r Request) error {
	timeout := r.Timeout
	if timeout == 0 {
		timeout = StatementTimeout
	}
	_, err := v.Tx.Exec(ctx, fmt.Sprintf(`SET LOCAL work_mem = '%s'; SET LOCAL statement_timeout = %d`, sortMemory, max(1, timeout.Milliseconds())))
	return err
}
