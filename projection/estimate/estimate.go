// Package estimate is the read model of waiting-time estimates: how long somebody who comes now has to wait, and how long
// somebody who waits has still to. metrics.md defines the predictor, and the report tells what its answers were worth.
//
// An estimate is a function of what the log had told until then, in the order of its positions, so that it can be computed
// again for any of them, and judged. Three steps lead to it:
//
//	event ──► moves ──────────► pasts and lines ──────────► finished waits
//	          who came, went    each queue's clock, pace,   what had been predicted
//	          (movesOf)         and who waits (folding)     at the arrival, and what came of it
//
// The moves of an event are a function of its own ticket (table estimate_move), so a rebuild gathers them ticket by
// ticket. Everything else depends on the order in which the tickets of a queue came and went: it is folded from the moves
// in the order of their positions, live with each page (Write), and after a filling, or when a ticket that stood still goes on, in a
// pass of its own over all moves of the source (Settle). The same moves in the same order give the same rows, to the bit.
//
// No clock takes part: a queue's clock is the latest instant that one of its moves told, and no move is dated later than
// its receipt, so that a vendor's clock that runs ahead can't stop it.
package estimate

import (
	"time"

	"queuetrack/projection"
)

// Model is the estimates' writes and their self-check.
type Model struct {
	// Zones are the sources' time zones: "today" is a local day. A source that has none here lives in UTC.
	Zones map[string]*time.Location
}

var _ projection.ReadModel = Model{}

// Tables are the estimates'.
func (Model) Tables() []string {
	return []string{"estimate_move_{set}", "estimate_line_{set}", "estimate_queue_{set}", "estimate_wait_{set}"}
}

func (m Model) zone(source string) *time.Location {
	if zone := m.Zones[source]; zone != nil {
		return zone
	}
	return time.UTC
}

// seconds as a column has them: NULL for none.
func nullSeconds(n int64) *int64 {
	if n == none {
		return nil
	}
	return &n
}

// orNone reads what nullSeconds wrote.
func orNone(n *int64) int64 {
	if n == nil {
		return none
	}
	return *n
}
