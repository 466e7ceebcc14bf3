package ticket

import (
	"slices"
	"time"
)

// Apply folds one observation into the ticket: the ticket as all facts known now tell it, and what the observation
// itself brought about (at least one transition: changed, when nothing moved). The ticket given is left as it was.
func Apply(t Ticket, o Observation) (Ticket, []Transition) {
	facts := append(make([]fact, 0, len(t.facts)+1), t.facts...)
	for i := range facts {
		facts[i].fresh, facts[i].freshEntry = false, false
	}
	own := o.Status == StatusExpired
	if !own && o.Status != "" && o.Says != TransitionFeedback {
		facts = slices.DeleteFunc(facts, func(f fact) bool { return f.Status == StatusExpired })
	}
	if !own || o.Seen == 0 || t.LastPosition <= o.Seen {
		facts = addAll(facts, t.State, o)
	}
	state, transitions := t.State, []Transition(nil)
	if t.LastPosition == 0 || !repeat(facts, t.facts) {
		state, transitions = derive(facts)
	}
	state.LastPosition, state.LastReceivedAt = o.Position, later(t.LastReceivedAt, o.ReceivedAt)
	if own {
		state.LastReceivedAt = t.LastReceivedAt
	}
	return Ticket{facts: facts, State: state}, settle(transitions, o)
}

// usual is how many facts an observation tells at most, mostly.
const usual = 4

// settle leaves out the mere changes among the moves; an observation that moved nothing is one.
func settle(ts []Transition, o Observation) []Transition {
	ts = moves(ts)
	switch {
	case o.Says == TransitionFeedback:
		return append(ts, TransitionFeedback)
	case len(ts) == 0 && o.Says == TransitionBookingUpdated:
		return []Transition{TransitionBookingUpdated}
	case len(ts) == 0:
		return []Transition{TransitionChanged}
	}
	return ts
}

// moves reports whether the transition moves the ticket, so that its time matters.
func (t Transition) moves() bool {
	return t != TransitionChanged && t != TransitionBookingUpdated && t != TransitionFeedback
}

// moves leaves out the mere changes.
func moves(ts []Transition) []Transition {
	return slices.DeleteFunc(ts, func(t Transition) bool { return t == TransitionChanged })
}

// addAll adds what the observation tells to the facts.
func addAll(facts []fact, known State, o Observation) []fact {
	var room [usual]fact
	o = dated(o, facts)
	told := factsOf(room[:0], &o)
	if o.Returns && o.Says == TransitionCreated && o.Status == StatusWaiting {
		switch {
		case entered(facts):
			told = append(told, again(o))
		case known.pastEntry(): // the booking's own "created" came before, and this is no entry any more
			told[0].EntryAt, told[0].freshEntry = time.Time{}, false
			told = append(told, again(o))
		}
	}
	for i := range told {
		if known.Status != "" && told[i].edits(&known) {
			continue
		}
		facts = add(facts, &told[i])
	}
	if len(facts) == 0 { // feedback about a ticket never heard of: it exists
		facts = append(facts, fact{Birth: true, Passing: true, At: o.ReceivedAt, Assumed: true, Position: o.Position, fresh: true})
	}
	return facts
}

// pastEntry reports whether the ticket has been called out of a wait that was told: not one that the call implied.
func (s *State) pastEntry() bool {
	if s.Status != StatusCalled && s.Status != StatusServing || slices.Contains(s.Flags, FlagCreationImplied) {
		return false
	}
	return !slices.ContainsFunc(s.Segments, func(seg Segment) bool { return seg.Has(FlagEntryImplied) })
}

// entered reports whether a delivery told that the ticket was created, waiting.
func entered(facts []fact) bool {
	for i := range facts {
		if facts[i].Birth && !facts[i].EntryAt.IsZero() {
			return true
		}
	}
	return false
}

// dated takes the time from a re-call that repeats the date of a call already told: it happened when we heard of it.
// (Qminder's own samples do so; a re-call with a date of its own is told again by that date.)
func dated(o Observation, facts []fact) Observation {
	recall := o.Says == TransitionRecalled || o.Says == TransitionCreated
	if o.Snapshot || o.Status != StatusCalled || !recall {
		return o
	}
	for i := range facts {
		if f := &facts[i]; f.Status == StatusCalled && f.Says == TransitionCalled && f.At.Equal(o.At) {
			o.At = time.Time{}
			break
		}
	}
	return o
}

// edits reports whether the fact is a milestone sender's edit that changes nothing we keep. Such a fact would only use
// up the ticket's room.
func (f *fact) edits(known *State) bool {
	return f.Says == TransitionChanged && !f.Snapshot && !f.Passing && len(f.Flags) == 0 &&
		(f.Status == known.Status || f.Status == "") && (f.Queue == known.Queue || f.Queue == "") &&
		(f.Desk == known.Desk || f.Desk == "") && (f.Agent == known.Agent || f.Agent == "") &&
		(f.Label == known.Label || f.Label == "") && f.Rank == known.Priority && f.Order.Equal(known.OrderAfter)
}

// add joins the fact to the one that it tells again, else keeps it beside the others, up to MaxFacts.
func add(facts []fact, f *fact) []fact {
	for i := range facts {
		if f.same(&facts[i]) {
			facts[i] = merge(&facts[i], f)
			return facts
		}
	}
	if len(facts) < MaxFacts {
		return append(facts, *f)
	}
	facts[0].Flags = unite(facts[0].Flags, []Flag{FlagTooManyFacts})
	if f.Status.Ended() {
		facts[len(facts)-1] = *f
	}
	return facts
}
