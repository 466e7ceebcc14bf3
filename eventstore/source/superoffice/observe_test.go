package superoffice_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/eventstore/source"
	"queuetrack/eventstore/source/superoffice"
	"queuetrack/eventstore/ticket"
)

var (
	occurred = time.Date(2026, 3, 2, 8, 11, 2, 0, time.UTC)
	created  = time.Date(2026, 3, 2, 7, 30, 0, 0, time.UTC)
)

// snapshot is what every ticket's event has in common.
func snapshot(o ticket.Observation) ticket.Observation {
	o.Snapshot, o.At = true, occurred
	if o.Says == "" {
		o.Says = ticket.TransitionChanged
	}
	return o
}

// The rows of the mapping that one delivery decides; the others are differences, and the fold's.
func TestDecodeFieldValues(t *testing.T) {
	t.Parallel()
	type o = ticket.Observation
	const (
		create = ticket.TransitionCreated
		began  = ticket.TransitionServiceStarted
	)
	for _, tt := range []struct {
		name, event, changes, fields string
		want                         o
	}{
		{
			"created, nobody's", "ticket.created", `[]`, `"status":1,"owned_by":1,"category":3`,
			o{Says: create, Status: ticket.StatusWaiting, Queue: "3"},
		},
		{"created, owner 0", "ticket.created", `[]`, `"status":1,"owned_by":0`, o{Says: create, Status: ticket.StatusWaiting}},
		{"created, owner -1", "ticket.created", `[]`, `"status":1,"owned_by":-1`, o{Says: create, Status: ticket.StatusWaiting}},
		{"created, owner null", "ticket.created", `[]`, `"status":1,"owned_by":null`, o{Says: create, Status: ticket.StatusWaiting}},
		{"created, no owner", "ticket.created", `[]`, `"status":1`, o{Says: create, Status: ticket.StatusWaiting}},
		{
			"created, owned", "ticket.created", `[]`, `"status":1,"owned_by":14,"category":3`,
			o{Says: create, Status: ticket.StatusCalled, Queue: "3", Agent: "14", Flags: []ticket.Flag{ticket.FlagSelfRegistered}},
		},
		{
			"created, closed", "ticket.created", `[]`, `"status":2,"owned_by":14`,
			o{Says: create, Status: ticket.StatusServed, Agent: "14", Flags: []ticket.Flag{ticket.FlagSelfRegistered}},
		},
		{"taken", "ticket.changed", `["id","owned_by"]`, `"status":1,"owned_by":14`, o{Status: ticket.StatusCalled, Agent: "14"}},
		{"given back", "ticket.changed", `["id","owned_by"]`, `"status":1,"owned_by":1`, o{Status: ticket.StatusWaiting}},
		{"merely read", "ticket.changed", `["id","read_by_owner"]`, `"status":1,"owned_by":14`, o{Status: ticket.StatusCalled, Agent: "14"}},
		{
			"first read by its owner", "ticket.changed", `["id","first_read_by_owner"]`, `"status":1,"owned_by":14`,
			o{Says: began, Status: ticket.StatusServing, Agent: "14"},
		},
		{
			"answered", "ticket.changed", `["replied_at","num_messages"]`, `"status":1,"owned_by":14`,
			o{Says: began, Status: ticket.StatusServing, Agent: "14"},
		},
		{
			"answered, changes as an object", "ticket.changed", `{"replied_at":null}`, `"status":1,"owned_by":14`,
			o{Says: began, Status: ticket.StatusServing, Agent: "14"},
		},
		{"answered by nobody's owner", "ticket.changed", `["replied_at"]`, `"status":1,"owned_by":1`, o{Status: ticket.StatusWaiting}},
		{
			"taken and answered: the owner first", "ticket.changed", `["owned_by","replied_at"]`, `"status":1,"owned_by":14`,
			o{Status: ticket.StatusCalled, Agent: "14"},
		},
		{"answered and closed", "ticket.changed", `["replied_at"]`, `"status":2,"owned_by":14`, o{Status: ticket.StatusServed, Agent: "14"}},
		{"postponed", "ticket.changed", `["status"]`, `"status":3,"owned_by":14`, o{Status: ticket.StatusOnHold, Agent: "14"}},
		{"postponed, nobody's", "ticket.changed", `["status"]`, `"status":3,"owned_by":1`, o{Status: ticket.StatusOnHold}},
		{"postponed variant", "ticket.changed", `["status"]`, `"status":1001,"owned_by":14`, o{Status: ticket.StatusOnHold, Agent: "14"}},
		{"postponed variant", "ticket.changed", `["status"]`, `"status":1008,"owned_by":14`, o{Status: ticket.StatusOnHold, Agent: "14"}},
		{"closed", "ticket.changed", `["status"]`, `"status":2,"owned_by":14`, o{Status: ticket.StatusServed, Agent: "14"}},
		{
			"deleted", "ticket.changed", `["status"]`, `"status":4,"owned_by":1`,
			o{Status: ticket.StatusCancelled, By: ticket.ActorStaff, Reason: "deleted"},
		},
		{
			"merged", "ticket.changed", `["status"]`, `"status":5,"owned_by":1,"connect_id":90411`,
			o{Status: ticket.StatusMerged, Reason: "merged into 90411"},
		},
		{"merged into we don't know what", "ticket.changed", `["status"]`, `"status":5,"connect_id":-1`, o{Status: ticket.StatusMerged}},
		{
			"status unknown", "ticket.changed", `["status"]`, `"status":0,"owned_by":14,"category":3`,
			o{Agent: "14", Queue: "3", Reason: "status 0"},
		},
		{"status unheard of", "ticket.changed", `["status"]`, `"status":1009`, o{Reason: "status 1009"}},
		{
			"made, in the tenant's zone", "ticket.changed", `[]`, `"status":1,"created_at":"2026-03-02T08:30:00"`,
			o{Status: ticket.StatusWaiting, CreatedAt: created},
		},
		{
			"made, with an offset", "ticket.changed", `[]`, `"status":1,"created_at":"2026-03-02T09:30:00.0000000+02:00"`,
			o{Status: ticket.StatusWaiting, CreatedAt: created},
		},
		{"made in year 1", "ticket.changed", `[]`, `"status":1,"created_at":"0001-01-01T00:00:00"`, o{Status: ticket.StatusWaiting}},
		{
			"ids as texts", "ticket.changed", `[]`, `"status":"1","owned_by":"14","category":"3","priority":2`,
			o{Status: ticket.StatusCalled, Agent: "14", Queue: "3"},
		},
		{
			"odd kinds lose nothing else", "ticket.changed", `"x"`, `"status":1,"owned_by":{},"category":3.5,"created_at":7`,
			o{Status: ticket.StatusWaiting},
		},
	} {
		checkEvent(t, newSource(t, nil), tt.name,
			`{"Event":"`+tt.event+`","PrimaryKey":90411,"Timestamp":"2026-03-02T08:11:02Z","ChangedByAssociateId":14,"Changes":`+tt.changes+`,"FieldValues":{`+tt.fields+`}}`,
			snapshot(tt.want))
	}
}

func checkEvent(t *testing.T, s source.Source, name, body string, want ticket.Observation) {
	t.Helper()
	d, err := s.Decode([]byte(body))
	if diff := cmp.Diff(source.Decoded{Ticket: &want}, d); diff != "" || err != nil {
		t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
	}
}

// Older builds send no FieldValues.
func TestDecodeWithoutFieldValues(t *testing.T) {
	t.Parallel()
	type o = ticket.Observation
	s := newSource(t, nil)
	const head = `"PrimaryKey":90411,"Timestamp":"2026-03-02T08:11:02"`
	checkEvent(t, s, "created", `{"Event":"ticket.created",`+head+`,"Changes":[]}`,
		snapshot(o{Says: ticket.TransitionCreated, Status: ticket.StatusWaiting}))
	checkEvent(t, s, "changed", `{"Event":"ticket.changed",`+head+`,"Changes":[]}`, snapshot(o{}))
	checkEvent(t, s, "changed without a list", `{"Event":"ticket.changed",`+head+`}`, snapshot(o{}))
	checkEvent(t, s, "answered", `{"Event":"ticket.changed",`+head+`,"Changes":["replied_at"]}`, snapshot(o{}))
	checkEvent(t, s, "maybe closed", `{"Event":"ticket.changed",`+head+`,"Changes":["title","closed_at","status"]}`,
		snapshot(o{Flags: []ticket.Flag{ticket.FlagMaybeClosed}}))
	checkEvent(t, s, "maybe closed, as an object", `{"Event":"ticket.changed",`+head+`,"Changes":{"closed_at":"x","status":2}}`,
		snapshot(o{Flags: []ticket.Flag{ticket.FlagMaybeClosed}}))
	checkEvent(t, s, "closing date alone", `{"Event":"ticket.changed",`+head+`,"Changes":["closed_at"]}`, snapshot(o{}))
	checkEvent(t, s, "null", `{"Event":"ticket.created",`+head+`,"FieldValues":null}`,
		snapshot(o{Says: ticket.TransitionCreated, Status: ticket.StatusWaiting}))
}

func TestDecodeByConfiguration(t *testing.T) {
	t.Parallel()
	const body = `{"Event":"ticket.changed","PrimaryKey":1,"FieldValues":{"status":1,"owned_by":7,"created_at":"2026-03-02T08:30:00"}}`
	checkEvent(t, newSource(t, func(cfg *source.Config) { cfg.UnassignedOwner = 7 }), "7 is nobody", body,
		ticket.Observation{Says: ticket.TransitionChanged, Snapshot: true, Status: ticket.StatusWaiting, CreatedAt: created})
	checkEvent(t, newSource(t, func(cfg *source.Config) { cfg.Zone = nil }), "no zone: no creation, and no time", body,
		ticket.Observation{Says: ticket.TransitionChanged, Snapshot: true, Status: ticket.StatusCalled, Agent: "7"})
}

func TestDecodeOtherEvents(t *testing.T) {
	t.Parallel()
	s := newSource(t, nil)
	for _, body := range []string{
		`{"Event":"test"}`, `{"Event":"webhook.errors","FieldValues":{"state":2}}`, `{"Event":"contact.changed","PrimaryKey":1}`,
		`{"Event":"foo.bar"}`, `{}`,
	} {
		checkNothing(t, s, body)
	}
	for _, body := range []string{`{"Event":"ticket.created"}`, `{"Event":"ticket.created","PrimaryKey":0}`, `[]`, ``} {
		if _, err := s.Decode([]byte(body)); err == nil {
			t.Errorf("%s: decoded", body)
		}
	}
}

func checkNothing(t *testing.T, s source.Source, body string) {
	t.Helper()
	d, err := s.Decode([]byte(body))
	if diff := cmp.Diff(source.Decoded{}, d); diff != "" || err != nil {
		t.Errorf("%s: %v (-want +got):\n%s", body, err, diff)
	}
}

// The hour that comes twice when summer time ends is read as the one that had come by the delivery's own time.
func TestCreatedAtInTheDoubledHour(t *testing.T) {
	t.Parallel()
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	s, err := superoffice.New(source.Config{Name: "crm", Zone: oslo, Secrets: []source.Secret{{Name: "literal-1", Value: []byte("a secret of the tests")}}})
	if err != nil {
		t.Fatal(err)
	}
	for timestamp, want := range map[string]string{
		"2026-10-25T00:30:00Z": "2026-10-25T00:30:00Z", // still summer time
		"2026-10-25T01:30:00Z": "2026-10-25T01:30:00Z", // winter time: both have come, the later one is nearer
		"2026-10-26T09:00:00Z": "2026-10-25T01:30:00Z",
	} {
		d, err := s.Decode([]byte(`{"Event":"ticket.changed","PrimaryKey":5,"Timestamp":"` + timestamp + `","FieldValues":{"status":1,"created_at":"2026-10-25T02:30:00"}}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Ticket.CreatedAt.Format(time.RFC3339); got != want {
			t.Errorf("at %s created %s, want %s", timestamp, got, want)
		}
	}
}
