package qminder_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/eventstore/source"
	"queuetrack/eventstore/ticket"
)

// rowTypes are the types in the rows below, and those that are about no ticket.
var rowTypes = map[string]bool{
	"ticket_created": true, "ticket_called": true, "ticket_recalled": true, "ticket_served": true, "ticket_cancelled": true,
	"ticket_changed": true, "line_changed": false, "location_created": false, "location_changed": false, "unheard_of": false,
}

var (
	created   = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	called    = created.Add(5 * time.Minute)
	served    = created.Add(9 * time.Minute)
	cancelled = created.Add(7 * time.Minute)
)

const (
	createdDate   = `"created":{"date":"2026-03-02T08:00Z"}`
	calledDate    = `"called":{"date":"2026-03-02T08:05:00Z","caller":61,"desk":"4"}`
	servedDate    = `"served":{"date":"2026-03-02T08:09:00.000Z"}`
	cancelledDate = `"cancelled":{"date":"2026-03-02T08:07:00Z","canceller":61}`
)

// The rows of the mapping: what a type says, what a status means, and which time is the status' own.
func TestDecodeTicket(t *testing.T) {
	t.Parallel()
	type o = ticket.Observation
	for _, tt := range []struct {
		name, typ, data string
		want            o
		occurred        time.Time
	}{
		{
			"created", "ticket_created", `"status":"NEW",` + createdDate,
			o{Says: ticket.TransitionCreated, Returns: true, Status: ticket.StatusWaiting, At: created, CreatedAt: created},
			created,
		},
		{
			"the documented sample of a re-call", "ticket_created", `"status":"CALLED",` + createdDate + `,` + calledDate,
			o{Says: ticket.TransitionCreated, Returns: true, Status: ticket.StatusCalled, At: called, CreatedAt: created, CalledAt: called, Desk: "4", Agent: "61"},
			called,
		},
		{
			"an appointment", "ticket_created", `"status":"SCHEDULED",` + createdDate,
			o{Says: ticket.TransitionCreated, Returns: true, Status: ticket.StatusBooked, Booking: true, At: created, CreatedAt: created},
			created,
		},
		{
			"called", "ticket_called", `"status":"CALLED",` + createdDate + `,` + calledDate,
			o{Says: ticket.TransitionCalled, Status: ticket.StatusCalled, At: called, CreatedAt: created, CalledAt: called, Desk: "4", Agent: "61"},
			called,
		},
		{
			"re-called", "ticket_recalled", `"status":"CALLED",` + createdDate + `,` + calledDate,
			o{Says: ticket.TransitionRecalled, Status: ticket.StatusCalled, At: called, CreatedAt: created, CalledAt: called, Desk: "4", Agent: "61"},
			called,
		},
		{
			"served", "ticket_served", `"status":"SERVED",` + createdDate + `,` + calledDate + `,` + servedDate,
			o{Says: ticket.TransitionServed, Status: ticket.StatusServed, At: served, CreatedAt: created, CalledAt: called, Desk: "4", Agent: "61"},
			served,
		},
		{
			"a no-show, in whatever event", "ticket_served", `"status":"NOSHOW",` + createdDate + `,` + calledDate,
			o{Says: ticket.TransitionServed, Status: ticket.StatusNoShow, CreatedAt: created, CalledAt: called, Desk: "4", Agent: "61"},
			time.Time{},
		},
		{
			"cancelled by a clerk, without its time", "ticket_cancelled", `"status":"CANCELLED_BY_CLERK",` + createdDate,
			o{Says: ticket.TransitionCancelled, Status: ticket.StatusCancelled, By: ticket.ActorStaff, CreatedAt: created},
			time.Time{},
		},
		{
			"cancelled by a clerk, with its time", "ticket_cancelled", `"status":"CANCELLED_BY_CLERK",` + createdDate + `,` + cancelledDate,
			o{Says: ticket.TransitionCancelled, Status: ticket.StatusCancelled, By: ticket.ActorStaff, At: cancelled, CreatedAt: created},
			cancelled,
		},
		{
			"cancelled through the API", "ticket_cancelled", `"status":"CANCELLED"`,
			o{Says: ticket.TransitionCancelled, Status: ticket.StatusCancelled},
			time.Time{},
		},
		{
			"an appointment cancelled by staff", "ticket_changed", `"status":"SCHEDULING_CANCELLED"`,
			o{Says: ticket.TransitionChanged, Status: ticket.StatusCancelled, By: ticket.ActorStaff, Booking: true},
			time.Time{},
		},
		{
			"an appointment cancelled by the visitor", "ticket_changed", `"status":"SCHEDULING_CANCELLED_BY_VISITOR"`,
			o{Says: ticket.TransitionChanged, Status: ticket.StatusCancelled, By: ticket.ActorCustomer, Booking: true},
			time.Time{},
		},
		{
			"an appointment that nobody came to", "ticket_changed", `"status":"SCHEDULING_NOSHOW"`,
			o{Says: ticket.TransitionChanged, Status: ticket.StatusNoShow, Booking: true},
			time.Time{},
		},
		{
			"an edit while waiting has no time", "ticket_changed", `"status":"NEW",` + createdDate,
			o{Says: ticket.TransitionChanged, Status: ticket.StatusWaiting, CreatedAt: created},
			time.Time{},
		},
		{
			"an edit of an appointment has no time", "ticket_changed", `"status":"SCHEDULED",` + createdDate,
			o{Says: ticket.TransitionChanged, Status: ticket.StatusBooked, Booking: true, CreatedAt: created},
			time.Time{},
		},
		{
			"an edit past a call has the call's", "ticket_changed", `"status":"CALLED",` + createdDate + `,` + calledDate,
			o{Says: ticket.TransitionChanged, Status: ticket.StatusCalled, At: called, CreatedAt: created, CalledAt: called, Desk: "4", Agent: "61"},
			time.Time{},
		},
		{
			"an edit past the end has the end's", "ticket_changed", `"status":"SERVED",` + servedDate,
			o{Says: ticket.TransitionChanged, Status: ticket.StatusServed, At: served},
			time.Time{},
		},
		{
			"an unknown status is named", "ticket_changed", `"status":"NAPPING"`,
			o{Says: ticket.TransitionChanged, Reason: "status NAPPING"},
			time.Time{},
		},
		{
			"without a status the type tells", "ticket_called", calledDate,
			o{Says: ticket.TransitionCalled, Status: ticket.StatusCalled, At: called, CalledAt: called, Desk: "4", Agent: "61"},
			called,
		},
		{
			"but an edit tells nothing", "ticket_changed", createdDate,
			o{Says: ticket.TransitionChanged, CreatedAt: created},
			time.Time{},
		},
		{
			"all that is read", "ticket_created", `"status":"NEW","publicId":"A-42","line":37,"firstName":"X","phoneNumber":37255500000,` +
				`"orderAfter":"2026-03-02T07:59:59.5Z","assigned":{"assigner":1,"assignee":2},"labels":[{"value":"VIP"}],` + createdDate,
			o{
				Says: ticket.TransitionCreated, Returns: true, Status: ticket.StatusWaiting, At: created, CreatedAt: created, Queue: "37", Label: "A-42",
				OrderAfter: created.Add(-500 * time.Millisecond),
			},
			created,
		},
		{
			"odd kinds lose nothing else", "ticket_created", `"status":"NEW","line":"37","publicId":42,"called":null,"served":"x","orderAfter":17,"labels":{},` + createdDate,
			o{Says: ticket.TransitionCreated, Returns: true, Status: ticket.StatusWaiting, At: created, CreatedAt: created, Queue: "37"},
			created,
		},
		{
			"odd times lose nothing else", "ticket_called", `"status":"CALLED","line":37,"created":{"date":"soon"},"called":{"date":"99999-01-01T00:00:00Z","caller":61}`,
			o{Says: ticket.TransitionCalled, Status: ticket.StatusCalled, Queue: "37", Agent: "61"},
			time.Time{},
		},
	} {
		body := []byte(`{"type":"` + tt.typ + `","data":{"id":"880","x":1,` + tt.data + `}}`)
		s := newSource(t, hook)
		d, err := s.Decode(body)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(source.Decoded{Ticket: &tt.want}, d); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if diff := cmp.Diff(source.Identity{Ticket: "880", Type: tt.typ, OccurredAt: tt.occurred}, s.Identify(body)); diff != "" {
			t.Errorf("%s: identity (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestDecodeNames(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]source.Name{
		`{"type":"line_changed","data":{"id":37,"name":"Passports"}}`:           {{Kind: source.NameQueue, ID: "37", Name: "Passports"}},
		`{"type":"location_created","data":{"id":"9","name":"Harbour Office"}}`: {{Kind: source.NameLocation, ID: "9", Name: "Harbour Office"}},
		`{"type":"location_changed","data":{"id":9,"name":"Harbour"}}`:          {{Kind: source.NameLocation, ID: "9", Name: "Harbour"}},
		`{"type":"line_changed","data":{"id":37,"name":""}}`:                    nil,
		`{"type":"line_changed","data":{"name":"Passports"}}`:                   nil,
		`{"type":"line_changed"}`:                                               nil,
		`{"type":"ticket_teleported","data":{"id":"880","status":"NEW"}}`:       nil,
	} {
		s := newSource(t, hook)
		d, err := s.Decode([]byte(body))
		if diff := cmp.Diff(source.Decoded{Names: want}, d); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", body, err, diff)
		}
		if id := s.Identify([]byte(body)); id.Ticket != "" || id.Quarantine != "" {
			t.Errorf("%s: identified as %+v", body, id)
		}
	}
}

func TestDecodeRefusesWhatTheDoorQuarantines(t *testing.T) {
	t.Parallel()
	s := newSource(t, hook)
	for _, body := range []string{`{"type":"ticket_created","data":{}}`, `{"type":"ticket_created","data":7}`, `{`, `[]`} {
		if _, err := s.Decode([]byte(body)); err == nil || s.Identify([]byte(body)).Quarantine == "" {
			t.Errorf("%s is taken", body)
		}
	}
}
