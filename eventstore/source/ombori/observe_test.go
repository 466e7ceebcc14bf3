package ombori_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/eventstore/source"
	"queuetrack/eventstore/ticket"
)

var types = []string{
	"positionCreated", "bookingConfirmation", "bookingUpdated", "bookingActivated", "positionCalled", "positionRetry",
	"positionFulfilled", "positionCompleted", "positionRemoved", "bookingRemoved", "positionCancelled",
	"positionCancelledByStaff", "feedbackReceived",
}

func at(minute int) time.Time { return time.Date(2026, 3, 2, 8, minute, 0, 0, time.UTC) }

// The times of a position, by its members: $C, $A … in the rows below.
var times = strings.NewReplacer(
	"$C", `"createdAt":"2026-03-02T08:01:00.000Z"`,
	"$A", `"activatedAt":"2026-03-02T08:02:00Z"`,
	"$L", `"calledAt":"2026-03-02T08:03:00Z"`,
	"$F", `"fulfilledAt":"2026-03-02T08:04:00Z"`,
	"$D", `"completedAt":"2026-03-02T08:05:00Z"`,
	"$R", `"rejectedAt":"2026-03-02T08:06:00Z"`,
	"$S", `"servedBy":{"id":"u-1","email":"desk1@nordhem.example"},"station":{"id":"s-1","label":"Kassa 1"}`,
)

// The rows of the mapping, with the serving tab on.
func TestDecodePosition(t *testing.T) {
	t.Parallel()
	type o = ticket.Observation
	for _, tt := range []struct {
		name, typ, position string
		want                o
	}{
		{
			"created", "positionCreated", `"status":"pending","type":"anonymous",$C`,
			o{Says: ticket.TransitionCreated, Status: ticket.StatusWaiting, At: at(1), CreatedAt: at(1)},
		},
		{
			"a booking created waits from its activation", "positionCreated", `"status":"pending","type":"booking",$C,$A`,
			o{Says: ticket.TransitionCreated, Status: ticket.StatusWaiting, Booking: true, At: at(2), CreatedAt: at(1), ActivatedAt: at(2)},
		},
		{
			"booked", "bookingConfirmation", `"status":"draft","type":"booking","booking":{"start":"2026-03-03 10:00"},$C`,
			o{Says: ticket.TransitionBooked, Status: ticket.StatusBooked, Booking: true, At: at(1), CreatedAt: at(1), BookedFor: time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC), Reason: "booked for 2026-03-03T09:00:00Z"},
		},
		{
			"booked does not wait, whatever its status", "bookingConfirmation", `"status":"pending",$C`,
			o{Says: ticket.TransitionBooked, Status: ticket.StatusBooked, Booking: true, At: at(1), CreatedAt: at(1)},
		},
		{
			"booking moved", "bookingUpdated", `"status":"draft","type":"booking","booking":{"start":"2026-03-03T11:00:00Z"},$C`,
			o{Says: ticket.TransitionBookingUpdated, Status: ticket.StatusBooked, Booking: true, CreatedAt: at(1), BookedFor: time.Date(2026, 3, 3, 11, 0, 0, 0, time.UTC), Reason: "booked for 2026-03-03T11:00:00Z"},
		},
		{
			"booking edited while it waits", "bookingUpdated", `"status":"pending","type":"booking",$C,$A`,
			o{Says: ticket.TransitionBookingUpdated, Status: ticket.StatusWaiting, Booking: true, CreatedAt: at(1), ActivatedAt: at(2)},
		},
		{
			"activated", "bookingActivated", `"status":"pending","type":"booking",$C,$A`,
			o{Says: ticket.TransitionActivated, Status: ticket.StatusWaiting, Booking: true, At: at(2), CreatedAt: at(1), ActivatedAt: at(2)},
		},
		{
			"activated, without its time", "bookingActivated", `"status":"pending","type":"booking",$C`,
			o{Says: ticket.TransitionActivated, Status: ticket.StatusWaiting, Booking: true, CreatedAt: at(1)},
		},
		{
			"activated, whatever its status", "bookingActivated", `"status":"draft",$C`,
			o{Says: ticket.TransitionActivated, Status: ticket.StatusWaiting, Booking: true, CreatedAt: at(1)},
		},
		{
			"called", "positionCalled", `"status":"notified",$C,$L,$S`,
			o{Says: ticket.TransitionCalled, Status: ticket.StatusCalled, At: at(3), CreatedAt: at(1), CalledAt: at(3), Desk: "Kassa 1", Agent: "u-1"},
		},
		{
			"called by a notification's name", "positionCalled", `"status":"notifiedToApproach",$C,$L`,
			o{Says: ticket.TransitionCalled, Status: ticket.StatusCalled, At: at(3), CreatedAt: at(1), CalledAt: at(3)},
		},
		{
			"called, the status lagging", "positionCalled", `"status":"pending",$C,$L`,
			o{Says: ticket.TransitionCalled, Status: ticket.StatusCalled, At: at(3), CreatedAt: at(1), CalledAt: at(3)},
		},
		{
			"called, told after the check-in", "positionCalled", `"status":"fulfilled",$C,$L,$F`,
			o{Says: ticket.TransitionCalled, Status: ticket.StatusServing, At: at(4), CreatedAt: at(1), CalledAt: at(3), ServingAt: at(4)},
		},
		{
			"a notification is no call", "bookingUpdated", `"status":"notifiedToApproach",$C`,
			o{Says: ticket.TransitionChanged, Booking: true, CreatedAt: at(1), Reason: "notifiedToApproach"},
		},
		{
			"sent back: the call is the old one", "positionRetry", `"status":"pending",$C,$L,"servedBy":{},"retryCount":2`,
			o{Says: ticket.TransitionReturned, Status: ticket.StatusWaiting, CreatedAt: at(1), CalledAt: at(3), Reason: "no-show, retry 2"},
		},
		{
			"sent back, the status lagging", "positionRetry", `"status":"notified",$C,$L`,
			o{Says: ticket.TransitionReturned, Status: ticket.StatusWaiting, CreatedAt: at(1), CalledAt: at(3), Reason: "no-show"},
		},
		{
			"checked in", "positionFulfilled", `"status":"fulfilled",$C,$L,$F,$S`,
			o{Says: ticket.TransitionServiceStarted, Status: ticket.StatusServing, At: at(4), CreatedAt: at(1), CalledAt: at(3), ServingAt: at(4), Desk: "Kassa 1", Agent: "u-1"},
		},
		{
			"checked out", "positionCompleted", `"status":"completed",$C,$L,$F,$D,$S`,
			o{Says: ticket.TransitionServed, Status: ticket.StatusServed, At: at(5), CreatedAt: at(1), CalledAt: at(3), ServingAt: at(4), Desk: "Kassa 1", Agent: "u-1"},
		},
		{
			"checked out by a timer", "positionCompleted", `"status":"completed",$D,"servedBy":{},"station":null`,
			o{Says: ticket.TransitionServed, Status: ticket.StatusServed, At: at(5), Flags: []ticket.Flag{ticket.FlagUnattended}},
		},
		{
			"checked out by somebody known by id", "positionCompleted", `"status":"completed",$D,"servedBy":{},"servedById":"u-2"`,
			o{Says: ticket.TransitionServed, Status: ticket.StatusServed, At: at(5), Agent: "u-2"},
		},
		{
			"cancelled by the visitor", "positionCancelled", `"status":"rejected",$C,$R`,
			o{Says: ticket.TransitionCancelled, Status: ticket.StatusCancelled, By: ticket.ActorCustomer, At: at(6), CreatedAt: at(1)},
		},
		{
			"cancelled, in samples before rejectedAt", "positionCancelled", `"status":"rejected",$C`,
			o{Says: ticket.TransitionCancelled, Status: ticket.StatusCancelled, By: ticket.ActorCustomer, CreatedAt: at(1)},
		},
		{
			"cancelled by staff", "positionCancelledByStaff", `"status":"rejected","type":"booking",$C,$R`,
			o{Says: ticket.TransitionCancelled, Status: ticket.StatusCancelled, By: ticket.ActorStaff, Booking: true, At: at(6), CreatedAt: at(1)},
		},
		{
			"removed", "positionRemoved", `"status":"rejected",$C,$R`,
			o{Says: ticket.TransitionCancelled, Status: ticket.StatusCancelled, By: ticket.ActorStaff, At: at(6), CreatedAt: at(1), Reason: "rejected by staff"},
		},
		{
			"removed after a call", "positionRemoved", `"status":"rejected",$C,$L,$R`,
			o{Says: ticket.TransitionCancelled, Status: ticket.StatusCancelled, By: ticket.ActorStaff, At: at(6), CreatedAt: at(1), CalledAt: at(3), Reason: "rejected after call"},
		},
		{
			"removed, by its old name", "bookingRemoved", `"status":"rejected",$C`,
			o{Says: ticket.TransitionCancelled, Status: ticket.StatusCancelled, By: ticket.ActorStaff, CreatedAt: at(1), Reason: "rejected by staff"},
		},
		{
			"without a status the type tells", "positionCancelled", `$R`,
			o{Says: ticket.TransitionCancelled, Status: ticket.StatusCancelled, By: ticket.ActorCustomer, At: at(6)},
		},
		{
			"feedback never reopens", "feedbackReceived", `"status":"pending",$C,$L`,
			o{Says: ticket.TransitionFeedback, CreatedAt: at(1), CalledAt: at(3)},
		},
		{
			"all that is read", "positionCreated", `"status":"pending","type":"manual","queue":"q-1","label":"A2","priority":7,"locale":"en",` +
				`"registrationData":{"name":{"value":"X"}},"customerInfo":["X"],"notification":{"type":"email"},"station":{"id":4},"servedBy":{"email":"desk1@nordhem.example"},$C`,
			o{Says: ticket.TransitionCreated, Status: ticket.StatusWaiting, At: at(1), CreatedAt: at(1), Queue: "q-1", Label: "A2", Priority: 7, Desk: "4", Agent: "desk1@nordhem.example"},
		},
		{
			"odd kinds lose nothing else", "positionCreated", `"status":"pending","queue":17,"label":null,"priority":1e99,"station":[],"servedBy":"x","registrationData":[],"calledAt":7,$C`,
			o{Says: ticket.TransitionCreated, Status: ticket.StatusWaiting, At: at(1), CreatedAt: at(1), Queue: "17"},
		},
		{
			"a priority beyond 32 bits is none", "positionCreated", `"status":"pending","priority":2147483648`,
			o{Says: ticket.TransitionCreated, Status: ticket.StatusWaiting},
		},
	} {
		checkPosition(t, newSource(t, true), tt.name, tt.typ, tt.position, tt.want)
	}
}

// With the serving tab off, the check-in is the last that is heard.
func TestDecodePositionWithoutServingTab(t *testing.T) {
	t.Parallel()
	type o = ticket.Observation
	s := newSource(t, false)
	checkPosition(t, s, "checked in", "positionFulfilled", `"status":"fulfilled",$C,$L,$F,$S`,
		o{Says: ticket.TransitionServed, Status: ticket.StatusServed, At: at(4), CreatedAt: at(1), CalledAt: at(3), Desk: "Kassa 1", Agent: "u-1"})
	checkPosition(t, s, "checked out nevertheless", "positionCompleted", `"status":"completed",$C,$L,$F,$D,$S`,
		o{Says: ticket.TransitionServed, Status: ticket.StatusServed, At: at(4), CreatedAt: at(1), CalledAt: at(3), Desk: "Kassa 1", Agent: "u-1"})
}

func checkPosition(t *testing.T, s source.Source, name, typ, position string, want ticket.Observation) {
	t.Helper()
	body := []byte(times.Replace(`{"message":null,"data":{"position":{"id":"p-1",` + position + `}},"type":"` + typ + `"}`))
	d, err := s.Decode(body)
	if diff := cmp.Diff(source.Decoded{Ticket: &want}, d); diff != "" || err != nil {
		t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
	}
	identity := source.Identity{Ticket: "p-1", Type: typ, OccurredAt: want.At}
	if diff := cmp.Diff(identity, s.Identify(body)); diff != "" {
		t.Errorf("%s: identity (-want +got):\n%s", name, diff)
	}
}

func TestDecodeLocation(t *testing.T) {
	t.Parallel()
	lund := []source.Name{{Kind: source.NameQueueLocation, ID: "q-1", Name: "Lund"}}
	for location, want := range map[string][]source.Name{
		`"Lund"`:                  lund,
		`{"locationName":"Lund"}`: lund,
		`{"locationName":"Lund","organizationTitle":"Nordhem"}`: lund,
		`{"locationName":null}`:                                 nil,
		`null`:                                                  nil,
		`17`:                                                    nil,
		`""`:                                                    nil,
	} {
		body := `{"type":"positionCreated","data":{"position":{"id":"p-1","queue":"q-1","location":` + location + `}}}`
		d, err := newSource(t, true).Decode([]byte(body))
		if diff := cmp.Diff(want, d.Names); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", location, err, diff)
		}
	}
}

// The documentation's table has the type within data, all its samples have it beside.
func TestTypeWithinData(t *testing.T) {
	t.Parallel()
	s := newSource(t, true)
	for body, want := range map[string]string{
		`{"data":{"type":"positionCreated","position":{"id":"p-1"}}}`:                            "positionCreated",
		`{"type":null,"data":{"type":"positionCreated","position":{"id":"p-1"}}}`:                "positionCreated",
		`{"type":"positionCalled","data":{"type":"positionCreated","position":{"id":"p-1"}}}`:    "positionCalled",
		`{"data":{"position":{"id":"p-1","type":"positionCreated","status":"pending"}}}`:         source.UnknownType,
		`{"type":"notifiedToLeave","data":{"position":{"id":"p-1","status":"notifiedToLeave"}}}`: "notifiedToLeave",
	} {
		id := s.Identify([]byte(body))
		known := strings.HasPrefix(want, "position")
		if id.Type != want || (id.Ticket == "p-1") != known || id.Quarantine != "" {
			t.Errorf("%s: identified as %+v", body, id)
		}
		if d, err := s.Decode([]byte(body)); err != nil || (d.Ticket != nil) != known {
			t.Errorf("%s: decoded as %+v, %v", body, d, err)
		}
	}
}

func TestEveryTypeNeedsItsPosition(t *testing.T) {
	t.Parallel()
	s := newSource(t, true)
	for _, typ := range types {
		for _, data := range []string{`{}`, `null`, `{"position":null}`, `{"position":{"status":"pending"}}`, `{"position":"p-1"}`} {
			body := []byte(`{"type":"` + typ + `","data":` + data + `}`)
			if id := s.Identify(body); id.Quarantine == "" || id.Ticket != "" {
				t.Errorf("%s: identified as %+v", body, id)
			}
			if _, err := s.Decode(body); err == nil {
				t.Errorf("%s: decoded", body)
			}
		}
	}
}
