package wait

import (
	"cmp"
	"slices"
)

// lane is one value of the report's groups that are not of time.
type lane struct{ Source, Location, Queue, Desk, Agent string }

// laneColumn is a part of a lane: how a statement computes it from a segment s and the location l of its queue.
type laneColumn struct {
	name  string
	expr  string
	field func(*lane) *string
}

// laneColumns are what segments are grouped by, beside time. Ids mean nothing without their source; of one source we know
// the name.
func (r Request) laneColumns() []laneColumn {
	var columns []laneColumn
	if r.bySource() && len(r.Sources) > 1 {
		columns = append(columns, laneColumn{"source", `s.source`, func(l *lane) *string { return &l.Source }})
	}
	if r.by(ByLocation) {
		columns = append(columns, laneColumn{"location", `coalesce(l.location, '')`, func(l *lane) *string { return &l.Location }})
	}
	if r.by(ByQueue) {
		columns = append(columns, laneColumn{"queue", `s.queue`, func(l *lane) *string { return &l.Queue }})
	}
	if r.by(ByDesk) {
		columns = append(columns, laneColumn{"desk", `s.desk`, func(l *lane) *string { return &l.Desk }})
	}
	if r.by(ByAgent) {
		columns = append(columns, laneColumn{"agent", `s.agent`, func(l *lane) *string { return &l.Agent }})
	}
	return columns
}

// bySource reports whether items tell their source.
func (r Request) bySource() bool {
	return r.by(BySource) || r.by(ByQueue) || r.by(ByDesk) || r.by(ByAgent)
}

// named is the lane with what its columns didn't have to tell.
func (r Request) named(l lane) lane {
	if r.bySource() && len(r.Sources) == 1 {
		l.Source = r.Sources[0]
	}
	return l
}

// grouped reports whether the report has groups that are not of time.
func (r Request) grouped() bool { return len(r.timeGroups()) < len(r.GroupBy) }

// sortLanes sorts by the report's groups, the first one first.
func (r Request) sortLanes(lanes []lane) {
	slices.SortFunc(lanes, func(a, b lane) int {
		for _, g := range r.GroupBy {
			if c := g.compare(a, b); c != 0 {
				return c
			}
		}
		return 0
	})
}

func (g GroupKey) compare(a, b lane) int {
	switch g {
	case BySource:
		return cmp.Compare(a.Source, b.Source)
	case ByLocation:
		return cmp.Compare(a.Location, b.Location)
	case ByQueue:
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Queue, b.Queue))
	case ByDesk:
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Desk, b.Desk))
	case ByAgent:
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Agent, b.Agent))
	case ByHour, ByDay, ByWeek, ByMonth, ByWeekday, ByHourOfDay:
	}
	return 0
}
