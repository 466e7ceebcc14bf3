package projection_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

// wandering is a ticket that is moved to another queue by every one of n deliveries: the heaviest that a sender can make.
func wandering(id string, n int) []eventstore.Delivery {
	var ds []eventstore.Delivery
	for i := range n {
		at := noon.Add(time.Duration(i) * time.Second)
		ds = append(ds, delivery(id, at, said{Observation: ticket.Observation{
			Says: ticket.TransitionChanged, Status: ticket.StatusWaiting, At: noon, CreatedAt: noon, Queue: fmt.Sprint("line ", i),
		}}))
	}
	return ds
}

// toAndFro is n deliveries about three tickets that are called, held and sent back to wait again and again.
func toAndFro(n int) []eventstore.Delivery {
	says := []ticket.Transition{
		ticket.TransitionCalled, ticket.TransitionServiceStarted, ticket.TransitionOnHold, ticket.TransitionReturned,
	}
	var ds []eventstore.Delivery
	for i := range n {
		at, verb := noon.Add(time.Duration(i)*time.Second), says[i/3%len(says)]
		ds = append(ds, delivery(fmt.Sprint("t", i%3), at, said{Observation: ticket.Observation{
			Says: verb, Status: statusAfter(verb), At: at, CreatedAt: noon, Queue: "1",
		}}))
	}
	return ds
}

// scales is a read model that weighs pages, and times them from one write to the next.
type scales struct {
	nothing
	pages, heaviest int
	last            time.Time
	longest         time.Duration
}

func (s *scales) Write(_ context.Context, _ pgx.Tx, _ projection.Set, _ string, changes []projection.Change) error {
	bytes := 0
	for _, c := range changes {
		bytes += len(c.Stored)
	}
	s.pages, s.heaviest = s.pages+1, max(s.heaviest, bytes)
	if !s.last.IsZero() {
		s.longest = max(s.longest, time.Since(s.last))
	}
	s.last = time.Now()
	return nil
}

// One ticket's state may take hundreds of kilobytes, and each of its events stores it anew. Pages end by weight, so
// neither memory nor the lease knows of it, and the tickets in between are seen soon.
func TestTicketWithManyEventsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	heavy := wandering("heavy", 600)
	for i := range 3 {
		w.append("city", heavy[200*i:200*(i+1)]...)
		w.append("city", delivery(fmt.Sprint("light ", i), minute(60*i), created("1", minute(60*i))))
	}
	weighed := &scales{}
	w.models = append(w.models, weighed)
	w.catchUp()
	if weighed.heaviest > 2<<20 || weighed.pages < 5 || weighed.pages > 50 {
		t.Errorf("%d pages, the heaviest of %d bytes", weighed.pages, weighed.heaviest)
	}
	if weighed.longest > projection.DefaultLease/2 {
		t.Errorf("a page took %v", weighed.longest)
	}
	w.check()
}

// A ticket that has all the facts it can keep changes no more, and no longer costs its whole state an event.
func TestTicketWithAllItsFactsGrowsNoMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ds []eventstore.Delivery
	for i := range ticket.MaxFacts + 100 {
		at := noon.Add(time.Duration(i) * time.Second)
		ds = append(ds, delivery("a", at, called(at)))
	}
	w.append("city", ds...)
	w.catchUp()
	if got := one[int64](w, `SELECT count(*) FROM history_0 WHERE state IS NULL`); got != 99 { // the first of them raises a flag
		t.Errorf("%d of 100 events that were not kept left the ticket as it was", got)
	}
	w.check()
}

// Tickets that are heavy already are loaded a few at a time.
func TestManyHeavyTicketsAreNotLoadedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const tickets = 10
	reason := fmt.Sprintf("%0900000d", 1)
	var ds []eventstore.Delivery
	for i := range 2 * tickets {
		s := served(minute(i), minute(i))
		s.Reason = reason
		ds = append(ds, delivery(fmt.Sprint("t", i%tickets), minute(i), s))
	}
	weighed := &scales{}
	w.models = append(w.models, weighed)
	w.append("city", ds[:tickets]...)
	w.catchUp()
	weighed.pages = 0
	w.append("city", ds[tickets:]...)
	w.catchUp()
	if got := weighed.pages; got < 2 || got > tickets {
		t.Errorf("%d pages for %d tickets of a megabyte each", got, tickets)
	}
	w.check()
}
