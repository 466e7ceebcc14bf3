package ticket

import (
	"slices"
	"time"
)

// fact is one thing known about a ticket, with its time. A field is stored by its line in code (encode.go).
type fact struct {
	At       time.Time
	Status   Status     // what held from then on; empty: nothing moved
	Says     Transition // what the vendor called it
	Position int64      // of the delivery that told it first, if only in passing
	Again    int64      // of the last delivery past a call that told it; kept for calls

	Passing  bool // only mentioned, by a delivery about something else
	Assumed  bool // At is a receipt: the vendor told no time
	Ahead    bool // At was later than its receipt
	Snapshot bool // by a snapshot sender

	Birth   bool      // the ticket's (or its booking's) creation; at most one
	Told    bool      // a birth that a delivery was about
	Booking bool      // a birth as a booking: it doesn't wait yet
	EntryAt time.Time // a birth's: receipt of the delivery that said "created, waiting"
	Created time.Time // the creation that a repeated "created" claims
	CallAt  time.Time // the call that a return undid
	Order   time.Time // OrderAfter
	For     time.Time // BookedFor
	Queue   string
	Desk    string
	Agent   string
	Label   string
	Rank    int // Priority
	By      Actor
	Reason  string
	Flags   []Flag

	fresh      bool // added by the observation being applied
	freshEntry bool // EntryAt was
	placed     bool // At was taken from the call that followed
}

// factsOf reads an observation: the birth (if it tells one), the steps it mentions, and its own step (if it is one).
// It appends them.
func factsOf(facts []fact, o *Observation) []fact {
	facts = appendBirth(facts, o)
	facts = appendPassing(facts, o)
	facts = appendStep(facts, o)
	for i := range facts {
		f := &facts[i]
		f.Position, f.Snapshot, f.fresh = o.Position, o.Snapshot, true
		f.Ahead = f.At.After(o.ReceivedAt)
		if o.pastCall() && f.Status == StatusCalled && !f.Assumed {
			f.Again = o.Position
		}
	}
	return facts
}

// pastCall reports whether the status is one that only follows a call: its call date is then the last call's.
func (o *Observation) pastCall() bool {
	switch o.Status {
	case StatusCalled, StatusServing, StatusServed, StatusNoShow:
		return true
	case StatusBooked, StatusWaiting, StatusOnHold, StatusCancelled, StatusMerged, StatusExpired:
	}
	return false
}

// when is the observation's own time, and whether the receipt had to stand in for it.
func (o *Observation) when() (at time.Time, assumed bool) {
	if o.At.IsZero() {
		return o.ReceivedAt, true
	}
	return o.At, false
}

// appendBirth adds the creation that the observation tells, or mentions in passing.
func appendBirth(facts []fact, o *Observation) []fact {
	told := o.Says == TransitionCreated || o.Says == TransitionBooked
	f := fact{Birth: true, Told: told, Passing: !told, Booking: o.Booking || o.Status == StatusBooked, At: o.CreatedAt}
	if told && (f.At.IsZero() || o.Snapshot) {
		f.At, f.Assumed = o.when()
	}
	if f.At.IsZero() {
		return facts
	}
	if !told {
		return append(facts, f)
	}
	if o.Says == TransitionCreated && o.Status == StatusWaiting {
		f.EntryAt, f.freshEntry = o.ReceivedAt, true
	}
	f.Queue, f.Label, f.Rank, f.Order, f.For = o.Queue, o.Label, o.Priority, o.OrderAfter, o.BookedFor
	if o.entersAtBirth() {
		f.Flags, f.Reason = o.Flags, o.Reason
	}
	return append(facts, f)
}

// entersAtBirth reports whether the observation is the creation and nothing else.
func (o *Observation) entersAtBirth() bool {
	return (o.Says == TransitionCreated || o.Says == TransitionBooked) &&
		(o.Status == StatusWaiting || o.Status == StatusBooked || o.Status == "")
}

// appendPassing adds the steps that a milestone sender's payload mentions besides its own.
func appendPassing(facts []fact, o *Observation) []fact {
	if o.Says != TransitionActivated {
		facts = o.mention(facts, StatusWaiting, o.ActivatedAt)
	}
	facts = o.mention(facts, StatusCalled, o.CalledAt)
	facts = o.mention(facts, StatusServing, o.ServingAt)
	if o.Says == TransitionChanged && !o.Snapshot && (o.pastCall() || o.Status == StatusCancelled) && !o.At.Equal(o.CalledAt) {
		facts = o.mention(facts, o.Status, o.At)
	}
	return facts
}

// mention adds a step, if the payload tells its time and is not about it.
func (o *Observation) mention(facts []fact, status Status, at time.Time) []fact {
	if at.IsZero() || (status == o.Status && at.Equal(o.At) && o.Says != TransitionChanged) {
		return facts
	}
	facts = append(facts, fact{Status: status, At: at, Passing: true})
	f := &facts[len(facts)-1]
	switch status {
	case StatusCalled:
		f.Desk, f.Agent = o.Desk, o.Agent
	case StatusWaiting:
		f.Says = TransitionActivated
	case StatusBooked, StatusServing, StatusOnHold, StatusServed, StatusCancelled, StatusNoShow, StatusMerged, StatusExpired:
	}
	return facts
}

// appendStep adds the observation's own step. A milestone sender's edit is when we heard of it: the time that its payload
// gives is the status', and mentioned in passing.
func appendStep(facts []fact, o *Observation) []fact {
	if o.entersAtBirth() || o.Says == TransitionFeedback {
		return facts
	}
	f := fact{
		Status: o.Status, Says: o.Says, Queue: o.Queue, Desk: o.Desk, Agent: o.Agent, Label: o.Label,
		Rank: o.Priority, Order: o.OrderAfter, For: o.BookedFor, By: o.By, Reason: o.Reason, Flags: o.Flags,
	}
	f.At, f.Assumed = o.when()
	if o.Says == TransitionChanged && !o.Snapshot {
		f.At, f.Assumed = o.ReceivedAt, true
	}
	if o.Says == TransitionReturned {
		f.CallAt = o.CalledAt
	}
	return append(facts, f)
}

// again is the step that a repeated "created, waiting" stands for: a return, a reopening, or a late retry.
func again(o Observation) fact {
	return fact{
		Status: StatusWaiting, Says: TransitionCreated, At: o.ReceivedAt, Assumed: true, Created: o.CreatedAt,
		Position: o.Position, Queue: o.Queue, Label: o.Label, Rank: o.Priority, Order: o.OrderAfter, fresh: true,
	}
}

// same reports whether two facts are one, told twice.
func (f *fact) same(g *fact) bool {
	switch {
	case f.Birth || g.Birth:
		return f.Birth && g.Birth
	case f.Assumed || g.Assumed || f.Status == "":
		return false
	case f.Snapshot:
		return f.Status == g.Status && f.At.Equal(g.At) && f.Queue == g.Queue && f.Agent == g.Agent
	}
	return f.Status == g.Status && f.At.Equal(g.At)
}

// merge joins what two tellings of one fact say. The one that was about it outranks the mention; between two alike the
// earlier delivery does, and the later one fills in.
func merge(f, g *fact) fact {
	if f.Passing && !g.Passing || (f.Birth && f.Passing && g.Passing && g.At.Before(f.At)) {
		f, g = g, f
	}
	m := *f
	m.fresh, m.Position = false, min(f.Position, g.Position)
	m.Again = max(f.Again, g.Again)
	m.Ahead = f.Ahead || g.Ahead
	m.Booking = f.Booking || g.Booking
	m.EntryAt, m.freshEntry = f.EntryAt, f.freshEntry
	if m.EntryAt.IsZero() {
		m.EntryAt, m.freshEntry = g.EntryAt, g.freshEntry
	}
	m.Queue = or(f.Queue, g.Queue)
	m.Desk = or(f.Desk, g.Desk)
	m.Agent = or(f.Agent, g.Agent)
	m.Label = or(f.Label, g.Label)
	m.Reason = or(f.Reason, g.Reason)
	m.Flags = unite(f.Flags, g.Flags)
	return m
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// unite returns the flags of both, sorted, each once, in a slice of its own.
func unite(a, b []Flag) []Flag {
	if len(a)+len(b) == 0 {
		return nil
	}
	u := append(slices.Clone(a), b...)
	slices.Sort(u)
	return slices.Compact(u)
}
