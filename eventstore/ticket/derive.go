package ticket

import (
	"slices"
	"time"
)

// derivation is a state on its way: the facts are stepped through in their order.
type derivation struct {
	s    State
	last *fact  // the last call stepped through
	born *fact  // the birth; nil when none was told
	held Status // what the present hold interrupted
}

// derive tells the state from all facts, and the transitions of those that are fresh.
func derive(facts []fact) (State, []Transition) {
	var d derivation
	var fresh []Transition
	ordered := order(facts)
	for _, f := range ordered {
		ts := d.step(f)
		if f.fresh {
			fresh = append(fresh, ts...)
		}
	}
	d.finish()
	return d.s, fresh
}

// step takes the state past one fact.
func (d *derivation) step(f *fact) []Transition {
	var ts []Transition
	if d.s.Queue == "" && f.Queue != "" && d.s.Status != "" {
		d.fillQueue(f.Queue)
	}
	switch {
	case f.Birth:
		ts = d.birth(f)
	case d.s.Status == "":
		d.implyBirth(f)
		ts = append([]Transition{d.firstTransition()}, d.move(f)...)
	default:
		ts = d.move(f)
	}
	d.take(f)
	d.flag(f.Flags...)
	if seg := d.segment(); seg != nil && slices.Contains(f.Flags, FlagSelfRegistered) {
		seg.flag(FlagSelfRegistered)
	}
	if f.Ahead {
		d.flag(FlagClockAhead)
	}
	if f.Assumed && slices.ContainsFunc(ts, Transition.moves) {
		d.flag(FlagTimeAssumed)
		if seg := d.segment(); seg != nil {
			seg.flag(FlagTimeAssumed)
		}
	}
	if f.Status == StatusCalled && d.isCall(f) {
		d.last = f
	}
	d.spell(f.At)
	return ts
}

// birth starts the ticket: as a booking, or waiting.
func (d *derivation) birth(f *fact) []Transition {
	d.born = f
	d.s.CreatedAt = f.At
	if !f.Told {
		d.flag(FlagCreationImplied)
	}
	d.start(f)
	return []Transition{d.firstTransition()}
}

// implyBirth starts a ticket whose creation no delivery told or mentioned, at its first fact.
func (d *derivation) implyBirth(f *fact) {
	d.s.CreatedAt = f.At
	d.flag(FlagCreationImplied)
	d.start(&fact{At: f.At, Position: f.Position, Queue: f.Queue, Booking: f.Status == StatusBooked})
}

func (d *derivation) start(f *fact) {
	if f.Booking {
		d.s.Status = StatusBooked
		return
	}
	d.enter(f)
}

func (d *derivation) firstTransition() Transition {
	if d.s.Status == StatusBooked {
		return TransitionBooked
	}
	return TransitionCreated
}

// take notes what the fact says of the ticket besides its status. A mention says it of its own step only.
func (d *derivation) take(f *fact) {
	s := &d.s
	s.Queue = or(f.Queue, s.Queue)
	if f.Desk != "" {
		s.Desk = f.Desk
	}
	if f.Agent != "" || f.Snapshot && f.Status != "" && !f.Birth {
		s.Agent = f.Agent
	}
	if seg := d.segment(); seg != nil && !seg.CalledAt.IsZero() && s.Status != StatusWaiting {
		seg.Desk, seg.Agent = or(s.Desk, seg.Desk), or(s.Agent, seg.Agent)
	}
	if f.Passing {
		return
	}
	s.Label = or(f.Label, s.Label)
	s.Priority, s.OrderAfter = f.Rank, f.Order
	if !f.For.IsZero() {
		s.BookedFor = f.For
	}
}

// fillQueue tells what was not known when the ticket began: it was in that queue from the start.
func (d *derivation) fillQueue(queue string) {
	d.s.Queue = queue
	for i := range d.s.Segments {
		d.s.Segments[i].Queue = or(d.s.Segments[i].Queue, queue)
	}
	for i := range d.s.Spells {
		d.s.Spells[i].Queue = or(d.s.Spells[i].Queue, queue)
	}
}

// spell closes the spell that lasts when the status or the queue is another now, and opens the next. Spells never run
// backwards, whatever the clocks; one that would be empty or negative is left out.
func (d *derivation) spell(at time.Time) {
	if n := len(d.s.Spells); n > 0 {
		last := &d.s.Spells[n-1]
		switch {
		case !last.To.IsZero(): // the ticket had ended
			at = later(at, last.To)
		case last.Status == d.s.Status && last.Queue == d.s.Queue:
			return
		case at.After(last.From):
			last.To = at
		default:
			at = last.From
			d.s.Spells = d.s.Spells[:n-1]
		}
	}
	if !d.s.Status.Ended() {
		d.s.Spells = append(d.s.Spells, Spell{Status: d.s.Status, Queue: d.s.Queue, From: at})
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// finish fills in what follows from the segments.
func (d *derivation) finish() {
	s := &d.s
	holds := holdsOf(s.Spells)
	for i := range s.Segments {
		seg := &s.Segments[i]
		seg.hold(holds)
		if wait, over := seg.Wait(); over && wait < 0 {
			seg.flag(FlagNegativeWait)
		}
		if service, ok := seg.Service(); ok && service < 0 {
			seg.flag(FlagNegativeService)
		}
		d.flag(seg.Flags...)
	}
	if seg := d.segment(); seg != nil {
		s.CalledAt, s.ServingSince = seg.CalledAt, seg.ServingAt
		if s.Status == StatusWaiting {
			s.WaitingSince = seg.EnteredAt
		}
	}
	slices.SortFunc(s.Calls, time.Time.Compare)
	s.countRecalls()
}

func (d *derivation) flag(flags ...Flag) {
	for _, f := range flags {
		if !slices.Contains(d.s.Flags, f) {
			d.s.Flags = unite(d.s.Flags, []Flag{f})
		}
	}
}

func (s *Segment) flag(f Flag) {
	if !s.Has(f) {
		s.Flags = unite(s.Flags, []Flag{f})
	}
}

// segment is the current (last) one; nil for a booking that never began to wait.
func (d *derivation) segment() *Segment {
	if len(d.s.Segments) == 0 {
		return nil
	}
	return &d.s.Segments[len(d.s.Segments)-1]
}
