// Package board is the read model of who is where, now and at any instant.
//
// It keeps four tables: each ticket as it is now (its whole state as JSON beside what queries filter and order by), each
// ticket's spells (what its status and queue were when), every queue that was ever heard of, and the vendors' names.
// A ticket's rows are a function of its state, so it does not matter how many events brought it there; a queue's and a
// name's row is the one of the highest position. Names are resolved when answering, and stored in no other row.
package board

import (
	"time"

	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

// Model is the board's writes and its self-check.
type Model struct{}

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
	State         string
}

// ticketRowOf is the row of a ticket; none as long as nothing tells where it stands. The times that the queue's order
// and the lists need are never empty: where no delivery told the creation, the ticket is as old as what we know of it.
func ticketRowOf(id string, s ticket.State, stored string) (ticketRow, bool) {
	if s.Status == "" {
		return ticketRow{}, false
	}
	row := ticketRow{
		Ticket: id, Status: string(s.Status), Queue: s.Queue, Priority: int32(s.Priority), State: stored,
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
	for _, p := range s.Spells {
		if p.Status == "" || p.Status.Ended() {
			continue
		}
		row := spellRow{
			Status: string(p.Status), Queue: p.Queue,
			From: projection.StoredTime(p.From), To: projection.StoredTime(p.To),
		}
		if p.Status == ticket.StatusWaiting {
			row.EnteredAt = projection.StoredTime(entryOf(s, p))
		}
		rows = append(rows, row)
	}
	return rows
}

// entryOf is the entry to the segment that a spell of waiting belongs to.
func entryOf(s ticket.State, p ticket.Spell) time.Time {
	entered := p.From
	for _, seg := range s.Segments {
		if seg.EnteredAt.After(p.From) {
			break
		}
		entered = seg.EnteredAt
	}
	return entered
}

// visit is a row of board_queue_{set}: the last event that had to do with the queue.
type visit struct {
	LastEventAt  time.Time
	LastPosition int64
}

// named is a row of board_name_{set}: the latest name.
type named struct {
	Name     string
	Position int64
}

// latest are the rows that belong to no ticket: of all events that speak of a queue or a name, the last one's.
type latest struct {
	queues map[string]visit
	names  map[nameKey]named
}

func newLatest() latest { return latest{map[string]visit{}, map[nameKey]named{}} }

// add takes a change in. Changes may come in any order.
func (l latest) add(source string, c projection.Change) {
	for queue := range queuesOf(c) {
		if c.Event.Position > l.queues[queue].LastPosition {
			l.queues[queue] = visit{projection.StoredTime(c.Event.ReceivedAt), c.Event.Position}
		}
	}
	for _, n := range c.Names {
		key := nameKey{source, string(n.Kind), n.ID}
		if c.Event.Position >= l.names[key].Position {
			l.names[key] = named{n.Name, c.Event.Position}
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
