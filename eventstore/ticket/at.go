package ticket

import (
	"slices"
	"time"
)

// At is the ticket as it was at an instant, as known today: from the segments' and spells' own times. Its Status is empty
// when the ticket did not exist yet. Label, priority, flags and the last event are the present ones, and an end that the
// vendor corrected later is the corrected one.
func (s State) At(t time.Time) State {
	if t.Before(s.CreatedAt) {
		return State{}
	}
	past := s
	past.Calls = until(s.Calls, t)
	past.Returns = until(s.Returns, t)
	past.Segments, past.Spells = nil, nil
	for _, seg := range s.Segments {
		if !seg.EnteredAt.After(t) {
			past.Segments = append(past.Segments, seg.at(t))
		}
	}
	past.statusAt(t, s)
	holds := holdsOf(past.Spells)
	for i := range past.Segments {
		past.Segments[i].hold(holds)
	}
	past.countRecalls()
	return past
}

func until(times []time.Time, t time.Time) []time.Time {
	return slices.DeleteFunc(slices.Clone(times), func(at time.Time) bool { return at.After(t) })
}

// at is the segment without what came after t.
func (s Segment) at(t time.Time) Segment {
	if !s.LeftAt.IsZero() && !s.LeftAt.After(t) {
		return s
	}
	s.LeftAt, s.Outcome = time.Time{}, OutcomeOpen
	if s.ServingAt.After(t) {
		s.ServingAt = time.Time{}
	}
	if s.CalledAt.After(t) {
		s.CalledAt, s.Desk, s.Agent = time.Time{}, "", ""
	}
	return s
}

// statusAt fills in what follows from the spells and segments left.
func (s *State) statusAt(t time.Time, now State) {
	s.WaitingSince, s.CalledAt, s.ServingSince = time.Time{}, time.Time{}, time.Time{}
	s.Status, s.Queue, s.Desk, s.Agent = "", "", "", ""
	for _, sp := range now.Spells {
		if sp.From.After(t) {
			break
		}
		s.Queue = sp.Queue
		if !sp.To.IsZero() && !sp.To.After(t) {
			s.Spells = append(s.Spells, sp)
			continue
		}
		sp.To = time.Time{}
		s.Spells = append(s.Spells, sp)
		s.Status = sp.Status
	}
	if n := len(s.Segments); n > 0 {
		seg := s.Segments[n-1]
		s.CalledAt, s.ServingSince = seg.CalledAt, seg.ServingAt
		s.Desk, s.Agent = seg.Desk, seg.Agent
		if s.Status == StatusWaiting {
			s.WaitingSince = seg.EnteredAt
		}
	}
	s.endAt(t, now)
}

// endAt tells an end before t: the ticket's, or the one that a reopening undid.
func (s *State) endAt(t time.Time, now State) {
	switch {
	case s.Status != "":
		s.EndedAt, s.EndedBy, s.Reason = time.Time{}, "", ""
	case !now.EndedAt.IsZero() && !now.EndedAt.After(t):
		s.Status, s.Queue, s.Desk, s.Agent = now.Status, now.Queue, now.Desk, now.Agent
	case len(s.Segments) > 0 && s.Segments[len(s.Segments)-1].Outcome != OutcomeOpen:
		seg := s.Segments[len(s.Segments)-1]
		s.Status, s.EndedAt, s.EndedBy, s.Reason = seg.Outcome.status(), seg.LeftAt, "", ""
	default: // clocks ran backwards: the spells tell nothing about t
		s.Status, s.Queue = now.Status, now.Queue
	}
}

// status is the ticket's after a segment that ended so.
func (o Outcome) status() Status {
	switch o {
	case OutcomeServed:
		return StatusServed
	case OutcomeNoShow:
		return StatusNoShow
	case OutcomeAbandoned, OutcomeCancelled:
		return StatusCancelled
	case OutcomeMerged:
		return StatusMerged
	case OutcomeExpired:
		return StatusExpired
	case OutcomeOpen, OutcomeReturned, OutcomeTransferred:
	}
	return StatusWaiting
}
