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

// enters counts a segment at its place.
func (w *walk) enters(s step, place int64) {
	to := w.m.at(s.place)
	if to == nil {
		return
	}
	if to.DropOff == nil {
		to.DropOff = noPlaces()
	}
	class := len(to.DropOff) - 1
	for place < to.DropOff[class].From {
		class--
	}
	to.DropOff[class].Offered++
	if s.abandoned {
		to.DropOff[class].Abandoned++
	}
}

// entries is when the period's segments entered: not in the period, when they are attributed by something else.
func (p period) entries(ctx context.Context, v *projection.View) (begin, end time.Time, err error) {
	if p.AttributedBy == AtArrival || p.AttributedBy == "" {
		return wholeSeconds(p.From), wholeSeconds(p.To), nil
	}
	rows, err := p.query(ctx, v, `
		SELECT min(s.entered_at), max(s.entered_at)
		FROM wait_segment_{set} AS s
		WHERE s.`+p.instant()+` >= @from
			AND s.`+p.instant()+` < @to
			AND `+p.filter(), nil)
	if err != nil {
		return begin, end, err
	}
	extent, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[struct{ First, Last *time.Time }])
	if err != nil || extent.First == nil {
		return begin, end, err
	}
	return *extent.First, extent.Last.Add(time.Second), nil
}
