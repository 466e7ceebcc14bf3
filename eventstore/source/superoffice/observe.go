package superoffice

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"queuetrack/eventstore/source"
	"queuetrack/eventstore/ticket"
)

// The base statuses of a request. The postponed variants are of the user interface only, and stored as 3.
const (
	statusActive         = 1
	statusClosed         = 2
	statusPostponed      = 3
	statusDeleted        = 4 // often spam
	statusMerged         = 5
	statusPostponedFirst = 1001
	statusPostponedLast  = 1008
)

// observe reads a ticket's event. Its priority is a key of the tenant's own table and orders nothing.
func (a adapter) observe(o source.Object) *ticket.Observation {
	obs := &ticket.Observation{Says: ticket.TransitionChanged, At: timestamp(o), Snapshot: true}
	created := o.Type("Event") == eventCreated
	if created {
		obs.Says = ticket.TransitionCreated
	}
	fields := o.Object("FieldValues")
	if !fields.Has("status") {
		bare(obs, o.Names("Changes"))
		return obs
	}
	a.describe(obs, fields)
	owned := obs.Agent != ""
	if created && owned {
		obs.Flags = append(obs.Flags, ticket.FlagSelfRegistered)
	}
	if !created && obs.Status == ticket.StatusCalled && answered(o.Names("Changes")) {
		obs.Says, obs.Status = ticket.TransitionServiceStarted, ticket.StatusServing
	}
	return obs
}

// bare is what is known from builds that send no FieldValues: a creation is one, and a change that touched the
// closing date may have been the end.
func bare(obs *ticket.Observation, changes []string) {
	if obs.Says == ticket.TransitionCreated {
		obs.Status = ticket.StatusWaiting
		return
	}
	if slices.Contains(changes, "closed_at") && slices.Contains(changes, "status") {
		obs.Flags = append(obs.Flags, ticket.FlagMaybeClosed)
	}
}

// describe reads the snapshot.
func (a adapter) describe(obs *ticket.Observation, fields source.Object) {
	obs.Agent = a.owner(fields)
	if category, ok := fields.Int("category"); ok && category > 0 {
		obs.Queue = strconv.FormatInt(category, 10)
	}
	if a.zone != nil {
		obs.CreatedAt = a.notAfter(fields.Time("created_at", a.zone), obs.At)
	}
	status, _ := fields.Int("status")
	switch {
	case status == statusActive && obs.Agent == "":
		obs.Status = ticket.StatusWaiting
	case status == statusActive:
		obs.Status = ticket.StatusCalled
	case status == statusPostponed, status >= statusPostponedFirst && status <= statusPostponedLast:
		obs.Status = ticket.StatusOnHold
	case status == statusClosed:
		obs.Status = ticket.StatusServed
	case status == statusDeleted:
		obs.Status, obs.By, obs.Reason = ticket.StatusCancelled, ticket.ActorStaff, "deleted"
	case status == statusMerged:
		obs.Status = ticket.StatusMerged
		if into, ok := fields.Int("connect_id"); ok && into > 0 {
			obs.Reason = fmt.Sprintf("merged into %d", into)
		}
	default:
		obs.Reason = "status " + fields.Scalar("status")
	}
}

// notAfter reads a wall clock's hour that comes twice, when summer time ends, as the one that had come by then.
func (a adapter) notAfter(t, limit time.Time) time.Time {
	first := t.Add(-time.Hour)
	if t.After(limit) && first.In(a.zone).Hour() == t.In(a.zone).Hour() {
		return first
	}
	return t
}

// owner is the user who owns the request, empty for nobody. It is a key of another table than ChangedByAssociateId.
func (a adapter) owner(fields source.Object) string {
	owner, ok := fields.Int("owned_by")
	if !ok || owner <= 0 || owner == a.unassigned {
		return ""
	}
	return strconv.FormatInt(owner, 10)
}

// answered reports whether the owner has begun: read the request for the first time, or replied. Only the columns'
// names tell, and not when the change also moved the request to its owner.
func answered(changes []string) bool {
	return (slices.Contains(changes, "replied_at") || slices.Contains(changes, "first_read_by_owner")) &&
		!slices.Contains(changes, "owned_by") && !slices.Contains(changes, "status")
}
