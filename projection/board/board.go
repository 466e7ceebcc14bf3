// Package board is the read model of who is where, now and at any instant.
package board

import (
	"context"
	"errors"
	"time"

	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

var errStub = errors.New("stub")

// Queue is what stands in one queue.
type Queue struct {
	Source      string
	Queue       string
	Waiting     int64
	Called      int64
	Serving     int64
	OnHold      int64
	Booked      int64
	OldestEntry time.Time // earliest entry among those waiting; zero: nobody waits
	LastEventAt time.Time
}

// Filter chooses queues; empty fields choose all.
type Filter struct {
	Source string
	Queue  string
}

// Queues returns every known queue of the filter with what stands in it now, ordered by source and queue.
func Queues(ctx context.Context, v *projection.View, f Filter) ([]Queue, error) { return nil, errStub }

// QueuesAt is Queues at an instant, from the spells: what was true then, as known today. LastEventAt is the present one.
func QueuesAt(ctx context.Context, v *projection.View, f Filter, at time.Time) ([]Queue, error) {
	return nil, errStub
}

// Ticket is one ticket with its key.
type Ticket struct {
	Source string
	Ticket string
	ticket.State
}

// QueueTickets returns the open tickets of a queue in queue order (priority descending, then the vendor's order or the
// entry, then position), those of one status or of all open ones.
func QueueTickets(ctx context.Context, v *projection.View, source, queue string, status ticket.Status) ([]Ticket, error) {
	return nil, errStub
}

// TicketFilter chooses tickets; zero fields choose all. Created is half-open.
type TicketFilter struct {
	Source, Queue            string
	Status                   ticket.Status
	CreatedFrom, CreatedTo   time.Time
	After                    *Key // the last one of the page before
	Limit                    int
}

// Key is a ticket's place in the order newest first.
type Key struct {
	CreatedAt      time.Time
	Source, Ticket string
}

// Tickets returns tickets, newest first.
func Tickets(ctx context.Context, v *projection.View, f TicketFilter) ([]Ticket, error) { return nil, errStub }

// ErrUnknownTicket means that no event of the ticket has been folded.
var ErrUnknownTicket = errors.New("no such ticket")

// Find returns one ticket as it is now. For a past instant: ticket.State.At.
func Find(ctx context.Context, v *projection.View, source, id string) (Ticket, error) {
	return Ticket{}, errStub
}

// Names are the vendors' latest names.
type Names struct{ m map[nameKey]string }

type nameKey struct{ source, kind, id string }

// NamesOf returns the vendors' latest names of all sources, or of one.
func NamesOf(ctx context.Context, v *projection.View, source string) (Names, error) {
	return Names{}, errStub
}

// Queue returns the vendor's name of the queue, else "".
func (n Names) Queue(source, id string) string { return n.m[nameKey{source, "queue", id}] }

// Location returns the vendor's name of the location with this id, else "".
func (n Names) Location(source, id string) string { return n.m[nameKey{source, "location", id}] }

// QueueLocation returns what the vendor calls the location of the queue, else "".
func (n Names) QueueLocation(source, queue string) string {
	return n.m[nameKey{source, "queue_location", queue}]
}

// Model is the board's writes.
type Model struct{ projection.ReadModel }
