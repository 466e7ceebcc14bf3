package history_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"queuetrack/eventstore"
	"queuetrack/eventstore/ticket"
	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
	"queuetrack/projection/history"
)

func TestTicketAtAPosition(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	changes := visit(t)
	changes[1].After, changes[1].Stored = changes[1].Before, nil // as before: the state is not stored again
	write(t, pool, changes...)
	err := projection.NewReader(pool).View(t.Context(), func(v *projection.View) error {
		for position, want := range map[int64]ticket.Status{1: "waiting", 10: "waiting", 11: "waiting", 20: "waiting", 21: "no_show", 99: "no_show"} {
			if got, err := history.At(t.Context(), v, "city", "a", position); err != nil || got.Status != want {
				t.Errorf("at %d: %s, %v; want %s", position, got.Status, err, want)
			}
		}
		for _, c := range []struct {
			source, ticket string
			position       int64
		}{{"city", "a", 0}, {"city", "b", 99}, {"store", "a", 99}} {
			if _, err := history.At(t.Context(), v, c.source, c.ticket, c.position); !errors.Is(err, history.ErrUntold) {
				t.Errorf("%+v: %v, want ErrUntold", c, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Who stood in a queue is the same as by replaying the log, however long rows hold and wherever the position is.
func TestOpenAtIsWhatAReplaySays(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	pool := dbtest.New(t)
	changes := longLog(t, random, 3000)
	for page := range slices.Chunk(changes, 500) {
		write(t, pool, page...)
	}
	// What is of another source is nobody's business here.
	other := slices.Clone(changes[:100])
	for i := range other {
		other[i].Event.Source = "store"
	}
	writeOf(t, pool, "store", other...)
	for _, sql := range []string{logged, standing} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}

	err := projection.NewReader(pool).View(t.Context(), func(v *projection.View) error {
		end := changes[len(changes)-1].Event.Position
		for _, position := range append([]int64{1, 2, end - 1, end, end + 1}, some(random, end, 40)...) {
			want := map[string]ticket.Status{}
			for _, c := range changes {
				if c.Event.Position > position {
					break
				}
				if want[c.Ticket] = c.After.Status; c.After.Status == "" || c.After.Status.Ended() {
					delete(want, c.Ticket)
				}
			}
			open, err := history.OpenAt(t.Context(), v, "city", position)
			if err != nil {
				return err
			}
			got := map[string]ticket.Status{}
			for id, s := range open {
				got[id] = s.Status
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("at %d (-want +got):\n%s", position, diff)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// logged makes the log of what the history tells.
const logged = `
	INSERT INTO event (source, position, ticket, type, received_at, body, digest, delivery_id, verified_by)
	SELECT source, position, ticket, type, received_at, '', sha256(''), gen_random_uuid(), 'literal-1'
	FROM history_0`

// standing makes the folded tickets of what the history tells.
const standing = `
	INSERT INTO folded_0 (source, ticket, status, facts, last_position, expires_from)
	SELECT source, ticket, CASE WHEN open THEN 'waiting' ELSE 'served' END, '', position, received_at
	FROM history_0
	WHERE next_position IS NULL`

// some are positions up to the end.
func some(random *rand.Rand, end int64, n int) []int64 {
	list := make([]int64, n)
	for i := range list {
		list[i] = 1 + random.Int64N(end)
	}
	return list
}

// longLog is n events of a few hundred tickets, between which gaps of any size lie: up to millions of positions.
func longLog(t *testing.T, random *rand.Rand, n int) []projection.Change {
	t.Helper()
	tickets := map[string]ticket.Ticket{}
	var changes []projection.Change
	position := int64(0)
	for range n {
		position += 1 + random.Int64N(1<<random.IntN(14))
		id := fmt.Sprint("t", random.IntN(1+len(tickets)/2+random.IntN(20)))
		before := tickets[id]
		c := change(t, id, position, before, steps[random.IntN(len(steps))])
		tickets[id], changes = c.after, append(changes, c.Change)
	}
	return changes
}

// steps are what may be told of a ticket; feedback changes nothing.
var steps = []ticket.Observation{
	{Says: ticket.TransitionCreated, Status: ticket.StatusWaiting, Queue: "1"},
	{Says: ticket.TransitionCalled, Status: ticket.StatusCalled},
	{Says: ticket.TransitionServed, Status: ticket.StatusServed},
	{Says: ticket.TransitionFeedback},
}

type changed struct {
	projection.Change
	after ticket.Ticket
}

// change is what an event at a position makes of a ticket.
func change(t *testing.T, id string, position int64, before ticket.Ticket, o ticket.Observation) changed {
	t.Helper()
	o.Position, o.ReceivedAt = position, minute(int(position%1000))
	after, transitions := ticket.Apply(before, o)
	c := projection.Change{
		Event:  eventstore.Event{Source: "city", Position: position, Ticket: id, Type: "x", ReceivedAt: o.ReceivedAt},
		Ticket: id, Before: before.State, After: after.State, Says: o, Transitions: transitions,
	}
	if before.LastPosition == 0 || !after.Same(before.State) {
		var err error
		if c.Stored, err = projection.EncodeState(after.State); err != nil {
			t.Fatal(err)
		}
	}
	return changed{c, after}
}
