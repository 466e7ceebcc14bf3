// Package wait is the read model of segments with their waits and services, and the wait report.
package wait

import (
	"context"
	"errors"
	"time"

	"queuetrack/projection"
)

var errStub = errors.New("stub")

// GroupKey is a dimension that a report is grouped by.
type GroupKey string

// The dimensions.
const (
	BySource GroupKey = "source"
	ByQueue  GroupKey = "queue"
	ByDay    GroupKey = "day"
	ByHour   GroupKey = "hour"
)

// QueueID names a queue.
type QueueID struct{ Source, Queue string }

// Request asks for a report. Segments belong to the window by their entry; From and To are half-open.
type Request struct {
	Sources      []string  // at least one
	Queues       []QueueID // nil: all of Sources
	From, To     time.Time
	Zone         *time.Location // buckets' local time
	GroupBy      []GroupKey     // none, one or two
	Percentiles  []int          // of waits, services and abandoned waits: 1–99, ascending
	ServiceLevel int64          // threshold in seconds
	Formula      Formula
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
	Source string
	Queue  string
	Start  time.Time // of the bucket, in Zone; zero without a time group
	End    time.Time

	Offered, Served, Abandoned, NoShow, Cancelled, Returned, Transferred, Expired, Merged, Open int64

	Wait          Stats
	AbandonedWait Stats
	Service       Stats

	ServedWithin, AbandonedWithin int64
	ServiceLevel                  *float64 // nil: nothing to divide by

	Excluded map[string]int64 // negative_wait, negative_service, self_registered; only those above 0
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
	Items []Item // ordered by keys; with a time group every bucket of the window is there, empty ones too
}

// Run computes the report.
func Run(ctx context.Context, v *projection.View, r Request) (Report, error) { return Report{}, errStub }

// ServedSince counts, by queue, the segments served since an instant a source (its local midnight).
func ServedSince(ctx context.Context, v *projection.View, since map[string]time.Time) (map[QueueID]int64, error) {
	return nil, errStub
}

// Model is the segments' writes.
type Model struct{ projection.ReadModel }
