package history

import (
	"testing"
	"time"

	"queuetrack/eventstore"
	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

// A row for each event: what it costs to word it.
func BenchmarkRowOf(b *testing.B) {
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	c := projection.Change{
		Event:       eventstore.Event{Type: "ticket_called", OccurredAt: noon, ReceivedAt: noon},
		Says:        ticket.Observation{Status: ticket.StatusCalled, Queue: "104", Desk: "7", Agent: "4007", Label: "P123"},
		Transitions: []ticket.Transition{ticket.TransitionCalled},
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rowOf(c); err != nil {
			b.Fatal(err)
		}
	}
}
