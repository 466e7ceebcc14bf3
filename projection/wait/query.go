package wait

import (
	"context"
	"fmt"
	"slices"
	"strconv"
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

// statement selects the measures of the window's segments by key and lane, for Go to count: a string of eight bytes a
// segment is all that Postgres makes of them, which is several times quicker than its own percentiles and filters.
//
// Each source has a SELECT of its own: it reads one stretch of the index, need not look at the source again, and several
// processes share them (a string_agg in one SELECT can't be shared before Postgres 16). All is put together from these
// constants; what comes from the request is an argument.
func (p period) statement() string {
	selects := make([]string, len(p.Sources))
	for i := range p.Sources {
		selects[i] = p.selectSource(i)
	}
	statement := strings.Join(selects, `
		UNION ALL`)
	if p.whole() { // a row is a place
		statement += `
		LIMIT @limit`
	}
	return statement
}

// whole reports whether a place's segments come in one row: else in one of each source or queue.
func (p period) whole() bool {
	return (p.bySource() || len(p.Sources) == 1) && (!p.by(ByLocation) || p.by(ByQueue))
}

// selectSource selects from one source: the key, the source's number, the lane and the measures. In the place of a location
// is the queue, which is found in the table of locations later: that is less than to join it to every segment.
func (p period) selectSource(i int) string {
	source, columns, groups, having, join := fmt.Sprintf(`@source_%d::text`, i), []string{`0`, strconv.Itoa(i)}, []string{}, ``, ``
	if p.timed {
		columns[0], groups = p.key(`s.`+p.instant()), []string{`1`}
	}
	if slices.Contains(p.of, noKey) {
		having = `
		HAVING ` + columns[0] + ` <> -1`
	}
	for _, c := range p.laneColumns() {
		switch c.name {
		case `source`:
			continue
		case `location`:
			columns = append(columns, `s.queue`)
		default:
			columns = append(columns, c.expr)
		}
		groups = append(groups, strconv.Itoa(len(columns)))
	}
	if p.chosen != nil { // by name, maybe of a location
		join = p.join()
	}
	group := ``
	if len(groups) > 0 {
		group = `
		GROUP BY ` + strings.Join(groups, `, `)
	}
	queues := ``
	if p.Queues != nil {
		queues = fmt.Sprintf(`
			AND s.queue = ANY(@queues_%d::text[])`, i)
	}
	return `
		SELECT ` + strings.Join(columns, `, `) + `, string_agg(s.measures, '')
		FROM wait_segment_{set} AS s` + join + `
		WHERE s.source = ` + source + `
			AND s.` + p.instant() + ` >= @from
			AND s.` + p.instant() + ` < @to` + queues + p.laneFilter() + group + having
}

// oddOnes are the segments of the window whose measures don't fit: mostly none.
func (p period) oddOnes() string {
	columns := p.laneColumns()
	return `
		SELECT ` + list(p.keyExpr(`s.`+p.instant()), columns, laneColumn.computed) + `,
			s.outcome, s.called_at IS NOT NULL, s.self_registered, s.recalls::bigint, s.wait_seconds, s.service_seconds
		FROM wait_segment_{set} AS s` + p.join() + `
		WHERE s.measures IS NULL
			AND s.` + p.instant() + ` >= @from
			AND s.` + p.instant() + ` < @to
			AND ` + p.filter() + p.laneFilter()
}

// list is a key and the lane's columns, in one form or another.
func list(key string, columns []laneColumn, form func(laneColumn) string) string {
	parts := []string{key}
	for _, c := range columns {
		parts = append(parts, form(c))
	}
	return strings.Join(parts, `, `)
}

func (c laneColumn) computed() string { return c.expr + ` AS ` + c.name }

// key is the key of the bucket that an instant lies in.
func (p period) key(at string) string {
	switch {
	case !p.timed:
		return `0`
	case p.plain():
		return `width_bucket(` + at + `, @bounds::timestamptz[]) - 1`
	}
	return `(@keys::int[])[width_bucket(` + at + `, @bounds::timestamptz[])]`
}

func (p period) keyExpr(at string) string { return p.key(at) + ` AS key` }

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
		"from": p.From, "to": p.To, "sources": p.Sources, "bounds": p.bounds, "keys": p.of,
	}
	var sources, queues, locations []string
	for _, q := range p.Queues {
		sources, queues = append(sources, q.Source), append(queues, q.Queue)
	}
	for i, source := range p.Sources {
		args[fmt.Sprintf("source_%d", i)], args[fmt.Sprintf("queues_%d", i)] = source, queuesOf(source, p.Queues)
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

func queuesOf(source string, all []QueueID) (queues []string) {
	for _, q := range all {
		if q.Source == source {
			queues = append(queues, q.Queue)
		}
	}
	return queues
}

// query asks one of the period's statements.
func (p period) query(ctx context.Context, v *projection.View, statement string, more pgx.NamedArgs) (pgx.Rows, error) {
	args := p.args()
	for name, value := range more {
		args[name] = value
	}
	return v.Tx.Query(ctx, v.Set.SQL(statement), args)
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

// sortMemory is what a report's sorts and groups may take each: two years of a location fit, and need no temporary file.
const sortMemory = `64MB`

// prepare sets the transaction's limits. There is nothing to gain by compiling the report's statements, which compute
// next to nothing: and it would take a second where there are many sources. Where several processes share the sources, the
// one that answers only hands over what the others have found: if it took part, they would wait for it again and again,
// for they can't put down more than 64 kB of what it has not read. And each window is planned for itself: a plan for any
// window expects little of it, and no processes to share.
func prepare(ctx context.Context, v *projection.View, r Request) error {
	timeout := r.Timeout
	if timeout == 0 {
		timeout = StatementTimeout
	}
	_, err := v.Tx.Exec(ctx, fmt.Sprintf(`SET LOCAL work_mem = '%s'; SET LOCAL jit = off; SET LOCAL plan_cache_mode = force_custom_plan;
		SET LOCAL parallel_leader_participation = off; SET LOCAL statement_timeout = %d`,
		sortMemory, max(1, timeout.Milliseconds())))
	return err
}
