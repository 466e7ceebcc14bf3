package wait

import (
	"cmp"
	"slices"
	"time"
)

// Before is the window right before the report's: as many local days, if both ends are local midnights, else of the same
// duration.
func (r Request) Before() (from, to time.Time) {
	if days, whole := r.days(); whole {
		return daysBefore(r.From.In(r.Zone), days), r.From
	}
	return r.From.Add(-r.To.Sub(r.From)), r.From
}

// days is how many local days the window has, if it has whole ones.
func (r Request) days() (n int, whole bool) {
	from, to := r.From.In(r.Zone), r.To.In(r.Zone)
	if !dayOf(from).Equal(from) || !dayOf(to).Equal(to) {
		return 0, false
	}
	date := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	return int(date(to).Sub(date(from)).Hours() / 24), true
}

func daysBefore(t time.Time, days int) time.Time {
	return startOfDay(t.Year(), t.Month(), t.Day()-days, t.Location())
}

// back is the instant that corresponds to t in the window before: at the same local time, if that is whole days away.
func (r Request) back(t time.Time) time.Time {
	days, whole := r.days()
	if !whole {
		return t.Add(-r.To.Sub(r.From))
	}
	t = t.In(r.Zone)
	if t.Equal(dayOf(t)) {
		return daysBefore(t, days)
	}
	return localTime(time.Date(t.Year(), t.Month(), t.Day()-days, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC), r.Zone)
}

// localTime is when a clock of the zone shows what the UTC clock shows at t: the first time, where it does so twice; where
// it never does, when it would have without the change.
func localTime(t time.Time, zone *time.Location) time.Time {
	shown := func(offset int) (at time.Time, right bool) {
		at = t.Add(-time.Duration(offset) * time.Second).In(zone)
		_, there := at.Zone()
		return at, there == offset
	}
	_, early := t.Add(-24 * time.Hour).In(zone).Zone()
	_, late := t.Add(24 * time.Hour).In(zone).Zone()
	first, right := shown(early)
	if right {
		return first
	}
	if second, right := shown(late); right {
		return second
	}
	return first
}

// counterparts finds, for each key of a calendar, the number of its counterpart in the window before; noKey: there is
// none. Keys that come again (weekdays, hours of the day) are their own, the others the ones that lie there.
func (c calendar) counterparts(r Request, before calendar) []int {
	found := make([]int, len(c.keys))
	for i, key := range c.keys {
		found[i] = before.find(before.moved(r, key))
	}
	return found
}

// moved is the key that a key of the window after has for its counterpart. It need not be there.
func (c calendar) moved(r Request, key timeKey) timeKey {
	moved := key
	if !slices.ContainsFunc(r.GroupBy, GroupKey.absolute) {
		return moved
	}
	start := key.start
	if start.Before(r.From) {
		start = r.From
	}
	at := r.back(start)
	bucket := min(max(0, c.bucket(at)), len(c.of)-1)
	moved.start, moved.end = c.keys[c.of[bucket]].start, c.keys[c.of[bucket]].end
	for i, g := range r.timeGroups() {
		if g.absolute() {
			moved.rank[i] = c.keys[c.of[bucket]].rank[i]
		}
	}
	return moved
}

// find returns the number of a key; noKey: it is not there.
func (c calendar) find(key timeKey) int {
	n, found := slices.BinarySearchFunc(c.keys, key, func(a, b timeKey) int {
		return cmp.Or(cmp.Compare(a.rank[0], b.rank[0]), cmp.Compare(a.rank[1], b.rank[1]))
	})
	if !found {
		return noKey
	}
	return n
}
