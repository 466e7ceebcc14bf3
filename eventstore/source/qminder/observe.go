package qminder

import (
	"time"

	"queuetrack/eventstore/source"
	"queuetrack/eventstore/ticket"
)

// saysOf is what an event's type says. Only events about a ticket have a meaning here; there may be others.
func saysOf(typ string) (says ticket.Transition, ok bool) {
	switch typ {
	case "ticket_created":
		return ticket.TransitionCreated, true
	case "ticket_called":
		return ticket.TransitionCalled, true
	case "ticket_recalled":
		return ticket.TransitionRecalled, true
	case "ticket_served":
		return ticket.TransitionServed, true
	case "ticket_cancelled": // missing from the vendor's overview of events, but it is sent
		return ticket.TransitionCancelled, true
	case "ticket_changed":
		return ticket.TransitionChanged, true
	default:
		return "", false
	}
}

// standing is what a status of Qminder's means.
type standing struct {
	status  ticket.Status
	by      ticket.Actor
	booking bool
}

func standingOf(status string) (s standing, ok bool) {
	switch status {
	case "NEW":
		return standing{status: ticket.StatusWaiting}, true
	case "CALLED":
		return standing{status: ticket.StatusCalled}, true
	case "SERVED":
		return standing{status: ticket.StatusServed}, true
	case "CANCELLED_BY_CLERK":
		return standing{status: ticket.StatusCancelled, by: ticket.ActorStaff}, true
	case "CANCELLED": // through the API: whoever used it
		return standing{status: ticket.StatusCancelled}, true
	case "NOSHOW":
		return standing{status: ticket.StatusNoShow}, true
	case "SCHEDULED":
		return standing{status: ticket.StatusBooked, booking: true}, true
	case "SCHEDULING_CANCELLED":
		return standing{status: ticket.StatusCancelled, by: ticket.ActorStaff, booking: true}, true
	case "SCHEDULING_CANCELLED_BY_VISITOR":
		return standing{status: ticket.StatusCancelled, by: ticket.ActorCustomer, booking: true}, true
	case "SCHEDULING_NOSHOW":
		return standing{status: ticket.StatusNoShow, booking: true}, true
	default:
		return standing{}, false
	}
}

// impliedBy is the status of a ticket whose data names none.
func impliedBy(says ticket.Transition) ticket.Status {
	switch says {
	case ticket.TransitionCreated:
		return ticket.StatusWaiting
	case ticket.TransitionCalled, ticket.TransitionRecalled:
		return ticket.StatusCalled
	case ticket.TransitionServed:
		return ticket.StatusServed
	case ticket.TransitionCancelled:
		return ticket.StatusCancelled
	case ticket.TransitionBooked, ticket.TransitionBookingUpdated, ticket.TransitionActivated, ticket.TransitionReturned,
		ticket.TransitionServiceStarted, ticket.TransitionNoShow, ticket.TransitionTransferred, ticket.TransitionOnHold,
		ticket.TransitionResumed, ticket.TransitionReopened, ticket.TransitionMerged, ticket.TransitionExpired,
		ticket.TransitionChanged, ticket.TransitionFeedback:
	}
	return ""
}

// nowOf is what the ticket now is. A status that nobody knows tells nothing, and is returned by its name.
func nowOf(says ticket.Transition, data source.Object) (s standing, unknown string) {
	told := data.Text("status")
	if told == "" {
		return standing{status: impliedBy(says)}, ""
	}
	if s, ok := standingOf(told); ok {
		return s, ""
	}
	return standing{}, told
}

// observe reads a ticket. Its "assigned" is a plan, not who called it, so it names no agent.
func (a adapter) observe(says ticket.Transition, data source.Object) *ticket.Observation {
	called := data.Object("called")
	now, unknown := nowOf(says, data)
	o := &ticket.Observation{
		Says:       says,
		Status:     now.status,
		By:         now.by,
		Booking:    now.booking,
		At:         a.since(says, now.status, data),
		Returns:    says == ticket.TransitionCreated,
		CreatedAt:  a.date(data.Object("created")),
		CalledAt:   a.date(called),
		Queue:      data.Scalar("line"),
		Desk:       called.Scalar("desk"),
		Agent:      called.Scalar("caller"),
		Label:      data.Text("publicId"),
		OrderAfter: data.Time("orderAfter", a.zone),
	}
	if unknown != "" {
		o.Reason = "status " + unknown
	}
	return o
}

// since is the time that the payload gives for its status. There is none for an edit of a waiting ticket (its creation
// is when it began to wait only if it never left the queue), for a no-show, and mostly for a cancellation.
func (a adapter) since(says ticket.Transition, status ticket.Status, data source.Object) time.Time {
	switch status {
	case ticket.StatusWaiting, ticket.StatusBooked:
		if says == ticket.TransitionCreated {
			return a.date(data.Object("created"))
		}
	case ticket.StatusCalled:
		return a.date(data.Object("called"))
	case ticket.StatusServed:
		return a.date(data.Object("served"))
	case ticket.StatusCancelled:
		return a.date(data.Object("cancelled"))
	case ticket.StatusNoShow, ticket.StatusServing, ticket.StatusOnHold, ticket.StatusMerged, ticket.StatusExpired:
	}
	return time.Time{}
}

// date is when a step of the ticket was taken.
func (a adapter) date(step source.Object) time.Time { return step.Time("date", a.zone) }
