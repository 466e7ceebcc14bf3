package wait

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// Places are the classes of places at entry: 1 is the next to be called, and the last class has no end.
var Places = []Place{{From: 1, To: 1}, {From: 2, To: 2}, {From: 3, To: 3}, {From: 4, To: 5}, {From: 6, To: 10}, {From: 11, To: 20}, {From: 21}}

func noPlaces() []Place { return slices.Clone(Places) }

// dropOff counts segments by how many waited in their queue when they came.
func (p period) dropOff(ctx context.Context, v *projection.View, m *measured) error {
	begin, end, any, err := p.entries(ctx, v)
	if err != nil || !any {
		return err
	}
	from := make([]int64, len(Places))
	for i, class := range Places {
		from[i] = class.From
	}
	args := waitingArgs(begin, end)
	args["places"] = from
	rows, err := p.query(ctx, v, p.byPlace(), args)
	if err != nil {
		return err
	}
	var class int
	var offered, abandoned int64
	at, scans := p.scanPlace()
	_, err = pgx.ForEachRow(rows, append(scans, &class, &offered, &abandoned), func() error {
		to := m.at(place{p.named(at.lane), at.key})
		if to == nil {
			return nil
		}
		if to.DropOff == nil {
			to.DropOff = noPlaces()
		}
		to.DropOff[class-1].Offered, to.DropOff[class-1].Abandoned = offered, abandoned
		return nil
	})
	return err
}

// entries is when the period's segments entered: not in the period, when they are attributed by something else.
func (p period) entries(ctx context.Context, v *projection.View) (begin, end time.Time, any bool, err error) {
	if p.AttributedBy == AtArrival || p.AttributedBy == "" {
		return seconds0(p.From), seconds0(p.To), true, nil
	}
	rows, err := p.query(ctx, v, `
		SELECT min(s.entered_at), max(s.entered_at)
		FROM wait_segment_{set} AS s
		WHERE s.`+p.instant()+` >= @from
			AND s.`+p.instant()+` < @to
			AND `+p.filter(), nil)
	if err != nil {
		return begin, end, false, err
	}
	extent, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[struct{ First, Last *time.Time }])
	if err != nil || extent.First == nil {
		return begin, end, false, err
	}
	return *extent.First, extent.Last.Add(time.Second), true, nil
}

// byPlace counts the people in a queue as it goes, step by step: at one second those go who go, then those come who come,
// in the order of their tickets. Who comes finds the others before them.
func (p period) byPlace() string {
	columns := p.laneColumns()
	return `
		WITH ` + p.waiting(`, s.ticket, s.n, s.desk, s.agent, s.outcome, s.`+p.instant()+` AS placed_at`) + `,
		line AS ( -- numbers sort several times faster than texts
			SELECT source, queue, row_number() OVER () AS number
			FROM (SELECT DISTINCT source, queue FROM waiting) AS q
		),
		step AS (
			SELECT source, queue, entered_at AS at, 1 AS phase, ticket, n, 0 AS part,
				CASE WHEN until <= entered_at THEN 0 ELSE 1 END AS change, desk, agent, outcome, placed_at
			FROM waiting
			UNION ALL
			SELECT source, queue, until, 0, ticket, n, 0, -1, '', '', '', NULL FROM waiting WHERE until > entered_at
			UNION ALL -- who is on hold from the first second doesn't wait for those who come after
			SELECT source, queue, from_at, CASE WHEN from_at > entered_at THEN 0 ELSE 1 END, ticket, n, 1, -1, '', '', '', NULL
			FROM held
			UNION ALL
			SELECT source, queue, to_at, 0, ticket, n, 0, 1, '', '', '', NULL FROM held WHERE to_at IS NOT NULL
		),
		placed AS (
			SELECT s.*, 1 - s.change + sum(s.change) OVER (
				PARTITION BY l.number
				ORDER BY s.at, s.phase, s.ticket, s.n, s.part
				ROWS UNBOUNDED PRECEDING) AS place
			FROM step AS s
			JOIN line AS l ON l.source = s.source AND l.queue = s.queue
		)
		SELECT ` + list(`key`, columns, laneColumn.named) + `, class, count(*), count(*) FILTER (WHERE outcome = 'abandoned')
		FROM (
			SELECT ` + list(p.keyExpr(`s.placed_at`), columns, laneColumn.computed) + `,
				width_bucket(s.place, @places::bigint[]) AS class, s.outcome
			FROM placed AS s` + p.join() + `
			WHERE s.phase = 1
				AND s.part = 0
				AND s.placed_at >= @from
				AND s.placed_at < @to` + p.laneFilter() + `
		) AS segment
		WHERE key <> -1
		GROUP BY ` + list(`key`, columns, laneColumn.named) + `, class`
}
