package ombori

import "queuetrack/eventstore/ticket"

// event is what an event's type means by itself.
type event struct {
	typ     string
	says    ticket.Transition
	implies ticket.Status // where the status is missing, or is none of the lifecycle; empty: nothing
	by      ticket.Actor
	booking bool // it is about a booking, whatever the position's own type
}

// eventOf returns the meaning of a type. All documented ones are about a position; there may be others.
func (a adapter) eventOf(typ string) (ev event, ok bool) {
	switch typ {
	case "positionCreated":
		ev = event{says: ticket.TransitionCreated, implies: ticket.StatusWaiting}
	case "bookingConfirmation":
		ev = event{says: ticket.TransitionBooked, implies: ticket.StatusBooked, booking: true}
	case "bookingUpdated":
		ev = event{says: ticket.TransitionBookingUpdated, booking: true}
	case "bookingActivated":
		ev = event{says: ticket.TransitionActivated, implies: ticket.StatusWaiting, booking: true}
	case "positionCalled":
		ev = event{says: ticket.TransitionCalled, implies: ticket.StatusCalled}
	case "positionRetry":
		ev = event{says: ticket.TransitionReturned, implies: ticket.StatusWaiting}
	case "positionFulfilled":
		ev = event{says: ticket.TransitionServed, implies: a.fulfilled()}
		if a.servingTab {
			ev.says = ticket.TransitionServiceStarted
		}
	case "positionCompleted":
		ev = event{says: ticket.TransitionServed, implies: ticket.StatusServed}
	case "positionCancelled":
		ev = event{says: ticket.TransitionCancelled, implies: ticket.StatusCancelled, by: ticket.ActorCustomer}
	case "positionCancelledByStaff", typeRemoved, typeRemovedOnce:
		ev = event{says: ticket.TransitionCancelled, implies: ticket.StatusCancelled, by: ticket.ActorStaff}
	case "feedbackReceived":
		ev = event{says: ticket.TransitionFeedback}
	default:
		return event{}, false
	}
	ev.typ = typ
	return ev, true
}

// Staff rejected a ticket; the second is the name that it had until 2021.
const (
	typeRemoved     = "positionRemoved"
	typeRemovedOnce = "bookingRemoved"
)

// fulfilled is what a check-in means: the start of the service where the serving tab is on, else the end of the visit.
func (a adapter) fulfilled() ticket.Status {
	if a.servingTab {
		return ticket.StatusServing
	}
	return ticket.StatusServed
}

// statusOf is what a position's status means; ok is false for none, and for the names of notifications
// (notifiedToLeave, remindedAboutBooking …) that a status may also hold.
func (a adapter) statusOf(told string) (status ticket.Status, ok bool) {
	switch told {
	case "draft":
		return ticket.StatusBooked, true
	case "pending":
		return ticket.StatusWaiting, true
	case "notified":
		return ticket.StatusCalled, true
	case "fulfilled":
		return a.fulfilled(), true
	case "completed":
		return ticket.StatusServed, true
	case "rejected": // by the visitor or by staff: the type tells
		return ticket.StatusCancelled, true
	default:
		return "", false
	}
}

// settle decides between what the status says and what the type says. The status comes first, but for events that say by
// themselves where the position stands: feedback moves nothing, a booking just made does not wait yet (else it would
// wait for days), and one that was activated, called or sent back is no longer where it was before.
func (ev event) settle(status ticket.Status) ticket.Status {
	early := status == ticket.StatusWaiting || status == ticket.StatusBooked
	switch {
	case ev.says == ticket.TransitionFeedback:
		return ""
	case early && (ev.says == ticket.TransitionBooked || ev.says == ticket.TransitionActivated || ev.says == ticket.TransitionCalled):
		return ev.implies
	case ev.says == ticket.TransitionReturned && status == ticket.StatusCalled:
		return ev.implies
	}
	return status
}
