// Package wait is the read model of segments with their waits and services, and the wait report.
//
// One narrow row a segment (and one for each time on hold that interrupted a wait), with integer seconds: percentiles are
// exact and counted from the rows themselves, never from sketches or roll-ups, so a rebuild gives byte-equal reports. Every
// instant is truncated to the whole second before it is subtracted; so times in states add up exactly.
package wait

import (
	"time"

	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

// Model is the segments' writes and their self-check.
type Model struct{ projection.Unordered }

var _ projection.ReadModel = Model{}

// none stands for NULL in a segment's seconds, which may well be negative.
const none = -1 << 62

// segmentRow is a row of wait_segment_{set}, but for its number: they count from 1.
type segmentRow struct {
	Queue          string
	Desk           string
	Agent          string
	EnteredAt      time.Time
	CalledAt       time.Time // zero: NULL
	LeftAt         time.Time // zero: NULL
	Outcome        string
	WaitSeconds    int64 // none: NULL
	ServiceSeconds int64 // none: NULL
	SelfRegistered bool
	Recalls        int
}

// holdRow is a row of wait_hold_{set}, but for its number: they count from 1, over all of the ticket's segments.
type holdRow struct {
	Segment int
	FromAt  time.Time
	ToAt    time.Time // zero: NULL
}

// segmentRowsOf are the rows of a ticket's segments, in order.
func segmentRowsOf(s ticket.State) []segmentRow {
	rows := make([]segmentRow, 0, len(s.Segments))
	for _, seg := range s.Segments {
		row := segmentRow{
			Queue: seg.Queue, Desk: seg.Desk, Agent: seg.Agent, Outcome: string(seg.Outcome),
			EnteredAt: wholeSecond(seg.EnteredAt), CalledAt: wholeSecond(seg.CalledAt), LeftAt: wholeSecond(seg.LeftAt),
			WaitSeconds: none, ServiceSeconds: none, SelfRegistered: seg.Has(ticket.FlagSelfRegistered), Recalls: seg.Recalls,
		}
		if seconds, over := seg.Wait(); over {
			row.WaitSeconds = seconds
		}
		if seconds, served := seg.Service(); served {
			row.ServiceSeconds = seconds
		}
		rows = append(rows, row)
	}
	return rows
}

// holdRowsOf are the rows of what interrupted a ticket's waits, in order.
func holdRowsOf(s ticket.State) []holdRow {
	var rows []holdRow
	for i := range s.Segments {
		for _, part := range s.HoldsWaiting(i) {
			rows = append(rows, holdRow{Segment: i + 1, FromAt: wholeSecond(part.From), ToAt: wholeSecond(part.To)})
		}
	}
	return rows
}

// commonLength is how many rows two lists have in common at their beginning.
func commonLength[R comparable](a, b []R) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func wholeSecond(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// seconds is the column's value.
func seconds(n int64) *int64 {
	if n == none {
		return nil
	}
	return &n
}
