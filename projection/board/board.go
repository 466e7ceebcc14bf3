// Package board is the read model of who is where, now and at any instant.
//
// It keeps four tables: each ticket as it is now (its whole state in bytes beside what queries filter and order by), each
// ticket's spells (what its status and queue were when), every queue that was ever heard of with how many tickets stand in
// it, and the vendors' names. A ticket's rows are a function of its state, so it does not matter how many events brought
// it there; a queue's numbers are the sum of each event's difference, which needs no page to begin anywhere either. Names are resolved when answering, and stored in no other row.
package board

import (
	"time"

	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

// Model is the board's writes and its self-check.
type Model struct{ projection.Unordered }

var _ projection.ReadModel = Model{}

// ticketRow is a row of board_ticket_{set}.
type ticketRow struct {
	Ticket        string
	Status        string
	Queue         string
	CreatedAt     time.Time
	EnteredAt     time.Time // zero: NULL
	Priority      int32
	OrderAt       time.Time
	OrderPosition int64
	State         string // as stored; filled in to compare only
}

// ticketRowOf is the row of a ticket; none as long as nothing tells where it stands. The times that the queue's order
// and the lists need are never empty: where no delivery told the creation, the ticket is as old as what we know of it.
func ticketRowOf(id string, s ticket.State) (ticketRow, bool) {
	if s.Status == "" {
		return ticketRow{}, false
	}
	row := ticketRow{
		Ticket: id, Status: string(s.Status), Queue: s.Queue, Priority: int32(s.Priority),
		CreatedAt: projection.StoredTime(first(s.CreatedAt, firstKnown(s), s.LastReceivedAt)),
	}
	if n := len(s.Segments); n > 0 {
		row.EnteredAt, row.OrderPosition = s.Segments[n-1].EnteredAt, s.Segments[n-1].Position
	}
	row.OrderAt = projection.StoredTime(first(s.OrderAfter, row.EnteredAt, row.CreatedAt))
	row.EnteredAt = projection.StoredTime(row.EnteredAt)
	return row, true
}

// firstKnown is where the spells begin.
func firstKnown(s ticket.State) time.Time {
	if len(s.Spells) == 0 {
		return time.Time{}
	}
	return s.Spells[0].From
}

// first returns the first of the times that is not zero.
func first(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// spellRow is a row of board_spell_{set}, but for its number: they count from 1.
type spellRow struct {
	Status    string
	Queue     string
	From      time.Time
	To        time.Time // zero: NULL
	EnteredAt time.Time // zero: NULL
}

// spellRowsOf are the rows of a ticket's spells in order. An ended ticket is nowhere, so its end is no row.
func spellRowsOf(s ticket.State) []spellRow {
	var rows []spellRow
	entered := 0 // segments that were entered by the spell's beginning; spells are in order
	for _, p := range s.Spells {
		if p.Status == "" || p.Status.Ended() {
			continue
		}
		row := spellRow{
			Status: string(p.Status), Queue: p.Queue,
			From: projection.StoredTime(p.From), To: projection.StoredTime(p.To),
		}
		for entered < len(s.Segments) && !s.Segments[entered].EnteredAt.After(p.From) {
			entered++
		}
		if p.Status == ticket.StatusWaiting {
			row.EnteredAt = row.From
			if entered > 0 {
				row.EnteredAt = projection.StoredTime(s.Segments[entered-1].EnteredAt)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// queueRow is a row of board_queue_{set}: the last event that had to do with the queue, and how many tickets stand in it.
// In a page's changes the numbers are differences.
type queueRow struct {
	LastEventAt  time.Time
	LastPosition int64
	Waiting      int64
	Called       int64
	Serving      int64
	OnHold       int64
	Booked       int64
}

// count adds n tickets of a status.
func (q *queueRow) count(s ticket.Status, n int64) {
	switch s {
	case ticket.StatusWaiting:
		q.Waiting += n
	case ticket.StatusCalled:
		q.Called += n
	case ticket.StatusServing:
		q.Serving += n
	case ticket.StatusOnHold:
		q.OnHold += n
	case ticket.StatusBooked:
		q.Booked += n
	case ticket.StatusServed, ticket.StatusCancelled, ticket.StatusNoShow, ticket.StatusMerged, ticket.StatusExpired:
	}
}

// named is a row of board_name_{set}: the latest name.
type named struct {
	Name     string
	Position int64
}

// sums are the rows that belong to no ticket: of each queue and name what the last event said, and the queues' numbers.
type sums struct {
	queues map[string]*queueRow
	names  map[nameKey]named
}

func newSums() sums { return sums{map[string]*queueRow{}, map[nameKey]named{}} }

// add takes a change in. Changes may come in any order.
func (s sums) add(source string, c projection.Change) {
	for queue := range queuesOf(c) {
		if s.queues[queue] == nil {
			s.queues[queue] = &queueRow{}
		}
		q := s.queues[queue]
		q.LastPosition = max(q.LastPosition, c.Event.Position)
		// The latest receipt: what is retried out of the quarantine was received long before it was appended.
		if at := projection.StoredTime(c.Event.ReceivedAt); at.After(q.LastEventAt) {
			q.LastEventAt = at
		}
	}
	if c.Before.Status != "" {
		s.queues[c.Before.Queue].count(c.Before.Status, -1)
	}
	if c.After.Status != "" {
		s.queues[c.After.Queue].count(c.After.Status, 1)
	}
	for _, n := range c.Names {
		key := nameKey{source, string(n.Kind), n.ID}
		if c.Event.Position >= s.names[key].Position {
			s.names[key] = named{n.Name, c.Event.Position}
		}
	}
}

// queuesOf are the queues that an event had to do with: where its ticket was, where it is, and where the event says it
// was, which for a late delivery is neither.
func queuesOf(c projection.Change) map[string]bool {
	queues := map[string]bool{}
	if c.Before.Status != "" {
		queues[c.Before.Queue] = true
	}
	if c.After.Status != "" {
		queues[c.After.Queue] = true
	}
	if c.Ticket != "" && c.Says.Queue != "" {
		queues[c.Says.Queue] = true
	}
	return queues
}
