package ticket

import (
	"slices"
	"time"
)

// MaxFacts bounds what one ticket keeps. Later facts are left out and the ticket is flagged, except that an end
// takes the last one's place.
const MaxFacts = 1000

// Ticket is a ticket's facts and the State that they tell. The zero Ticket is one that no event was about. Tickets are
// values: Apply returns a new one.
type Ticket struct {
	facts []fact
	State
}

// State is a ticket as the facts known so far tell it. All times are UTC; a zero time has not happened (yet).
type State struct {
	Status     Status
	Queue      string
	Desk       string
	Agent      string
	Label      string
	Priority   int
	OrderAfter time.Time

	CreatedAt    time.Time
	BookedFor    time.Time // the appointed time of a booking, where the vendor tells it
	WaitingSince time.Time // entry to the current segment, while Status is waiting
	CalledAt     time.Time // first call of the current (last) segment
	ServingSince time.Time // of the current (last) segment
	EndedAt      time.Time
	EndedBy      Actor
	Reason       string
	Calls        []time.Time // calls and re-calls, over all segments, in order
	Returns      []time.Time // returns to wait, in order

	Flags    []Flag    // sorted, each once
	Segments []Segment // one per stay in a queue, in order; empty for a booking that never began to wait
	Spells   []Spell   // what the status was when, in order, without gaps or overlaps

	LastPosition   int64     // of the last event folded into it
	LastReceivedAt time.Time // the latest receipt of an event folded into it; expiry counts from here
}

// Segment is one stay in one queue: entered, called, left, with one outcome.
type Segment struct {
	Queue     string
	Desk      string
	Agent     string
	EnteredAt time.Time
	CalledAt  time.Time // the first call: it ends the wait, whatever re-calls follow
	ServingAt time.Time
	LeftAt    time.Time
	Outcome   Outcome
	Recalls   int // calls after the first one

	HeldWaitingSeconds int64 // on hold before the call: not part of the wait
	HeldServiceSeconds int64 // on hold after the call: not part of the service

	Position int64  // of the event that opened it; the last tie-break of the queue's order
	Flags    []Flag // sorted, each once
}

// Spell is a time in one status and queue: From ≤ t < To. To is zero for the one that lasts.
type Spell struct {
	Status Status
	Queue  string
	From   time.Time
	To     time.Time
}

// Wait returns the time in WAITING in whole seconds, and whether it is over: from the entry to the first call, or to
// leaving without one, less the holds. By a bad clock it may be negative.
func (s Segment) Wait() (seconds int64, over bool) {
	end := s.CalledAt
	if end.IsZero() {
		end = s.LeftAt
	}
	if end.IsZero() {
		return 0, false
	}
	return secondsBetween(s.EnteredAt, end) - s.HeldWaitingSeconds, true
}

// Service returns the time of service of a served segment in whole seconds: from the arrival at the desk (from the call,
// where the vendor reports no arrival) to the end, less the holds. By a bad clock it may be negative.
func (s Segment) Service() (seconds int64, ok bool) {
	if s.Outcome != OutcomeServed {
		return 0, false
	}
	start := s.ServingAt
	if start.IsZero() {
		start = s.CalledAt
	}
	return secondsBetween(start, s.LeftAt) - s.HeldServiceSeconds, true
}

// Has reports whether the segment carries the flag.
func (s Segment) Has(f Flag) bool { return slices.Contains(s.Flags, f) }

// LastCalledAt is the last call or re-call; zero when never called.
func (s State) LastCalledAt() time.Time {
	if len(s.Calls) == 0 {
		return time.Time{}
	}
	return s.Calls[len(s.Calls)-1]
}

// ExpiresFrom is the instant that expiry counts from: the last event received, but not before the time of a booking.
func (s State) ExpiresFrom() time.Time {
	if s.Status == StatusBooked {
		return later(s.LastReceivedAt, s.BookedFor)
	}
	return s.LastReceivedAt
}

// WaitSeconds is the ticket's wait so far: the sum over its segments, the one that lasts counted up to now.
func (s State) WaitSeconds(now time.Time) int64 {
	var sum int64
	for _, seg := range s.Segments {
		if wait, over := seg.Wait(); over {
			sum += wait
			continue
		}
		until := now
		if s.Status == StatusOnHold {
			until = s.Spells[len(s.Spells)-1].From
		}
		sum += max(0, secondsBetween(seg.EnteredAt, until)-seg.HeldWaitingSeconds)
	}
	return sum
}

// ServiceSeconds is the sum over the served segments; false when there is none.
func (s State) ServiceSeconds() (sum int64, ok bool) {
	for _, seg := range s.Segments {
		if service, served := seg.Service(); served {
			sum, ok = sum+service, true
		}
	}
	return sum, ok
}

// secondsBetween truncates both instants to the whole second first, so that states add up exactly.
func secondsBetween(from, to time.Time) int64 { return to.Unix() - from.Unix() }
