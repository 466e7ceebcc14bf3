// Package history is the read model of what happened to a ticket: its state after each of its events.
package history

import (
	"context"
	"errors"
	"time"

	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

var errStub = errors.New("stub")

// Entry is one event in a ticket's history.
type Entry struct {
	Position    int64
	Type        string // the vendor's
	Transitions []ticket.Transition
	OccurredAt  time.Time // zero: not told
	ReceivedAt  time.Time
	RepeatOf    int64             // 0: none
	Detail      map[string]string // what the event said: status, queue, desk, agent, label, by, reason; empty ones left out
}

// Of returns the ticket's entries after a position, in order, at most limit.
func Of(ctx context.Context, v *projection.View, source, id string, after int64, limit int) ([]Entry, error) {
	return nil, errStub
}

// Model is the history's writes.
type Model struct{ projection.ReadModel }
