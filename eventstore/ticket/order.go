package ticket

import (
	"cmp"
	"slices"
	"time"
)

// order returns the facts in the order in which they happened: the birth first, then by time, and within one instant
// by the course of an ordinary visit, then by arrival.
//
// They are pointers into the list given, which stays as it was, but for the returns that have another place.
func order(facts []fact) []*fact {
	ordered := make([]*fact, len(facts), len(facts)+1)
	var calls []call
	for i := range facts {
		ordered[i] = &facts[i]
		if !facts[i].wanders() {
			continue
		}
		if calls == nil {
			calls = callsOf(facts)
		}
		placed := facts[i]
		placed.placeReturn(calls)
		ordered[i] = &placed
	}
	if entry := entryOfBooking(facts); entry != nil {
		ordered = append(ordered, entry)
	}
	slices.SortStableFunc(ordered, (*fact).compare)
	return ordered
}

func (f *fact) compare(g *fact) int {
	if c := cmp.Compare(f.group(), g.group()); c != 0 {
		return c
	}
	if c := f.instant().Compare(g.instant()); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(f.rank(), g.rank()), f.At.Compare(g.At), cmp.Compare(f.Position, g.Position))
}

// entryOfBooking is the step that a "created, waiting" is for a ticket that was booked: it began to wait when we heard
// of it, not when the booking was made.
func entryOfBooking(facts []fact) *fact {
	for i := range facts {
		if f := &facts[i]; f.Birth && f.Booking && !f.EntryAt.IsZero() {
			return &fact{
				Status: StatusWaiting, Says: TransitionActivated, At: f.EntryAt, Assumed: true,
				Position: f.Position, Rank: f.Rank, Order: f.Order, fresh: f.freshEntry,
			}
		}
	}
	return nil
}

// wanders reports whether the fact is a return without a time of its own.
func (f *fact) wanders() bool {
	return f.Status == StatusWaiting && f.Assumed && !f.Birth && f.Says != TransitionActivated
}

// placeReturn moves a return without a time of its own to before the next call, if that was earlier than the receipt of
// the return: the call that it undid is the one that it names, else the last one that had been told before it.
func (f *fact) placeReturn(calls []call) {
	undone := f.CallAt
	for _, c := range calls {
		if f.CallAt.IsZero() && c.position < f.Position && c.at.After(undone) {
			undone = c.at
		}
	}
	if undone.IsZero() {
		return
	}
	for _, c := range calls {
		if c.at.After(undone) && c.at.Before(f.At) {
			f.At, f.placed = c.at, true
		}
	}
}

// call is a call with a time of its own.
type call struct {
	at       time.Time
	position int64
}

func callsOf(facts []fact) []call {
	calls := []call{}
	for i := range facts {
		if f := &facts[i]; f.Status == StatusCalled && !f.Assumed && !f.Snapshot {
			calls = append(calls, call{f.At, f.Position})
		}
	}
	return calls
}

func (f *fact) group() int {
	if f.Birth {
		return 0
	}
	return 1
}

// instant is the time to compare by. Milestone senders mix precisions of a millisecond and of a second within one
// ticket, so the times that they tell are compared by the second; a receipt and a snapshot's own time are exact.
func (f *fact) instant() time.Time {
	if f.Snapshot || f.Assumed && !f.placed {
		return f.At
	}
	return f.At.Truncate(time.Second)
}

// rank is the place of the fact in the course of an ordinary visit. A return that shares its instant with a call comes
// before it: either it was placed there, or the call is the one that followed.
func (f *fact) rank() int {
	switch f.Status {
	case StatusBooked:
		return 1
	case StatusWaiting:
		return 2
	case StatusCalled:
		return 3
	case StatusServing:
		return 4
	case StatusOnHold:
		return 5
	case StatusServed, StatusCancelled, StatusNoShow, StatusMerged:
		return 7
	case StatusExpired:
		return 8
	}
	return 6
}
