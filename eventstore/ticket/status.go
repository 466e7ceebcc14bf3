package ticket

// Status is where a ticket stands. The zero value means "not known".
type Status string

// The statuses, in the order of an ordinary visit.
const (
	StatusBooked    Status = "booked"    // reserved for later; not waiting
	StatusWaiting   Status = "waiting"   // in a queue
	StatusCalled    Status = "called"    // asked to a desk, or (SuperOffice) owned by an agent
	StatusServing   Status = "serving"   // at the desk, where the vendor reports the arrival
	StatusOnHold    Status = "on_hold"   // postponed by an agent
	StatusServed    Status = "served"    // ended: done
	StatusCancelled Status = "cancelled" // ended: given up by the visitor, or removed by staff
	StatusNoShow    Status = "no_show"   // ended: called, never came
	StatusMerged    Status = "merged"    // ended: joined to another ticket
	StatusExpired   Status = "expired"   // ended by queuetrack: no webhook for too long, or closed by an operator
)

// Statuses lists every status, in the order of an ordinary visit.
var Statuses = []Status{
	StatusBooked, StatusWaiting, StatusCalled, StatusServing, StatusOnHold,
	StatusServed, StatusCancelled, StatusNoShow, StatusMerged, StatusExpired,
}

// Ended reports whether the ticket is over.
func (s Status) Ended() bool {
	switch s {
	case StatusServed, StatusCancelled, StatusNoShow, StatusMerged, StatusExpired:
		return true
	case StatusBooked, StatusWaiting, StatusCalled, StatusServing, StatusOnHold:
	}
	return false
}

// Transition is one step of a ticket's life. It names both what a vendor says happened
// ([Observation.Says]) and what the fold made of it ([Apply]).
type Transition string

// The transitions.
const (
	TransitionCreated        Transition = "created"
	TransitionBooked         Transition = "booked"
	TransitionBookingUpdated Transition = "booking_updated"
	TransitionActivated      Transition = "activated" // a booking began to wait
	TransitionCalled         Transition = "called"
	TransitionRecalled       Transition = "recalled" // called once more in the same segment
	TransitionReturned       Transition = "returned" // sent back to wait
	TransitionServiceStarted Transition = "service_started"
	TransitionServed         Transition = "served"
	TransitionCancelled      Transition = "cancelled"
	TransitionNoShow         Transition = "no_show"
	TransitionTransferred    Transition = "transferred" // to another queue
	TransitionOnHold         Transition = "on_hold"
	TransitionResumed        Transition = "resumed"
	TransitionReopened       Transition = "reopened"
	TransitionMerged         Transition = "merged"
	TransitionExpired        Transition = "expired"
	TransitionChanged        Transition = "changed" // an edit, a repetition: nothing moved
	TransitionFeedback       Transition = "feedback"
)

// Outcome is how a segment ended. Outcomes partition the segments.
type Outcome string

// The outcomes.
const (
	OutcomeOpen        Outcome = "open"        // not ended yet
	OutcomeServed      Outcome = "served"      //
	OutcomeNoShow      Outcome = "no_show"     // called, never came
	OutcomeAbandoned   Outcome = "abandoned"   // left WAITING without a call
	OutcomeCancelled   Outcome = "cancelled"   // the same after a call
	OutcomeReturned    Outcome = "returned"    // called, then sent back to wait
	OutcomeTransferred Outcome = "transferred" // moved to another queue
	OutcomeExpired     Outcome = "expired"     //
	OutcomeMerged      Outcome = "merged"      //
)

// Outcomes lists every outcome.
var Outcomes = []Outcome{
	OutcomeServed, OutcomeNoShow, OutcomeAbandoned, OutcomeCancelled, OutcomeReturned,
	OutcomeTransferred, OutcomeExpired, OutcomeMerged, OutcomeOpen,
}

// Flag says what is doubtful about a ticket or a segment.
type Flag string

// The flags.
const (
	FlagCreationImplied Flag = "creation_implied" // no delivery reported the creation itself
	FlagCallImplied     Flag = "call_implied"     // the call is known only from what followed it
	FlagEntryImplied    Flag = "entry_implied"    // a booking's activation is known only from what followed it
	FlagTimeAssumed     Flag = "time_assumed"     // the vendor gave no time; received_at stands in
	FlagClockAhead      Flag = "clock_ahead"      // a time later than its own receipt
	FlagNegativeWait    Flag = "negative_wait"    // called before it entered the queue, by the vendor's clock
	FlagNegativeService Flag = "negative_service" // ended before its service began, by the vendor's clock
	FlagReturnAssumed   Flag = "return_assumed"   // taken as a return; may be a late retry of the creation
	FlagReopenAssumed   Flag = "reopen_assumed"   // taken as a reopening after its end
	FlagSelfRegistered  Flag = "self_registered"  // had an owner from the start (SuperOffice): never waited
	FlagMaybeClosed     Flag = "maybe_closed"     // the payload hints at an end without its status (SuperOffice, old builds)
	FlagUnattended      Flag = "unattended"       // ended by a timer, with no one serving (Ombori)
	FlagTooManyFacts    Flag = "too_many_facts"   // beyond MaxFacts, later facts were left out
)
