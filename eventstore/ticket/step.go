package ticket

import (
	"slices"
	"time"
)

// move takes the state to what the fact says held from then on, by way of what it must have passed through.
func (d *derivation) move(f *fact) []Transition {
	if d.s.Status == StatusOnHold && f.Status != "" {
		return d.moveFromHold(f)
	}
	switch f.Status {
	case StatusBooked, "":
		return d.edit(f)
	case StatusWaiting:
		return d.wait(f)
	case StatusCalled:
		return d.call(f)
	case StatusServing:
		return d.serve(f)
	case StatusOnHold:
		return d.hold(f)
	case StatusServed, StatusCancelled, StatusNoShow, StatusMerged, StatusExpired:
		return d.end(f)
	}
	return nil
}

// edit is a fact that moves nothing.
func (d *derivation) edit(f *fact) []Transition {
	if f.Says == TransitionBookingUpdated && d.s.Status == StatusBooked {
		return []Transition{TransitionBookingUpdated}
	}
	return []Transition{TransitionChanged}
}

func (d *derivation) wait(f *fact) []Transition {
	switch d.s.Status {
	case StatusBooked:
		if f.Says == TransitionBookingUpdated {
			return []Transition{TransitionBookingUpdated}
		}
		d.enter(f)
		return []Transition{TransitionActivated}
	case StatusWaiting:
		return d.transfer(f)
	case StatusCalled, StatusServing:
		return d.goBack(f)
	case StatusServed, StatusCancelled, StatusNoShow, StatusMerged, StatusExpired:
		return d.afterEnd(f)
	case StatusOnHold:
	}
	return nil
}

// goBack is "waiting" after a call: a return to the queue or to another one, unless it is only late.
func (d *derivation) goBack(f *fact) []Transition {
	switch {
	case f.Says == TransitionActivated:
		d.fillInEntry(f)
		return []Transition{TransitionChanged}
	case f.Says == TransitionBookingUpdated:
		return []Transition{TransitionChanged}
	case d.elsewhere(f): // no retry of the first one
		return d.transfer(f)
	case d.withdrawn(f):
		return []Transition{TransitionChanged}
	}
	d.leave(f.At, OutcomeReturned)
	d.enter(f)
	d.s.Returns = append(d.s.Returns, f.At)
	if !f.Snapshot && f.Says != TransitionReturned {
		d.flag(FlagReturnAssumed)
		d.segment().flag(FlagReturnAssumed)
	}
	return []Transition{TransitionReturned}
}

// withdrawn reports whether a presumed return was none: a later delivery past a call still tells the call before it.
func (d *derivation) withdrawn(f *fact) bool {
	return !f.Snapshot && f.Says != TransitionReturned && d.last != nil && d.last.Again > f.Position
}

func (d *derivation) call(f *fact) []Transition {
	switch d.s.Status {
	case StatusBooked:
		ts := d.implyEntry(f)
		d.called(f)
		return append(ts, TransitionCalled)
	case StatusWaiting:
		ts := moves(d.transfer(f))
		d.called(f)
		return append(ts, TransitionCalled)
	case StatusCalled, StatusServing:
		if d.elsewhere(f) {
			return d.transfer(f)
		}
		if d.isCall(f) && !f.Assumed && d.segment().Has(FlagCallImplied) { // this is the one, by a clock behind what followed it
			d.fillIn(f)
			return []Transition{TransitionChanged}
		}
		if d.isCall(f) {
			d.s.Calls = append(d.s.Calls, f.At)
			return []Transition{TransitionRecalled}
		}
		return []Transition{TransitionChanged}
	case StatusServed, StatusCancelled, StatusNoShow, StatusMerged, StatusExpired:
		return d.afterEnd(f)
	case StatusOnHold:
	}
	return nil
}

// isCall reports whether the fact is an act of calling, not a state that goes on or an edit.
func (d *derivation) isCall(f *fact) bool { return !f.Snapshot && f.Says != TransitionChanged }

func (d *derivation) serve(f *fact) []Transition {
	var ts []Transition
	switch d.s.Status {
	case StatusBooked, StatusWaiting:
		ts = d.implyCall(f)
	case StatusCalled:
		ts = moves(d.transfer(f))
	case StatusServing:
		return d.transfer(f)
	case StatusServed, StatusCancelled, StatusNoShow, StatusMerged, StatusExpired:
		return d.afterEnd(f)
	case StatusOnHold:
	}
	d.segment().ServingAt = f.At
	d.s.Status = StatusServing
	return append(ts, TransitionServiceStarted)
}

func (d *derivation) hold(f *fact) []Transition {
	var ts []Transition
	switch d.s.Status {
	case StatusBooked:
		ts = d.implyEntry(f)
	case StatusWaiting:
		ts = moves(d.transfer(f))
		if f.Agent != "" { // accepted and postponed at once
			d.called(f)
			ts = append(ts, TransitionCalled)
		}
	case StatusCalled, StatusServing:
		ts = moves(d.transfer(f))
	case StatusServed, StatusCancelled, StatusNoShow, StatusMerged, StatusExpired:
		return d.afterEnd(f)
	case StatusOnHold:
	}
	d.held = d.s.Status
	d.s.Status = StatusOnHold
	return append(ts, TransitionOnHold)
}

// moveFromHold ends the hold, then moves on from what it interrupted; if the fact says on hold again, the hold goes on.
func (d *derivation) moveFromHold(f *fact) []Transition {
	d.s.Status = d.held
	ts := moves(d.move(f))
	switch {
	case f.Status == StatusOnHold:
		ts = slices.DeleteFunc(ts, func(t Transition) bool { return t == TransitionOnHold })
	case !f.Status.Ended():
		ts = append([]Transition{TransitionResumed}, ts...)
	}
	if len(ts) == 0 {
		return []Transition{TransitionChanged}
	}
	return ts
}

func (d *derivation) end(f *fact) []Transition {
	var ts []Transition
	switch d.s.Status {
	case StatusBooked, StatusWaiting:
		if f.Status == StatusServed || d.s.Status == StatusWaiting && (f.Status == StatusNoShow || f.Snapshot && f.Agent != "") {
			ts = d.implyCall(f)
		}
	case StatusCalled, StatusServing:
	case StatusServed, StatusCancelled, StatusNoShow, StatusMerged, StatusExpired:
		return d.amend(f)
	case StatusOnHold:
	}
	d.s.EndedAt, d.s.EndedBy, d.s.Reason = f.At, f.By, f.Reason
	if seg := d.segment(); seg != nil {
		d.leave(f.At, seg.outcome(f.Status))
	}
	d.s.Status = f.Status
	return append(ts, endTransition(f.Status))
}

// amend is another end after the end: the vendor corrects itself. The visitor left when they left. A snapshot sender's
// ticket may be deleted or merged long after its service, which stays a service.
func (d *derivation) amend(f *fact) []Transition {
	if f.Status == d.s.Status || f.Status == StatusExpired {
		return []Transition{TransitionChanged}
	}
	d.s.Status, d.s.EndedBy, d.s.Reason = f.Status, f.By, f.Reason
	if seg := d.segment(); seg != nil && !f.Snapshot {
		if seg.CalledAt.IsZero() && (f.Status == StatusServed || f.Status == StatusNoShow) {
			seg.CalledAt = seg.LeftAt
			seg.flag(FlagCallImplied)
		}
		seg.Outcome = seg.outcome(f.Status)
	}
	return []Transition{endTransition(f.Status)}
}

// afterEnd is a fact that is not an end, dated after the end.
func (d *derivation) afterEnd(f *fact) []Transition {
	switch {
	case f.Snapshot:
		return d.reopen(f)
	case f.Status == StatusWaiting && f.Says == TransitionCreated && (d.elsewhere(f) || f.createdAnew(d.born)):
		d.flag(FlagReopenAssumed)
		return d.reopen(f)
	}
	d.fillIn(f)
	return []Transition{TransitionChanged}
}

// createdAnew reports whether a repeated "created" claims another creation than the one known.
func (f *fact) createdAnew(born *fact) bool {
	return !f.Created.IsZero() && (born == nil || !f.Created.Equal(born.At))
}

// reopen starts the ticket's next segment, then moves to what the fact says.
func (d *derivation) reopen(f *fact) []Transition {
	d.s.EndedAt, d.s.EndedBy, d.s.Reason = time.Time{}, "", ""
	d.enter(f)
	return append([]Transition{TransitionReopened}, moves(d.move(f))...)
}

// fillInEntry is an activation that by its clock came after what followed it.
func (d *derivation) fillInEntry(f *fact) {
	if seg := d.segment(); seg != nil && seg.Has(FlagEntryImplied) && !f.Assumed {
		seg.EnteredAt = f.At
		seg.Flags = slices.DeleteFunc(seg.Flags, func(g Flag) bool { return g == FlagEntryImplied })
	}
}

// fillIn is a step that by its clock came after what followed it, as an end: it can't be left out, and moves nothing.
func (d *derivation) fillIn(f *fact) {
	seg := d.segment()
	if seg == nil {
		return
	}
	switch {
	case f.Status == StatusCalled && d.isCall(f):
		if seg.Has(FlagCallImplied) { // this is the one
			d.s.Calls = slices.DeleteFunc(d.s.Calls, seg.CalledAt.Equal)
		}
		d.s.Calls = append(d.s.Calls, f.At)
		if seg.CalledAt.IsZero() || seg.Has(FlagCallImplied) {
			seg.CalledAt = f.At
			seg.Flags = slices.DeleteFunc(seg.Flags, func(g Flag) bool { return g == FlagCallImplied })
			seg.Outcome = seg.outcome(d.s.Status)
		}
	case f.Status == StatusServing && seg.ServingAt.IsZero() && !f.Assumed:
		seg.ServingAt = f.At
	case f.Status == StatusWaiting && f.Says == TransitionActivated:
		d.fillInEntry(f)
	}
}
