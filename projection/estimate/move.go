package estimate

import (
	"time"

	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

// kind is what a move is.
type kind string

// The kinds.
const (
	arrived  kind = "arrived"  // began to wait
	moved    kind = "moved"    // has another place in the line, or is back in it
	withdrew kind = "withdrew" // does not wait, without having left: on hold, or never was there after all
	called   kind = "called"   // left WAITING with a call
	left     kind = "left"     // left WAITING without one: cancelled, removed, transferred, expired
)

// move is what an event told of a line. The estimates are folded from moves alone.
type move struct {
	Ticket        string
	Position      int64 // of the event,
	N             int32 // and which of its moves, from 1
	Segment       int32 // from 1
	Kind          kind
	Queue         string
	At            time.Time // whole seconds
	Priority      int32
	OrderAt       time.Time
	OrderPosition int64
	Wait          int64 // of a call, in seconds; none: it can't be counted
}

// none stands for a NULL in seconds.
const none = -1

func (m move) standing() standing { return standing{m.Ticket, m.Segment} }

// place is a segment as the line sees it.
type place struct {
	queue   string
	waits   bool
	called  bool
	at      time.Time // it began to wait, or stopped
	entered time.Time
	order   time.Time
	wait    int64
}

// movesOf tells what an event did to the lines: the ticket's segments before and after it, held against each other. It is
// a function of the ticket's own events, so moves can be told ticket by ticket, in any order of tickets.
func movesOf(c projection.Change) []move {
	if c.Ticket == "" {
		return nil
	}
	f := told{change: c}
	for i := range max(len(c.Before.Segments), len(c.After.Segments)) {
		f.segment(i)
	}
	return f.moves
}

// told gathers the moves of one event.
type told struct {
	change projection.Change
	moves  []move
}

func (f *told) segment(i int) {
	before, known := placeOf(f.change.Before, i)
	after, there := placeOf(f.change.After, i)
	switch {
	case !known && !there:
	case !known && after.waits:
		f.tell(i, arrived, after)
	case !known:
		if after.entered.Before(after.at) { // who never waited leaves nothing
			f.gone(i, after, after.queue)
		}
	case !there:
		if before.waits {
			f.tell(i, withdrew, before)
		}
	case before.waits && after.waits:
		f.stays(i, before, after)
	case before.waits:
		f.gone(i, after, before.queue)
	case after.waits:
		f.tell(i, moved, after)
	}
}

// stays is a segment that waits before and after.
func (f *told) stays(i int, before, after place) {
	b, a := f.change.Before, f.change.After
	if before.queue != after.queue {
		f.tell(i, withdrew, before)
	}
	if before.queue != after.queue || !before.entered.Equal(after.entered) || !before.order.Equal(after.order) || b.Priority != a.Priority {
		f.tell(i, moved, after)
	}
}

// gone is a segment that waited in a queue, or must have, and waits no longer.
func (f *told) gone(i int, after place, queue string) {
	k := left
	switch {
	case after.called:
		k = called
	case after.at.IsZero():
		k = withdrew
	}
	after.queue = queue
	f.tell(i, k, after)
}

func (f *told) tell(i int, k kind, p place) {
	c := f.change
	m := move{
		Ticket: c.Ticket, Position: c.Event.Position, N: int32(len(f.moves) + 1), Segment: int32(i + 1), Kind: k, Queue: p.queue,
		At: f.instant(p.at), Priority: int32(c.After.Priority), OrderAt: projection.StoredTime(p.order), Wait: none,
	}
	if s := c.After.Segments; i < len(s) {
		m.OrderPosition = s[i].Position
	}
	if k == called {
		m.Wait = p.wait
	}
	f.moves = append(f.moves, m)
}

// instant is a time that an event told: nobody knows of what is still to come, so no clock runs ahead of the receipt.
func (f *told) instant(t time.Time) time.Time {
	received := f.change.Event.ReceivedAt
	if t.IsZero() || t.After(received) {
		t = received
	}
	return t.UTC().Truncate(time.Second)
}

// placeOf is the state's segment with this index; false when there is none, or it never was in a line: a request that had
// an owner from the start.
func placeOf(s ticket.State, i int) (place, bool) {
	if i >= len(s.Segments) {
		return place{}, false
	}
	seg := s.Segments[i]
	if seg.Has(ticket.FlagSelfRegistered) {
		return place{}, false
	}
	p := place{queue: seg.Queue, entered: seg.EnteredAt, order: seg.EnteredAt, called: !seg.CalledAt.IsZero(), wait: none}
	if !s.OrderAfter.IsZero() {
		p.order = s.OrderAfter
	}
	over := p.called || !seg.LeftAt.IsZero()
	p.waits = !over && s.Status == ticket.StatusWaiting && i == len(s.Segments)-1
	switch {
	case p.waits:
		p.at = seg.EnteredAt
	case p.called:
		p.at = seg.CalledAt
		if wait, ok := seg.Wait(); ok && wait >= 0 {
			p.wait = wait
		}
	default:
		p.at = seg.LeftAt // zero: on hold
	}
	return p, true
}
