package ombori

import (
	"fmt"
	"math"
	"time"

	"queuetrack/eventstore/source"
	"queuetrack/eventstore/ticket"
)

// observe reads a position, in the light of the event that it came with.
func (a adapter) observe(ev event, position source.Object) *ticket.Observation {
	o := &ticket.Observation{
		Says:      ev.says,
		By:        ev.by,
		Booking:   ev.booking || position.Text("type") == "booking",
		CreatedAt: position.Time("createdAt", a.zone),
		CalledAt:  position.Time("calledAt", a.zone),
		BookedFor: position.Object("booking").Time("start", a.zone),
		Queue:     position.Scalar("queue"),
		Desk:      deskOf(position.Object("station")),
		Agent:     agentOf(position),
		Label:     position.Text("label"),
		Priority:  priorityOf(position),
		Reason:    a.reason(ev, position),
	}
	if o.Booking { // of a walk-in it would be something else: "e.g. for order pickup"
		o.ActivatedAt = position.Time("activatedAt", a.zone)
	}
	if a.servingTab {
		o.ServingAt = position.Time("fulfilledAt", a.zone)
	}
	a.stand(o, ev, position.Text("status"))
	o.At = a.since(o, position)
	if o.Status == ticket.StatusServed && ev.typ == "positionCompleted" && o.Agent == "" {
		o.Flags = append(o.Flags, ticket.FlagUnattended)
	}
	return o
}

// stand sets the observation's status, and makes a mere notification a change.
func (a adapter) stand(o *ticket.Observation, ev event, told string) {
	status, ok := a.statusOf(told)
	switch {
	case ok:
		o.Status = ev.settle(status)
	case ev.implies != "":
		o.Status = ev.implies
	case told != "" && ev.says != ticket.TransitionFeedback:
		o.Says, o.Reason = ticket.TransitionChanged, told
	}
	if o.Status != ticket.StatusCancelled {
		o.By = ""
	}
}

// since is the time that the payload gives for its status. A retry has none: its calledAt is the call that nobody
// answered. A booking is never taken to wait since it was made.
func (a adapter) since(o *ticket.Observation, position source.Object) time.Time {
	switch o.Status {
	case ticket.StatusBooked:
		if o.Says == ticket.TransitionBooked {
			return o.CreatedAt
		}
	case ticket.StatusWaiting:
		switch {
		case o.Says == ticket.TransitionActivated, o.Says == ticket.TransitionCreated && o.Booking:
			return o.ActivatedAt
		case o.Says == ticket.TransitionCreated:
			return o.CreatedAt
		}
	case ticket.StatusCalled:
		return o.CalledAt
	case ticket.StatusServing:
		return o.ServingAt
	case ticket.StatusServed:
		return a.servedAt(position)
	case ticket.StatusCancelled:
		return position.Time("rejectedAt", a.zone)
	case ticket.StatusOnHold, ticket.StatusNoShow, ticket.StatusMerged, ticket.StatusExpired:
	}
	return time.Time{}
}

// servedAt is the check-out; the check-in where that ends a visit.
func (a adapter) servedAt(position source.Object) time.Time {
	if in := position.Time("fulfilledAt", a.zone); !a.servingTab && !in.IsZero() {
		return in
	}
	return position.Time("completedAt", a.zone)
}

// reason puts into words what the type and the payload tell besides the status.
func (a adapter) reason(ev event, position source.Object) string {
	switch ev.says {
	case ticket.TransitionReturned:
		if n, ok := position.Int("retryCount"); ok {
			return fmt.Sprintf("no-show, retry %d", n)
		}
		return "no-show"
	case ticket.TransitionBooked, ticket.TransitionBookingUpdated:
		if start := position.Object("booking").Time("start", a.zone); !start.IsZero() {
			return "booked for " + start.Format(time.RFC3339)
		}
	case ticket.TransitionCancelled:
		if ev.typ != typeRemoved && ev.typ != typeRemovedOnce {
			return ""
		}
		if !position.Time("calledAt", a.zone).IsZero() {
			return "rejected after call"
		}
		return "rejected by staff"
	case ticket.TransitionCreated, ticket.TransitionActivated, ticket.TransitionCalled, ticket.TransitionRecalled,
		ticket.TransitionServiceStarted, ticket.TransitionServed, ticket.TransitionNoShow, ticket.TransitionTransferred,
		ticket.TransitionOnHold, ticket.TransitionResumed, ticket.TransitionReopened, ticket.TransitionMerged,
		ticket.TransitionExpired, ticket.TransitionChanged, ticket.TransitionFeedback:
	}
	return ""
}

func deskOf(station source.Object) string {
	if label := station.Scalar("label"); label != "" {
		return label
	}
	return station.Scalar("id")
}

// agentOf is who served. Ombori tells third parties to go by the mail address; the id says the same without naming
// a person.
func agentOf(position source.Object) string {
	by := position.Object("servedBy")
	if id := by.Scalar("id"); id != "" {
		return id
	}
	if email := by.Text("email"); email != "" {
		return email
	}
	return position.Scalar("servedById")
}

// priorityOf is 0 for walk-ins and 100 for bookings. One that is no 32-bit number is none.
func priorityOf(position source.Object) int {
	n, ok := position.Int("priority")
	if !ok || n < math.MinInt32 || n > math.MaxInt32 {
		return 0
	}
	return int(n)
}
