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
	c, err := begin(ctx, v, r)
	if err != nil {
		return Report{}, err
	}
	if n := int64(len(c.calendar.keys)); n > MaxItems {
		return Report{}, ErrTooManyItems{Items: n, Limit: MaxItems}
	}
	items, err := c.bit(ctx, v, nil, 0, len(c.calendar.keys), MaxItems)
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
		c.earlier = c.calendar.counterparts(r, c.before)
	}
	if err := prepare(ctx, v, r); err != nil {
		return c, fmt.Errorf("compute the wait report: %w", err)
	}
	return c, nil
}

// bit computes the items of the keys from one to before another, and of the lanes given; nil: of all.
func (c computation) bit(ctx context.Context, v *projection.View, lanes []lane, first, end, limit int) ([]Item, error) {
	now := period{Request: c.Request, calendar: c.calendar, chosen: lanes}
	if !c.grouped() {
		lanes = []lane{{}} // whether anybody was there or not
	}
	if end-first < len(c.calendar.keys) {
		now.calendar, now.From, now.To = c.calendar.part(first, end)
		now.From, now.To = later(now.From, c.From), sooner(now.To, c.To)
	}
	found, err := now.measure(ctx, v, lanes, limit)
	if err != nil {
		return nil, fmt.Errorf("compute the wait report: %w", err)
	}
	if lanes == nil {
		if lanes = c.lanesOf(found); int64(len(lanes))*int64(end-first) > int64(limit) {
			return nil, ErrTooManyItems{Items: int64(len(lanes)) * int64(end-first), Limit: int64(limit)}
		}
	}
	items := c.items(found, now.calendar, lanes)
	if c.Compare && len(items) > 0 {
		if err := c.compare(ctx, v, items, lanes, now.chosen, first, end); err != nil {
			return nil, fmt.Errorf("compute the wait report of the period before: %w", err)
		}
	}
	return items, nil
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

// compare adds the counterparts in the window before to the items of these keys and lanes.
func (c computation) compare(ctx context.Context, v *projection.View, items []Item, lanes, chosen []lane, first, end int) error {
	earlier := period{Request: c.Request, calendar: c.before, chosen: chosen}
	earlier.From, earlier.To = c.Before()
	low, high := 0, len(c.before.keys)
	if end-first < len(c.calendar.keys) {
		low, high = span(c.earlier[first:end])
		if low < high && high-low < len(c.before.keys) {
			from, to := earlier.From, earlier.To
			earlier.calendar, earlier.From, earlier.To = c.before.part(low, high)
			earlier.From, earlier.To = later(earlier.From, from), sooner(earlier.To, to)
		}
	}
	found := &measured{}
	if low < high {
		var err error
		if found, err = earlier.measure(ctx, v, lanes, 0); err != nil {
			return err
		}
	}
	i := 0
	c.each(lanes, end-first, func(l lane, key int) {
		counterpart := c.before.moved(c.Request, c.calendar.keys[first+key])
		previous := Period{Start: counterpart.start, End: counterpart.end}
		if n := c.earlier[first+key]; n != noKey {
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
