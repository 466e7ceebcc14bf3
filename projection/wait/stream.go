package wait

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// Stream computes a report of up to MaxStreamed items and calls f with each of them, in the order of Run: bit by bit, in
// constant memory. It refuses what Run refuses, before the first call.
func Stream(ctx context.Context, v *projection.View, r Request, f func(Item) error) error {
	return stream(ctx, v, r, MaxItems, f)
}

// stream computes so many items at a time.
func stream(ctx context.Context, v *projection.View, r Request, most int, f func(Item) error) error {
	c, err := begin(ctx, v, r)
	if err != nil {
		return err
	}
	all := bit{end: len(c.calendar.keys)}
	if c.grouped() {
		if all.lanes, err = c.allLanes(ctx, v, MaxStreamed/all.end+1); err != nil {
			return fmt.Errorf("compute the wait report: %w", err)
		}
	}
	if n := max(1, int64(len(all.lanes))) * int64(all.end); n > MaxStreamed {
		return ErrTooManyItems{Items: n, Limit: MaxStreamed}
	}
	if c.grouped() && len(all.lanes) == 0 {
		return nil
	}
	for _, b := range c.bits(all, most) {
		items, err := c.bit(ctx, v, b, most)
		if err != nil {
			return err
		}
		for _, item := range items {
			if err := f(item); err != nil {
				return err
			}
		}
	}
	return nil
}

// bits are the parts of a report in the order of its items, each of so many items at most.
func (c computation) bits(all bit, most int) (bits []bit) {
	lanes := max(1, len(all.lanes))
	outer, inner := lanes, all.end
	if c.timeFirst() {
		outer, inner = inner, outer
	}
	for _, o := range pieces(outer, max(1, most/inner)) {
		for _, i := range pieces(inner, most) {
			l, k := o, i
			if c.timeFirst() {
				l, k = k, l
			}
			b := bit{first: k[0], end: k[1]}
			if all.lanes != nil {
				b.lanes, b.some = all.lanes[l[0]:l[1]], l[1]-l[0] < lanes
			}
			bits = append(bits, b)
		}
	}
	return bits
}

// pieces cuts the numbers below n into stretches.
func pieces(n, length int) (list [][2]int) {
	for from := 0; from < n; from += length {
		list = append(list, [2]int{from, min(from+length, n)})
	}
	return list
}

// allLanes are the lanes that have a segment in the window, sorted; of more than the limit, one more.
func (c computation) allLanes(ctx context.Context, v *projection.View, limit int) ([]lane, error) {
	p := period{Request: c.Request, calendar: c.calendar}
	columns := p.laneColumns()
	if len(columns) == 0 { // of one source, which is a lane if it has a segment
		columns = []laneColumn{{"source", `s.source`, func(l *lane) *string { return &l.Source }}}
	}
	rows, err := p.query(ctx, v, `
		SELECT DISTINCT `+list(columns[0].expr, columns[1:], func(column laneColumn) string { return column.expr })+`
		FROM wait_segment_{set} AS s`+p.join()+`
		WHERE s.`+p.instant()+` >= @from
			AND s.`+p.instant()+` < @to
			AND `+p.filter()+`
		LIMIT @limit`, pgx.NamedArgs{"limit": limit + 1})
	if err != nil {
		return nil, err
	}
	lanes, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (lane, error) {
		var l lane
		var scans []any
		for _, column := range columns {
			scans = append(scans, column.field(&l))
		}
		err := row.Scan(scans...)
		return p.named(l), err
	})
	p.sortLanes(lanes)
	return lanes, err
}
