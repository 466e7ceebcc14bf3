package wait

import (
	"fmt"
	"slices"
	"time"
)

// GroupKey is a dimension that a report is grouped by.
type GroupKey string

// The dimensions.
const (
	BySource    GroupKey = "source"
	ByLocation  GroupKey = "location" // its name: queues of several sources may be at one location
	ByQueue     GroupKey = "queue"    // a queue and its source: two sources may give one id
	ByDesk      GroupKey = "desk"     // a desk and its source; empty: never called, or none was told
	ByAgent     GroupKey = "agent"    // an agent and its source; empty: never called, or none was told
	ByHour      GroupKey = "hour"
	ByDay       GroupKey = "day"
	ByWeek      GroupKey = "week" // ISO 8601
	ByMonth     GroupKey = "month"
	ByWeekday   GroupKey = "weekday"
	ByHourOfDay GroupKey = "hour_of_day"
)

// GroupKeys lists every dimension.
var GroupKeys = []GroupKey{BySource, ByLocation, ByQueue, ByDesk, ByAgent, ByHour, ByDay, ByWeek, ByMonth, ByWeekday, ByHourOfDay}

// QueueID names a queue.
type QueueID struct{ Source, Queue string }

// Attribution is the instant that places a segment in the window and in a bucket. Segments without it are in no report.
type Attribution string

// The attributions.
const (
	AtArrival Attribution = "arrival" // entry to the queue
	AtCall    Attribution = "call"    // first call
	AtEnd     Attribution = "end"     // leaving the queue, whatever the outcome
)

// Request asks for a report. Segments belong to the window by the instant they are attributed by; From and To are
// half-open.
type Request struct {
	Sources      []string           // at least one
	Queues       []QueueID          // nil: all of Sources
	Locations    map[QueueID]string // what ByLocation groups by; a queue that is not in it is at the location ""
	From, To     time.Time
	Zone         *time.Location // buckets' local time
	GroupBy      []GroupKey     // none, one or two
	AttributedBy Attribution    // empty: AtArrival
	Percentiles  []int          // of waits, services and abandoned waits: 1–99, ascending
	ServiceLevel int64          // threshold in seconds
	Formula      Formula
	QueueLength  bool          // items tell it
	DropOff      bool          // items tell it
	Compare      bool          // with the period before
	Timeout      time.Duration // of each statement; 0: StatementTimeout
}

// Formula is how the service level is computed from its components (metrics: F1 to F4).
type Formula string

// The formulas.
const (
	F1 Formula = "F1" // (served≤X + abandoned≤X) / (served + abandoned)
	F2 Formula = "F2" // served≤X / served
	F3 Formula = "F3" // served≤X / (served + abandoned)
	F4 Formula = "F4" // served≤X / (served + abandoned>X)
)

// Item is one group of a report. Keys that are not grouped by are zero.
type Item struct {
	Source, Location, Queue, Desk, Agent string

	// Of the absolute time group, in Zone; zero without one. Where there are two, it is the finer one's.
	Start, End time.Time
	Weekday    int // 1–7, Monday 1; of a group by weekday
	HourOfDay  int // 0–23; of a group by hour_of_day

	Measures
	Previous *Period // with Request.Compare
}

// Period is the same group in the period before.
type Period struct {
	Start, End time.Time // as Item's
	Measures
}

// Measures are what is counted of a group's segments.
type Measures struct {
	Offered, Served, Abandoned, NoShow, Cancelled, Returned, Transferred, Expired, Merged, Open int64

	Wait          Stats
	AbandonedWait Stats
	Service       Stats

	ServedWithin, AbandonedWithin int64
	ServiceLevel                  *float64 // nil: nothing to divide by

	Calls    Calls
	Excluded map[string]int64 // negative_wait, negative_service, self_registered; only those above 0

	QueueLength QueueLength // with Request.QueueLength
	DropOff     []Place     // with Request.DropOff: one for each of Places
}

// Calls tells of calls and re-calls. Rates are of Called; Returned is the outcome's count.
type Calls struct {
	Called   int64 // segments called at least once
	Recalled int64 // of these, called again at least once
	Recalls  int64 // calls after the first
}

// QueueLength is how many segments waited in the group's buckets, whenever they came.
type QueueLength struct {
	Max            int64
	WaitingSeconds int64 // the integral of the length: all the time that segments waited inside the buckets
	ElapsedSeconds int64 // of the buckets, up to now
}

// Place is how many of those who found so many before them gave up.
type Place struct {
	From, To  int64 // 1 is the next to be called; To 0 has no end
	Offered   int64
	Abandoned int64
}

// Stats describes a set of whole seconds.
type Stats struct {
	N           int64
	Mean        float64
	Max         int64
	Percentiles map[int]int64 // nearest rank; empty when N is 0
}

// Report is the answer to a Request.
type Report struct {
	Request
	PreviousFrom, PreviousTo time.Time // with Request.Compare
	Items                    []Item    // ordered by keys; with a time group every bucket of the window is there, empty ones too
}

// MaxItems is how many items a report may have that is made as a whole, and MaxStreamed one that is told item by item.
const (
	MaxItems    = 10_000
	MaxStreamed = 1_000_000
)

// ErrTooManyItems refuses a report of more items than a limit. It tells what to ask for instead.
type ErrTooManyItems struct {
	Items int64 // that the answer would have had, at least
	Limit int64
}

func (e ErrTooManyItems) Error() string {
	return fmt.Sprintf("the report would have %d items or more, and at most %d are allowed: ask for a shorter window, longer buckets, or fewer queues", e.Items, e.Limit)
}

// ErrTooWide refuses a window that touches too many hours or days.
type ErrTooWide struct {
	Unit  string // hours, days
	Limit int64
}

func (e ErrTooWide) Error() string {
	return fmt.Sprintf("the window touches more than %d %s, which these groups are cut into: ask for a shorter window", e.Limit, e.Unit)
}

// check refuses what can't be answered.
func (r Request) check() error {
	switch {
	case len(r.Sources) == 0:
		return fmt.Errorf("a wait report needs a source")
	case r.Zone == nil:
		return fmt.Errorf("a wait report needs a time zone")
	case !r.From.Before(r.To):
		return fmt.Errorf("the window of a wait report must end after it begins")
	case len(r.GroupBy) > 2, len(r.GroupBy) == 2 && r.GroupBy[0] == r.GroupBy[1]:
		return fmt.Errorf("a wait report groups by at most two different keys")
	}
	for _, key := range r.GroupBy {
		if !slices.Contains(GroupKeys, key) {
			return fmt.Errorf("a wait report can't group by %q", key)
		}
		if r.QueueLength && (key == ByDesk || key == ByAgent) {
			return fmt.Errorf("a wait report can't tell the length of queues by %s: people who wait have none yet", key)
		}
	}
	for _, p := range r.Percentiles {
		if p < 1 || p > 99 {
			return fmt.Errorf("percentile %d is not among 1 to 99", p)
		}
	}
	switch r.AttributedBy {
	case "", AtArrival, AtCall, AtEnd:
	default:
		return fmt.Errorf("a segment can't be attributed by %q", r.AttributedBy)
	}
	switch r.Formula {
	case F1, F2, F3, F4:
		return nil
	}
	return fmt.Errorf("formula %q is not among F1 to F4", r.Formula)
}

// by reports whether the report is grouped by the key.
func (r Request) by(key GroupKey) bool { return slices.Contains(r.GroupBy, key) }
