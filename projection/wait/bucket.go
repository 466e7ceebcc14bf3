package wait

import (
	"cmp"
	"time"
)

// buckets are the starts of the local days or hours that the window touches, and the end of the last one. They are made
// here and Postgres sorts segments into them: so it takes no part in time zones, whose rules it may have in another
// version, and a bucket in the answer is the very one that was counted.
type buckets struct {
	bounds []time.Time // ascending; none without a time group
}

func (b buckets) count() int { return max(0, len(b.bounds)-1) }

// bucketsOf cuts the window into the buckets of the request's finest time group.
func bucketsOf(r Request) (buckets, error) {
	step, length := nextDay, 24*time.Hour
	if r.by(ByHour) {
		step, length = nextHour, time.Hour
	} else if !r.by(ByDay) {
		return buckets{}, nil
	}
	if n := int64(r.To.Sub(r.From) / length); n > MaxItems+1 { // don't even begin
		return buckets{}, ErrTooManyBuckets{Items: n, Limit: MaxItems}
	}
	start := dayOf(r.From.In(r.Zone))
	if r.by(ByHour) {
		for next := step(start); !next.After(r.From); next = step(start) {
			start = next
		}
	}
	b := buckets{bounds: []time.Time{start}}
	for start.Before(r.To) {
		start = step(start)
		b.bounds = append(b.bounds, start)
	}
	if b.count() > MaxItems {
		return buckets{}, ErrTooManyBuckets{Items: int64(b.count()), Limit: MaxItems}
	}
	return b, nil
}

// dayOf is the first instant of the local day: midnight, or where clocks are put forward at midnight, what comes after.
func dayOf(t time.Time) time.Time { return startOfDay(t.Year(), t.Month(), t.Day(), t.Location()) }

// nextDay is the first instant of the next local day that there is: islands have moved across the date line.
func nextDay(start time.Time) time.Time {
	for days := 1; ; days++ {
		next := startOfDay(start.Year(), start.Month(), start.Day()+days, start.Location())
		if next.After(start) {
			return next
		}
	}
}

// startOfDay is the first instant of a date. Where midnight is skipped, time.Date answers with an instant of the day
// before or one too late; where it comes twice, the first one counts.
func startOfDay(year int, month time.Month, day int, zone *time.Location) time.Time {
	noon := time.Date(year, month, day, 12, 0, 0, 0, zone)
	midnight := time.Date(year, month, day, 0, 0, 0, 0, zone)
	if midnight.Day() == noon.Day() && midnight.Hour() == 0 && midnight.Minute() == 0 {
		if earlier := midnight.Add(-time.Hour); earlier.Day() == noon.Day() {
			return earlier
		}
		return midnight
	}
	// Skipped: the transition itself is the first instant.
	before := midnight.Add(-3 * time.Hour)
	_, transition := before.ZoneBounds()
	return transition.In(zone)
}

// nextHour is when the local clock next shows a full hour. The hour that comes twice is two buckets; where clocks move by
// half an hour, one bucket has one and a half.
func nextHour(start time.Time) time.Time {
	next := start.Add(time.Hour)
	if past := sinceFullHour(next); past != 0 {
		return next.Add(time.Hour - past)
	}
	return next
}

// sinceFullHour is how far the local clock is past the full hour.
func sinceFullHour(t time.Time) time.Duration {
	return time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second
}

// fill adds the items that no segment made: an item for every bucket, of each source or queue that has any.
func fill(items []Item, r Request, b buckets) ([]Item, error) {
	groups := map[QueueID]bool{}
	if !r.bySource() {
		groups[QueueID{}] = true
	}
	have := map[QueueID]map[int64]bool{}
	for _, item := range items {
		group := QueueID{item.Source, item.Queue}
		groups[group] = true
		if have[group] == nil {
			have[group] = map[int64]bool{}
		}
		have[group][item.Start.Unix()] = true
	}
	if len(r.GroupBy) == 0 && len(items) == 0 { // all there is, which is nothing
		return []Item{{}}, nil
	}
	if n := int64(len(groups)) * int64(max(1, b.count())); n > MaxItems {
		return nil, ErrTooManyBuckets{Items: n, Limit: MaxItems}
	}
	for i := range b.count() {
		for group := range groups {
			if !have[group][b.bounds[i].Unix()] {
				items = append(items, Item{Source: group.Source, Queue: group.Queue, Start: b.bounds[i], End: b.bounds[i+1]})
			}
		}
	}
	return items, nil
}

// order is the order of the keys, the first one of the request first.
func order(groupBy []GroupKey) func(a, b Item) int {
	return func(a, b Item) int {
		for _, key := range groupBy {
			if c := compare(key, a, b); c != 0 {
				return c
			}
		}
		return 0
	}
}

func compare(key GroupKey, a, b Item) int {
	switch key {
	case BySource:
		return cmp.Compare(a.Source, b.Source)
	case ByQueue:
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Queue, b.Queue))
	case ByDay, ByHour:
		return a.Start.Compare(b.Start)
	}
	return 0
}
