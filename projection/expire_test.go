package projection_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/eventstore"
	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
	"queuetrack/projection/board"
)

func (w *world) find(id string) board.Ticket {
	w.t.Helper()
	var found board.Ticket
	w.view(func(v *projection.View) {
		var err error
		if found, err = board.Find(w.t.Context(), v, "city", id); err != nil {
			w.t.Fatal(err)
		}
	})
	return found
}

func (w *world) expire(now time.Time) int {
	w.t.Helper()
	after := map[string]time.Duration{"city": time.Hour, "crm": 0}
	n, err := projection.NewExpirer(w.pool, w.log, after, func() time.Time { return now }).ExpireOnce(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestNothingWaitsForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city",
		delivery("lost", noon, created("1", noon)),
		delivery("done", noon, created("1", noon)), delivery("done", minute(1), served(minute(1), noon)),
		delivery("fresh", minute(30), created("1", minute(30))))
	w.append("crm", delivery("never", noon, created("1", noon)))
	w.catchUp()
	if n := w.expire(minute(59)); n != 0 {
		t.Errorf("%d expired before their time", n)
	}
	if n := w.expire(minute(61)); n != 1 {
		t.Errorf("%d expired; want the lost one", n)
	}
	if n := w.expire(minute(62)); n != 0 {
		t.Errorf("%d expired by a second process that decided the same", n)
	}
	w.catchUp()
	w.check()
	got := w.find("lost")
	if got.Status != ticket.StatusExpired || !got.EndedAt.Equal(minute(61)) || got.Reason != "no event for 1h0m0s" {
		t.Errorf("the lost ticket is %s since %s (%s)", got.Status, got.EndedAt, got.Reason)
	}
	if n := w.expire(minute(80)); n != 0 {
		t.Errorf("%d expired twice", n)
	}
}

// A later word of the vendor withdraws an expiry; silence after it brings the next one.
func TestExpiredTicketComesBackAndExpiresAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	w.catchUp()
	w.expire(minute(70))
	w.catchUp()
	w.append("city", delivery("a", minute(80), called(minute(80))))
	w.catchUp()
	if got := w.find("a").Status; got != ticket.StatusCalled {
		t.Errorf("after the vendor's call the ticket is %s", got)
	}
	if n := w.expire(minute(200)); n != 1 {
		t.Errorf("%d expired the second time", n)
	}
	w.catchUp()
	if got := w.find("a").Status; got != ticket.StatusExpired {
		t.Errorf("after the second silence the ticket is %s", got)
	}
	w.check()
}

// The vendor's event was in the log, but not folded, when the expiry was decided: it voids it.
func TestExpiryDecidedOnStaleKnowledge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	w.catchUp()
	w.append("city", delivery("a", minute(69), called(minute(69))))
	if n := w.expire(minute(70)); n != 1 {
		t.Fatalf("%d expired", n)
	}
	w.catchUp()
	if got := w.find("a").Status; got != ticket.StatusCalled {
		t.Errorf("the ticket is %s; want called", got)
	}
	w.check()
}

func TestExpiryInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ds []eventstore.Delivery
	for i := range 1201 {
		ds = append(ds, delivery("t"+time.Duration(i).String(), noon, created("1", noon)))
	}
	w.append("city", ds...)
	w.catchUp()
	if n := w.expire(minute(61)); n != 1201 {
		t.Errorf("%d expired; want all 1201", n)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	w.catchUp()
	receipt, err := projection.Close(t.Context(), w.pool, w.log, "city", "a", "went home", minute(90))
	if diff := cmp.Diff(eventstore.Receipt{Result: eventstore.Accepted, Position: 2}, receipt); diff != "" || err != nil {
		t.Fatalf("Close: %v (-want +got):\n%s", err, diff)
	}
	again, err := projection.Close(t.Context(), w.pool, w.log, "city", "a", "went home", minute(90))
	if err != nil || again.Result != eventstore.Duplicate {
		t.Errorf("Close before the fold got there: %v, %v", again, err)
	}
	w.catchUp()
	if got := w.find("a"); got.Status != ticket.StatusExpired || got.Reason != "went home" || !got.EndedAt.Equal(minute(90)) {
		t.Errorf("the closed ticket is %s (%s) since %s", got.Status, got.Reason, got.EndedAt)
	}
	for _, id := range []string{"a", "unknown"} {
		if _, err := projection.Close(t.Context(), w.pool, w.log, "city", id, "", minute(90)); !errors.Is(err, projection.ErrNotOpen) {
			t.Errorf("Close of %s: %v", id, err)
		}
	}
	w.check()
}

// Only what we wrote ourselves counts as ours, whatever type a body claims.
func TestForgedExpiryIsTheVendorsWord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	forged := delivery("a", minute(1), said{Observation: ticket.Observation{Says: ticket.TransitionChanged}})
	forged.Type = eventstore.TypeExpired
	unknown := delivery("b", minute(1), said{})
	unknown.Type, unknown.VerifiedBy, unknown.EventKey = "queuetrack.forgotten", eventstore.Own, "forgotten:b:1"
	w.append("city", delivery("a", noon, created("1", noon)), forged, unknown)
	w.catchUp()
	if got := w.find("a").Status; got != ticket.StatusWaiting {
		t.Errorf("a forged expiry made the ticket %s", got)
	}
	if got := one[string](w, `SELECT cause FROM dead_letter`); got != `decode: our own event type "queuetrack.forgotten" is not known` {
		t.Errorf("our own event of another version: %s", got)
	}
	w.check()
}
