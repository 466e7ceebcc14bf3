package source_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/eventstore/source"
	"queuetrack/eventstore/ticket"
)

// Our deliveries tell whole visits; this is how the fold reads them, when each is received a second after its time.
func TestStoriesEndAsTold(t *testing.T) {
	t.Parallel()
	type end struct {
		Status   ticket.Status
		By       ticket.Actor
		Calls    int
		Returns  int
		Segments int
	}
	want := map[string]map[string]end{
		"qminder": {
			"880140001": {ticket.StatusServed, "", 2, 0, 1},
			"880140002": {ticket.StatusNoShow, "", 3, 1, 2},
			"880140003": {ticket.StatusCancelled, ticket.ActorStaff, 0, 0, 1},
			"880140004": {ticket.StatusCancelled, ticket.ActorCustomer, 0, 0, 0},
		},
		"ombori": {
			"a3b0d0c6-1f43-4d58-b1a8-3c5c90f1e001": {ticket.StatusServed, "", 1, 0, 1},
			"a3b0d0c6-1f43-4d58-b1a8-3c5c90f1e002": {ticket.StatusCancelled, ticket.ActorStaff, 2, 1, 2},
			"a3b0d0c6-1f43-4d58-b1a8-3c5c90f1e003": {ticket.StatusServed, "", 1, 0, 1},
			"a3b0d0c6-1f43-4d58-b1a8-3c5c90f1e004": {ticket.StatusCancelled, ticket.ActorCustomer, 0, 0, 0},
			"a3b0d0c6-1f43-4d58-b1a8-3c5c90f1e005": {ticket.StatusCancelled, ticket.ActorStaff, 0, 0, 0},
			"a3b0d0c6-1f43-4d58-b1a8-3c5c90f1e006": {ticket.StatusCancelled, ticket.ActorStaff, 0, 0, 1},
		},
		"superoffice": {
			"90411": {ticket.StatusWaiting, "", 2, 0, 3},
			"90412": {ticket.StatusServed, "", 1, 0, 1},
			"90413": {ticket.StatusMerged, "", 0, 0, 1},
			"90414": {ticket.StatusCancelled, ticket.ActorStaff, 0, 0, 1},
			"90415": {ticket.StatusWaiting, "", 0, 0, 1},
		},
	}
	eachVendor(t, func(t *testing.T, v vendor, s source.Source) {
		if want[v.name] == nil {
			t.Errorf("say in want how each ticket of testdata/deliveries/%s ends; below is how it did", v.name)
		}
		got := map[string]end{}
		for id, tk := range foldDeliveries(t, v, s) {
			got[id] = end{tk.Status, tk.EndedBy, len(tk.Calls), len(tk.Returns), len(tk.Segments)}
		}
		if diff := cmp.Diff(want[v.name], got); diff != "" {
			t.Errorf("tickets (-want +got):\n%s", diff)
		}
	})
}

func foldDeliveries(t *testing.T, v vendor, s source.Source) map[string]ticket.Ticket {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "deliveries", v.name, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	tickets := map[string]ticket.Ticket{}
	received := time.Date(2026, 2, 26, 0, 0, 0, 0, time.UTC)
	for i, file := range files {
		body := readFile(t, file)
		id := s.Identify(body)
		d, err := s.Decode(body)
		if err != nil || d.Ticket == nil {
			continue // the contract test holds that it is about no ticket
		}
		received = received.Add(time.Second)
		if id.OccurredAt.After(received) {
			received = id.OccurredAt.Add(time.Second)
		}
		d.Ticket.Position, d.Ticket.ReceivedAt = int64(i+1), received
		tickets[id.Ticket], _ = ticket.Apply(tickets[id.Ticket], *d.Ticket)
	}
	return tickets
}
