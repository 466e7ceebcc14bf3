package wait

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"queuetrack/projection"
)

// Run computes the report. It refuses a Request that breaks its own rules, one of more than MaxItems items with an
// ErrTooManyItems, and one whose window is cut into too many hours or days with an ErrTooWide.
//
// Grouped by time, there is an item for every key that the window touches, of each source, location, queue, desk or agent
// that has a segment in it.
func Run(ctx context.Context, v *projection.View, r Request) (Report, error) {
	return run(ctx, v, r, MaxItems)
}

func run(ctx context.Context, v *projection.View, r Request, limit int) (Report, error) {
	c, err := begin(ctx, v, r)
	if err != nil {
		return Report{}, err
	}
	if n := len(c.calendar.keys); n > limit {
		return Report{}, ErrTooManyItems{Items: int64(n), Limit: int64(limit)}
	}
	items, err := c.bit(ctx, v, bit{end: len(c.calendar.keys)}, limit)
	if err != nil {
		return Report{}, err
	}
	report := Report{Request: r, Items: items}
	if r.Compare {
		report.PreviousFrom, report.PreviousTo = r.Before()
	}
	return report, nil
}

// computation is a report under way.
type computation struct {
	Request
	calendar calendar
	before   calendar // with Request.Compare: of the window before
	earlier  []int    // the counterparts there of the calendar's keys
}

// begin checks the request and cuts its windows.
func begin(ctx context.Context, v *projection.View, r Request) (c computation, err error) {
	if err := r.check(); err != nil {
		return c, err
	}
	c.Request = r
	if c.calendar, err = calendarOf(r, r.From, r.To); err != nil {
		return c, err
	}
	if r.Compare {
		from, to := r.Before()
		if c.before, err = calendarOf(r, from, to); err != nil {
			return c, err
		}
		c.before.before = true
		c.earlier = c.calendar.counterparts(r, c.before)
	}
	if err := prepare(ctx, v, r); err != nil {
		return c, fmt.Errorf("compute the wait report: %w", err)
	}
	return c, nil
}

// bit is a part of a report: some lanes of some keys.
type bit struct {
	lanes      []lane // nil: all that have a segment
	some       bool   // the lanes are not all that there are
	first, end int    // the keys from one to before another
}

// bit computes the items of a part.
func (c computation) bit(ctx context.Context, v *projection.View, b bit, limit int) ([]Item, error) {
	if !c.grouped() {
		b.lanes = []lane{{}} // whether anybody was there or not
	}
	now := c.period(b, c.calendar, b.first, b.end)
	found, err := now.measure(ctx, v, b.lanes, limit)
	if err != nil {
		return nil, fmt.Errorf("compute the wait report: %w", err)
	}
	if b.lanes == nil {
		b.lanes = c.lanesOf(found)
		if n := len(b.lanes) * (b.end - b.first); n > limit {
			return nil, ErrTooManyItems{Items: int64(n), Limit: int64(limit)}
		}
	}
	items := c.items(found, now.calendar, b.lanes)
	if c.Compare && len(items) > 0 {
		if err := c.compare(ctx, v, items, b); err != nil {
			return nil, fmt.Errorf("compute the wait report of the period before: %w", err)
		}
	}
	return items, nil
}

// period is what the part is computed from, in the window of a calendar: its keys from one to before another.
func (c computation) period(b bit, calendar calendar, first, end int) period {
	p := period{Request: c.Request, calendar: calendar}
	if b.some {
		p.chosen = b.lanes
	}
	if calendar.before {
		p.From, p.To = c.Before()
	}
	if end-first < len(calendar.keys) {
		from, to := p.From, p.To
		p.calendar, p.From, p.To = calendar.part(first, end)
		p.From, p.To = later(p.From, from), sooner(p.To, to)
	}
	return p
}

// lanesOf are all lanes that have a segment, sorted.
func (c computation) lanesOf(m *measured) []lane {
	lanes := slices.Collect(maps.Keys(m.lanes))
	c.sortLanes(lanes)
	return lanes
}

// timeFirst reports whether items are ordered by time first, then by lane.
func (c computation) timeFirst() bool { return len(c.GroupBy) > 0 && c.GroupBy[0].ofTime() }

// each calls f for every pair of a lane and a key, in the order of the items.
func (c computation) each(lanes []lane, keys int, f func(lane, int)) {
	if c.timeFirst() {
		for key := range keys {
			for _, l := range lanes {
				f(l, key)
			}
		}
		return
	}
	for _, l := range lanes {
		for key := range keys {
			f(l, key)
		}
	}
}

func (c computation) items(m *measured, calendar calendar, lanes []lane) []Item {
	items := make([]Item, 0, len(lanes)*len(calendar.keys))
	c.each(lanes, len(calendar.keys), func(l lane, key int) {
		k := calendar.keys[key]
		items = append(items, Item{
			Source: l.Source, Location: l.Location, Queue: l.Queue, Desk: l.Desk, Agent: l.Agent,
			Start: k.start, End: k.end, Weekday: k.weekday, HourOfDay: k.hour,
			Measures: m.measures(c.Request, l, key),
		})
	})
	return items
}

// compare adds the counterparts in the window before to a part's items.
func (c computation) compare(ctx context.Context, v *projection.View, items []Item, b bit) error {
	found := &measured{}
	low, high := span(c.earlier[b.first:b.end])
	if low < high {
		var err error
		if found, err = c.period(b, c.before, low, high).measure(ctx, v, b.lanes, 0); err != nil {
			return err
		}
	}
	i := 0
	c.each(b.lanes, b.end-b.first, func(l lane, key int) {
		counterpart := c.before.moved(c.Request, c.calendar.keys[b.first+key])
		previous := Period{Start: counterpart.start, End: counterpart.end}
		if n := c.earlier[b.first+key]; n != noKey {
			previous.Measures = found.measures(c.Request, l, n-low)
		} else if c.DropOff {
			previous.DropOff = noPlaces()
		}
		items[i].Previous = &previous
		i++
	})
	return nil
}

// span is the range of the numbers that are keys.
func span(keys []int) (low, end int) {
	for _, k := range keys {
		if k == noKey {
			continue
		}
		if end == 0 || k < low {
			low = k
		}
		end = max(end, k+1)
	}
	return low, end
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func sooner(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
