package ticket

import (
	"sort"
	"time"
)

// enter opens a segment: the ticket waits in the fact's queue (the present one, if it doesn't say).
func (d *derivation) enter(f *fact) {
	queue := or(f.Queue, d.s.Queue)
	d.s.Queue, d.s.Status = queue, StatusWaiting
	d.s.Desk, d.s.Agent = "", ""
	d.s.Segments = append(d.s.Segments, Segment{
		Queue: queue, EnteredAt: f.At, Outcome: OutcomeOpen, Position: f.Position,
	})
}

// leave ends the segment.
func (d *derivation) leave(at time.Time, o Outcome) {
	seg := d.segment()
	seg.LeftAt, seg.Outcome = at, o
}

// called ends the wait of the segment.
func (d *derivation) called(f *fact) {
	d.segment().CalledAt = f.At
	d.s.Calls = append(d.s.Calls, f.At)
	d.s.Status = StatusCalled
}

// holdsOf are the spells on hold.
func holdsOf(spells []Spell) []Spell {
	var holds []Spell
	for _, sp := range spells {
		if sp.Status == StatusOnHold {
			holds = append(holds, sp)
		}
	}
	return holds
}

// hold tells from the ticket's holds how long the segment was on hold before its call and during its service. A hold
// that lasts counts up to the call, or not yet.
func (s *Segment) hold(holds []Spell) {
	s.HeldWaitingSeconds, s.HeldServiceSeconds = 0, 0
	service := s.ServingAt
	if service.IsZero() {
		service = s.CalledAt
	}
	// Holds are in order and don't overlap: those that can matter follow each other.
	begun := earlier(s.EnteredAt, service)
	first := sort.Search(len(holds), func(i int) bool { return holds[i].To.IsZero() || holds[i].To.After(begun) })
	for _, sp := range holds[first:] {
		if !s.LeftAt.IsZero() && !sp.From.Before(s.LeftAt) {
			break
		}
		s.HeldWaitingSeconds += overlap(sp, s.EnteredAt, earlier(s.CalledAt, s.LeftAt))
		if !service.IsZero() {
			s.HeldServiceSeconds += overlap(sp, service, s.LeftAt)
		}
	}
}

// HoldsWaiting are the parts of the ticket's holds that fell into the wait of one of its segments, in order: they take as
// long as HeldWaitingSeconds says. A part that lasts has no end.
func (s State) HoldsWaiting(segment int) []Spell {
	seg := s.Segments[segment]
	lasts := s.Status == StatusOnHold && segment == len(s.Segments)-1 && seg.CalledAt.IsZero()
	if seg.HeldWaitingSeconds == 0 && !lasts {
		return nil
	}
	var parts []Spell
	end := earlier(seg.CalledAt, seg.LeftAt)
	first := sort.Search(len(s.Spells), func(i int) bool { return s.Spells[i].To.IsZero() || s.Spells[i].To.After(seg.EnteredAt) })
	for _, sp := range s.Spells[first:] {
		if !end.IsZero() && !sp.From.Before(end) {
			break
		}
		part := Spell{Status: sp.Status, Queue: seg.Queue, From: later(sp.From, seg.EnteredAt), To: earlier(sp.To, end)}
		if sp.Status == StatusOnHold && (part.To.IsZero() || secondsBetween(part.From, part.To) > 0) {
			parts = append(parts, part)
		}
	}
	return parts
}

// countRecalls tells the calls that ended a wait from those that were repeated. Calls are in order, and each is of the
// segment whose first call came last. (A segment that began called, by a transfer, had its first call elsewhere.)
func (s *State) countRecalls() {
	calls := s.Calls
	for i := range s.Segments {
		seg := &s.Segments[i]
		if seg.Recalls = 0; seg.CalledAt.IsZero() {
			continue
		}
		for len(calls) > 0 && calls[0].Before(seg.CalledAt) {
			calls = calls[1:]
		}
		if len(calls) > 0 && calls[0].Equal(seg.CalledAt) {
			calls = calls[1:]
		}
		next := nextCall(s.Segments[i+1:])
		for len(calls) > 0 && (next.IsZero() || calls[0].Before(next)) {
			calls = calls[1:]
			seg.Recalls++
		}
	}
}

// nextCall is the first call of the first segment that was called.
func nextCall(segments []Segment) time.Time {
	for i := range segments {
		if !segments[i].CalledAt.IsZero() {
			return segments[i].CalledAt
		}
	}
	return time.Time{}
}

// overlap is how many seconds of the spell lie between two instants; a zero one is open. What is open on both sides lasts.
func overlap(sp Spell, from, to time.Time) int64 {
	end := earlier(sp.To, to)
	if end.IsZero() {
		return 0
	}
	return max(0, secondsBetween(later(sp.From, from), end))
}

// earlier is the earlier of two instants, of which a zero one never comes.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// implyEntry begins the wait of a booking whose activation we only know from what followed it.
func (d *derivation) implyEntry(f *fact) []Transition {
	d.enter(f)
	d.segment().flag(FlagEntryImplied)
	return []Transition{TransitionActivated}
}

// implyCall is the call that must have come before the fact. A snapshot that names an agent tells it itself: there the
// change of two things at once is no gap.
func (d *derivation) implyCall(f *fact) []Transition {
	var ts []Transition
	if d.s.Status == StatusBooked {
		ts = d.implyEntry(f)
	} else if !f.Status.Ended() {
		ts = moves(d.transfer(f))
	}
	d.called(f)
	if !f.Snapshot || f.Agent == "" {
		d.segment().flag(FlagCallImplied)
	}
	return append(ts, TransitionCalled)
}

// elsewhere reports whether the fact names another queue than the one the ticket is in.
func (d *derivation) elsewhere(f *fact) bool {
	return f.Queue != "" && d.s.Queue != "" && f.Queue != d.s.Queue
}

// transfer moves the ticket to the fact's queue, if that is another: the segment ends, and the next one begins. A ticket
// that was called (an agent took it along) stays called, and is by the fact's own word waiting otherwise.
func (d *derivation) transfer(f *fact) []Transition {
	if !d.elsewhere(f) {
		return []Transition{TransitionChanged}
	}
	before, serving := d.s.Status, false
	if seg := d.segment(); seg != nil {
		serving = !seg.ServingAt.IsZero()
	}
	d.leave(f.At, OutcomeTransferred)
	d.enter(f)
	if f.Status != StatusWaiting && (before == StatusCalled || before == StatusServing) {
		d.segment().CalledAt = f.At
		if serving {
			d.segment().ServingAt = f.At
		}
		d.s.Status = before
	}
	return []Transition{TransitionTransferred}
}

// outcome is how a segment ends when its ticket does.
func (s *Segment) outcome(end Status) Outcome {
	switch end {
	case StatusServed:
		return OutcomeServed
	case StatusNoShow:
		return OutcomeNoShow
	case StatusMerged:
		return OutcomeMerged
	case StatusExpired:
		return OutcomeExpired
	case StatusCancelled:
		if s.CalledAt.IsZero() {
			return OutcomeAbandoned
		}
		return OutcomeCancelled
	case StatusBooked, StatusWaiting, StatusCalled, StatusServing, StatusOnHold:
	}
	return OutcomeOpen
}

// endTransition is the transition into an ended status.
func endTransition(s Status) Transition {
	switch s {
	case StatusServed:
		return TransitionServed
	case StatusCancelled:
		return TransitionCancelled
	case StatusNoShow:
		return TransitionNoShow
	case StatusMerged:
		return TransitionMerged
	case StatusExpired:
		return TransitionExpired
	case StatusBooked, StatusWaiting, StatusCalled, StatusServing, StatusOnHold:
	}
	return TransitionChanged
}
