package ticket

import (
	"slices"
	"time"
)

// Same reports whether two states tell the same, but for the event that was folded into them last.
func (s State) Same(o State) bool {
	return s.Status == o.Status && s.Queue == o.Queue && s.Desk == o.Desk && s.Agent == o.Agent && s.Label == o.Label &&
		s.Priority == o.Priority && s.OrderAfter.Equal(o.OrderAfter) && s.CreatedAt.Equal(o.CreatedAt) && s.BookedFor.Equal(o.BookedFor) &&
		s.WaitingSince.Equal(o.WaitingSince) && s.CalledAt.Equal(o.CalledAt) && s.ServingSince.Equal(o.ServingSince) &&
		s.EndedAt.Equal(o.EndedAt) && s.EndedBy == o.EndedBy && s.Reason == o.Reason &&
		slices.Equal(s.Flags, o.Flags) &&
		slices.EqualFunc(s.Calls, o.Calls, time.Time.Equal) &&
		slices.EqualFunc(s.Returns, o.Returns, time.Time.Equal) &&
		slices.EqualFunc(s.Segments, o.Segments, Segment.same) &&
		slices.EqualFunc(s.Spells, o.Spells, Spell.same)
}

func (s Segment) same(o Segment) bool {
	return s.Queue == o.Queue && s.Desk == o.Desk && s.Agent == o.Agent && s.EnteredAt.Equal(o.EnteredAt) &&
		s.CalledAt.Equal(o.CalledAt) && s.ServingAt.Equal(o.ServingAt) && s.LeftAt.Equal(o.LeftAt) &&
		s.Outcome == o.Outcome && s.Recalls == o.Recalls && s.HeldWaitingSeconds == o.HeldWaitingSeconds &&
		s.HeldServiceSeconds == o.HeldServiceSeconds && s.Position == o.Position && slices.Equal(s.Flags, o.Flags)
}

func (s Spell) same(o Spell) bool {
	return s.Status == o.Status && s.Queue == o.Queue && s.From.Equal(o.From) && s.To.Equal(o.To)
}

// repeat reports whether the facts, after the observation being applied, are the old ones that they were: then they need
// no new derivation.
func repeat(facts, old []fact) bool {
	if len(facts) != len(old) {
		return false
	}
	for i := range facts {
		if !facts[i].repeats(&old[i]) {
			return false
		}
	}
	return true
}

// repeats reports whether a fact is the old one that it was.
func (f *fact) repeats(old *fact) bool {
	return !f.fresh && !f.freshEntry &&
		f.At.Equal(old.At) && f.Status == old.Status && f.Says == old.Says && f.Position == old.Position && f.Again == old.Again &&
		f.Passing == old.Passing && f.Assumed == old.Assumed && f.Ahead == old.Ahead && f.Snapshot == old.Snapshot &&
		f.Birth == old.Birth && f.Told == old.Told && f.Booking == old.Booking && f.EntryAt.Equal(old.EntryAt) &&
		f.Created.Equal(old.Created) && f.CallAt.Equal(old.CallAt) && f.Order.Equal(old.Order) && f.For.Equal(old.For) && f.Queue == old.Queue &&
		f.Desk == old.Desk && f.Agent == old.Agent && f.Label == old.Label && f.Rank == old.Rank && f.By == old.By &&
		f.Reason == old.Reason && slices.Equal(f.Flags, old.Flags)
}
