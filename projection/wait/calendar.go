package wait

import (
	"cmp"
	"slices"
	"time"
)

// calendar is how a window is cut: into local hours or days (buckets), each of which belongs to one key of the report's
// groups of time. It is made here and Postgres sorts segments into buckets, and by this table into keys: so it takes no
// part in time zones, whose rules it may have in another version; a bucket in the answer is the very one that was
// counted; and the percentiles of a week are those of its segments, never merged from those of its days.
type calendar struct {
	before bool        // it is of the window before the report's
	timed  bool        // the report has a group of time; otherwise the window is one bucket with one key
	bounds []time.Time // ascending: the buckets' starts, and the end of the last one
	of     []int32     // the key of each bucket, counted from 0; none: out of what is asked for
	keys   []timeKey   // in the order of the report
}

// noKey stands for the key of a bucket that is not asked for.
const noKey = -1

// timeKey is one value of the report's groups of time.
type timeKey struct {
	start, end time.Time // of the absolute group, of two their intersection; zero without one
	weekday    int
	hour       int
	rank       [2]int64 // orders keys as the report has them, and tells them apart
}

// calendarOf cuts a window by the request's groups of time.
func calendarOf(r Request, from, to time.Time) (calendar, error) {
	groups := r.timeGroups()
	if len(groups) == 0 {
		return calendar{bounds: []time.Time{from, to}, of: []int32{0}, keys: make([]timeKey, 1)}, nil
	}
	bounds, err := cut(from, to, r.Zone, r.by(ByHour) || r.by(ByHourOfDay))
	if err != nil {
		return calendar{}, err
	}
	keys := make([]timeKey, len(bounds)-1)
	for i := range keys {
		keys[i] = keyOf(groups, bounds[i], bounds[i+1])
	}
	return calendar{timed: true, bounds: bounds}.number(keys), nil
}

// keyOf is the key of a bucket.
func keyOf(groups []GroupKey, start, end time.Time) (k timeKey) {
	for i, g := range groups {
		switch g {
		case ByHour:
			k.within(start, end)
		case ByDay:
			day := dayOf(start)
			k.within(day, nextDay(day))
		case ByWeek:
			k.within(weekOf(start))
		case ByMonth:
			k.within(monthOf(start))
		case ByWeekday:
			k.weekday = isoWeekday(start)
			k.rank[i] = int64(k.weekday)
			continue
		case ByHourOfDay:
			k.hour = start.Hour()
			k.rank[i] = int64(k.hour)
			continue
		case BySource, ByLocation, ByQueue, ByDesk, ByAgent:
			continue
		}
		k.rank[i] = k.start.Unix()
	}
	return k
}

// within narrows the key to an interval.
func (k *timeKey) within(start, end time.Time) {
	if k.start.IsZero() || start.After(k.start) {
		k.start = start
	}
	if k.end.IsZero() || end.Before(k.end) {
		k.end = end
	}
}

// number gives each different key of the buckets its number, in order.
func (c calendar) number(ofBucket []timeKey) calendar {
	rank := func(a, b timeKey) int {
		return cmp.Or(cmp.Compare(a.rank[0], b.rank[0]), cmp.Compare(a.rank[1], b.rank[1]))
	}
	c.keys = slices.Clone(ofBucket)
	slices.SortFunc(c.keys, rank)
	c.keys = slices.CompactFunc(c.keys, func(a, b timeKey) bool { return a.rank == b.rank })
	c.of = make([]int32, len(ofBucket))
	for i, k := range ofBucket {
		n, _ := slices.BinarySearchFunc(c.keys, k, rank)
		c.of[i] = int32(n)
	}
	return c
}

// plain reports whether each bucket is a key of its own, in order.
func (c calendar) plain() bool { return len(c.keys) == len(c.of) && slices.IsSorted(c.of) }

// part is the calendar of the keys from one to before another, and the window around their buckets.
func (c calendar) part(first, end int) (part calendar, from, to time.Time) {
	part = calendar{before: c.before, timed: c.timed, keys: c.keys[first:end]}
	for i, key := range c.of {
		inside := int(key) >= first && int(key) < end
		if !inside && len(part.of) == 0 {
			continue // before the first bucket
		}
		if inside {
			part.of = append(part.of, key-int32(first))
			to = c.bounds[i+1]
		} else {
			part.of = append(part.of, noKey)
		}
		part.bounds = append(part.bounds, c.bounds[i])
	}
	last := len(part.of)
	for part.of[last-1] == noKey {
		last--
	}
	part.of, part.bounds = part.of[:last], append(part.bounds[:last:last], to)
	return part, part.bounds[0], to
}

// bucket returns the number of the bucket that an instant of the window lies in.
func (c calendar) bucket(t time.Time) int {
	i, found := slices.BinarySearchFunc(c.bounds, t, time.Time.Compare)
	if found {
		return i
	}
	return i - 1
}

// timeGroups are the report's groups of time, in order.
func (r Request) timeGroups() []GroupKey {
	var groups []GroupKey
	for _, g := range r.GroupBy {
		if g.ofTime() {
			groups = append(groups, g)
		}
	}
	return groups
}

func (g GroupKey) ofTime() bool {
	return slices.Contains([]GroupKey{ByHour, ByDay, ByWeek, ByMonth, ByWeekday, ByHourOfDay}, g)
}

// absolute reports whether the group's keys are intervals, each of which comes once.
func (g GroupKey) absolute() bool {
	return slices.Contains([]GroupKey{ByHour, ByDay, ByWeek, ByMonth}, g)
}
