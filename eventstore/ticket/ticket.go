package ticket

import "time"

// MaxFacts bounds what one ticket keeps. Later facts are left out and the ticket is flagged, except that an end
// takes the last one's place.
const MaxFacts = 1000

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
	WaitingSince time.Time // entry to the current segment, while Status is waiting
	CalledAt     time.Time // first call of the current (last) segment
	LastCalledAt time.Time // last call of all
	ServingSince time.Time // of the current (last) segment
	EndedAt      time.Time
	EndedBy      Actor
	Reason       string
	Calls        int // calls and re-calls, over all segments
	Returns      int

	Flags    []Flag    // sorted, each once
	Segments []Segment // one per stay in a queue, in order; empty for a booking that never began to wait
	Spells   []Spell   // what the status was when, in order, without gaps or overlaps

	LastPosition   int64     // of the last event folded into it
	LastReceivedAt time.Time // of the last event folded into it; expiry counts from here
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
