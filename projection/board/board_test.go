package board_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/eventstore/ticket"
	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
	"queuetrack/projection/board"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

// world folds observations straight into the board, an event a page or all in one.
type world struct {
	t       *testing.T
	pool    *pgxpool.Pool
	tickets map[string]ticket.Ticket
	last    map[string]int64 // by source
	pending map[string][]projection.Change
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{
		t: t, pool: dbtest.New(t), tickets: map[string]ticket.Ticket{}, last: map[string]int64{},
		pending: map[string][]projection.Change{},
	}
}

func (w *world) observe(src, id string, o ticket.Observation, names ...source.Name) {
	w.t.Helper()
	w.last[src]++
	o.Position = w.last[src]
	if o.ReceivedAt.IsZero() {
		o.ReceivedAt = o.At
	}
	before := w.tickets[src+id]
	after, transitions := ticket.Apply(before, o)
	w.tickets[src+id] = after
	stored, err := projection.EncodeState(after.State)
	if err != nil {
		w.t.Fatal(err)
	}
	w.pending[src] = append(w.pending[src], projection.Change{
		Event:  eventstore.Event{Source: src, Position: o.Position, Ticket: id, ReceivedAt: o.ReceivedAt},
		Ticket: id, Before: before.State, After: after.State, Stored: stored, Says: o, Transitions: transitions, Names: names,
	})
}

func (w *world) write() {
	w.t.Helper()
	err := pgx.BeginFunc(w.t.Context(), w.pool, func(tx pgx.Tx) error {
		for src, changes := range w.pending {
			if err := (board.Model{}).Write(w.t.Context(), tx, 0, src, changes); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	clear(w.pending)
}

func (w *world) view(f func(*projection.View)) {
	w.t.Helper()
	w.write()
	err := projection.NewReader(w.pool).View(w.t.Context(), func(v *projection.View) error {
		f(v)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func created(queue string, at time.Time) ticket.Observation {
	return ticket.Observation{Says: ticket.TransitionCreated, Status: ticket.StatusWaiting, At: at, CreatedAt: at, Queue: queue}
}

func moved(says ticket.Transition, status ticket.Status, at time.Time) ticket.Observation {
	return ticket.Observation{Says: says, Status: status, At: at}
}

func (w *world) queues(f board.Filter, at time.Time) []board.Queue {
	w.t.Helper()
	var queues []board.Queue
	w.view(func(v *projection.View) {
		var err error
		if at.IsZero() {
			queues, err = board.Queues(w.t.Context(), v, f)
		} else {
			queues, err = board.QueuesAt(w.t.Context(), v, f, at)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	})
	return queues
}

func TestQueuesNowAndThen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.observe("city", "a", created("1", noon))
	w.observe("city", "b", created("1", minute(5)))
	w.observe("city", "a", moved(ticket.TransitionCalled, ticket.StatusCalled, minute(10)))
	w.observe("city", "a", moved(ticket.TransitionServed, ticket.StatusServed, minute(20)))
	w.observe("city", "c", ticket.Observation{Says: ticket.TransitionBooked, Status: ticket.StatusBooked, At: minute(21), CreatedAt: minute(21), Queue: "2", Booking: true})
	w.observe("store", "a", created("1", minute(30)))
	w.observe("city", "b", ticket.Observation{Says: ticket.TransitionFeedback, ReceivedAt: minute(40)})

	now := []board.Queue{
		{Source: "city", Queue: "1", Waiting: 1, OldestEntry: minute(5), HeadEntry: minute(5), Ahead: 1, LastEventAt: minute(40)},
		{Source: "city", Queue: "2", Booked: 1, LastEventAt: minute(21)},
		{Source: "store", Queue: "1", Waiting: 1, OldestEntry: minute(30), HeadEntry: minute(30), Ahead: 1, LastEventAt: minute(30)},
	}
	if diff := cmp.Diff(now, w.queues(board.Filter{}, time.Time{})); diff != "" {
		t.Errorf("now (-want +got):\n%s", diff)
	}
	for _, test := range []struct {
		at                      time.Time
		waiting, called, booked int64
		oldest                  time.Time
	}{
		{at: noon.Add(-1)},
		{at: noon, waiting: 1, oldest: noon},
		{at: minute(9), waiting: 2, oldest: noon},
		{at: minute(10), waiting: 1, called: 1, oldest: minute(5)},
		{at: minute(20), waiting: 1, oldest: minute(5)},
	} {
		got := w.queues(board.Filter{Source: "city", Queue: "1"}, test.at)
		want := []board.Queue{{
			Source: "city", Queue: "1", Waiting: test.waiting, Called: test.called, Booked: test.booked,
			OldestEntry: test.oldest, LastEventAt: minute(40),
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("at %s (-want +got):\n%s", test.at, diff)
		}
	}
}

// A newcomer stands behind all but those of a lower priority, and those whose turn comes later than now.
func TestHeadAndAheadGoByTheQueuesOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ahead := func(priority int, orderAfter time.Time) ticket.Observation {
		o := created("1", noon)
		o.Priority, o.OrderAfter = priority, orderAfter
		return o
	}
	w.observe("city", "low", ahead(-1, time.Time{}))
	w.observe("city", "late", ahead(0, time.Now().Add(time.Hour)))
	w.observe("city", "first", created("1", minute(5)))
	w.observe("city", "high", ahead(5, time.Now().Add(time.Hour)))
	w.view(func(v *projection.View) {
		now, err := board.Queues(t.Context(), v, board.Filter{Queue: "1"})
		if err != nil {
			t.Fatal(err)
		}
		want := board.Queue{Source: "city", Queue: "1", Waiting: 4, OldestEntry: noon, HeadEntry: noon, Ahead: 2, LastEventAt: now[0].LastEventAt}
		if diff := cmp.Diff([]board.Queue{want}, now); diff != "" {
			t.Errorf("now (-want +got):\n%s", diff)
		}
		tickets, err := board.QueueTickets(t.Context(), v, "city", "1", "")
		if err != nil {
			t.Fatal(err)
		}
		want.LastEventAt = time.Time{}
		if diff := cmp.Diff([]board.Queue{want}, board.Count(tickets, v.Now)); diff != "" {
			t.Errorf("counted (-want +got):\n%s", diff)
		}
	})
}

// The wait goes on behind a hold: who came first still is the longest waiting.
func TestOldestEntryBehindAHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.observe("city", "a", created("1", noon))
	w.observe("city", "a", moved(ticket.TransitionOnHold, ticket.StatusOnHold, minute(5)))
	w.observe("city", "a", moved(ticket.TransitionResumed, ticket.StatusWaiting, minute(10)))
	for _, at := range []time.Time{{}, minute(11)} {
		if got := w.queues(board.Filter{}, at); len(got) != 1 || !got[0].OldestEntry.Equal(noon) {
			t.Errorf("queues at %v: %+v; want the oldest entry at noon", at, got)
		}
	}
}

// A late delivery tells of a queue that its ticket has left: the queue is known all the same.
func TestQueueKnownFromALateDeliveryOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	call := moved(ticket.TransitionCalled, ticket.StatusCalled, minute(10))
	call.Queue = "2"
	w.observe("city", "a", call)
	late := created("1", noon)
	late.ReceivedAt = minute(12)
	w.observe("city", "a", late)
	if got := w.queues(board.Filter{Queue: "1"}, minute(5)); len(got) != 1 || got[0].Waiting != 1 || !got[0].LastEventAt.Equal(minute(12)) {
		t.Errorf("queue 1 at five past: %+v", got)
	}
}

// metrics.md: the live count is time travel to now. And Little's law: the lengths of the queue add up to the time waited.
func TestLiveCountIsTimeTravelToNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rng := rand.New(rand.NewPCG(5, 5))
	statuses := []ticket.Status{
		ticket.StatusWaiting, ticket.StatusCalled, ticket.StatusServing, ticket.StatusOnHold,
		ticket.StatusServed, ticket.StatusNoShow, ticket.StatusCancelled, ticket.StatusBooked,
	}
	for i := range 400 {
		id := fmt.Sprint("t", rng.IntN(60))
		status := statuses[rng.IntN(len(statuses))]
		o := moved(ticket.TransitionChanged, status, minute(i))
		if status == ticket.StatusWaiting {
			o = created(fmt.Sprint(rng.IntN(4)), minute(i))
		}
		w.observe("city", id, o)
		if i%7 == 0 {
			w.write()
		}
	}
	live := w.queues(board.Filter{}, time.Time{})
	if diff := cmp.Diff(live, w.queues(board.Filter{}, minute(400))); diff != "" {
		t.Errorf("the live count and time travel to now (-live +now):\n%s", diff)
	}
	for at := 0; at < 400; at += 9 {
		want := map[string]int64{}
		for _, tk := range w.tickets {
			if s := tk.At(minute(at)); s.Status == ticket.StatusWaiting {
				want[s.Queue]++
			}
		}
		for _, q := range w.queues(board.Filter{}, minute(at)) {
			if q.Waiting != want[q.Queue] {
				t.Fatalf("minute %d: %d waiting in queue %s; the tickets say %d", at, q.Waiting, q.Queue, want[q.Queue])
			}
		}
	}
}

func TestQueueOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	add := func(id string, at time.Time, priority int, after time.Time) {
		o := created("1", at)
		o.Priority, o.OrderAfter = priority, after
		w.observe("city", id, o)
	}
	add("third", minute(3), 0, time.Time{})
	add("second", minute(2), 0, time.Time{})
	add("moved back", minute(1), 0, minute(4))
	add("first by priority", minute(9), 1, time.Time{})
	add("same instant, came later", minute(3), 0, time.Time{})
	w.observe("city", "called", created("1", noon))
	w.observe("city", "called", moved(ticket.TransitionCalled, ticket.StatusCalled, minute(5)))
	w.observe("city", "gone", created("1", noon))
	w.observe("city", "gone", moved(ticket.TransitionServed, ticket.StatusServed, minute(5)))
	w.observe("city", "elsewhere", created("2", noon))

	waiting := []string{"first by priority", "second", "third", "same instant, came later", "moved back"}
	for status, want := range map[ticket.Status][]string{
		ticket.StatusWaiting: waiting,
		ticket.StatusCalled:  {"called"},
		"":                   append([]string{waiting[0], "called"}, waiting[1:]...),
		ticket.StatusServed:  nil, // open ones only
	} {
		w.view(func(v *projection.View) {
			tickets, err := board.QueueTickets(t.Context(), v, "city", "1", status)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, ids(tickets), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%q (-want +got):\n%s", status, diff)
			}
		})
	}
}

func ids(tickets []board.Ticket) []string {
	var all []string
	for _, t := range tickets {
		all = append(all, t.Ticket)
	}
	return all
}

func TestTicketsNewestFirstInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 20 {
		w.observe("city", fmt.Sprintf("t%02d", i), created(fmt.Sprint(i%2), minute(i/3))) // three at one instant
	}
	w.observe("store", "x", created("0", minute(3)))
	w.observe("city", "t05", moved(ticket.TransitionServed, ticket.StatusServed, minute(30)))
	list := func(f board.TicketFilter) []string {
		var all []string
		w.view(func(v *projection.View) {
			for {
				page, err := board.Tickets(t.Context(), v, f)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, ids(page)...)
				if len(page) < f.Limit {
					return
				}
				last := page[len(page)-1].Key()
				f.After = &last
			}
		})
		return all
	}
	whole := list(board.TicketFilter{Limit: 1000})
	want := []string{
		"t18", "t19", "t15", "t16", "t17", "t12", "t13", "t14", "t09", "t10", "t11", "x", "t06", "t07", "t08",
		"t03", "t04", "t05", "t00", "t01", "t02",
	}
	if diff := cmp.Diff(want, whole); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	for _, limit := range []int{1, 2, 3, 7} {
		if diff := cmp.Diff(whole, list(board.TicketFilter{Limit: limit})); diff != "" {
			t.Errorf("in pages of %d (-all +got):\n%s", limit, diff)
		}
	}
	for _, test := range []struct {
		filter board.TicketFilter
		want   []string
	}{
		{board.TicketFilter{Source: "store", Limit: 10}, []string{"x"}},
		{board.TicketFilter{Status: ticket.StatusServed, Limit: 10}, []string{"t05"}},
		{board.TicketFilter{Source: "city", Queue: "1", CreatedFrom: minute(1), CreatedTo: minute(2), Limit: 10}, []string{"t03", "t05"}},
	} {
		if diff := cmp.Diff(test.want, list(test.filter)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", test.filter, diff)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.observe("city", "a", created("1", noon))
	w.observe("city", "a", moved(ticket.TransitionCalled, ticket.StatusCalled, minute(10)))
	w.view(func(v *projection.View) {
		got, err := board.Find(t.Context(), v, "city", "a")
		if err != nil {
			t.Fatal(err)
		}
		want := board.Ticket{Source: "city", Ticket: "a", State: w.tickets["citya"].State}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ticket (-want +got):\n%s", diff)
		}
		for _, key := range [][2]string{{"city", "b"}, {"store", "a"}} {
			if _, err := board.Find(t.Context(), v, key[0], key[1]); !errors.Is(err, board.ErrUnknownTicket) {
				t.Errorf("Find %v: %v", key, err)
			}
		}
	})
}

func TestLatestName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := created("1", noon)
	w.observe("city", "a", o, source.Name{Kind: source.NameQueue, ID: "1", Name: "Passports"}, source.Name{Kind: source.NameQueueLocation, ID: "1", Name: "East"})
	w.write()
	w.observe("city", "b", o, source.Name{Kind: source.NameQueue, ID: "1", Name: "Passes"})
	w.observe("city", "c", o, source.Name{Kind: source.NameQueue, ID: "1", Name: "Visas"}, source.Name{Kind: source.NameLocation, ID: "9", Name: "City Hall"})
	w.observe("store", "a", o, source.Name{Kind: source.NameQueue, ID: "1", Name: "Bread"})
	w.view(func(v *projection.View) {
		n, err := board.NamesOf(t.Context(), v, "")
		if err != nil {
			t.Fatal(err)
		}
		got := []string{n.Queue("city", "1"), n.Queue("store", "1"), n.Location("city", "9"), n.QueueLocation("city", "1"), n.Queue("city", "2")}
		if diff := cmp.Diff([]string{"Visas", "Bread", "City Hall", "East", ""}, got); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
		only, err := board.NamesOf(t.Context(), v, "store")
		if err != nil || only.Queue("city", "1") != "" || only.Queue("store", "1") != "Bread" {
			t.Errorf("names of the store: %v, %v", only, err)
		}
	})
}

// What was retried out of the quarantine was received long before what came before it in the log: a queue's last event
// stays the latest that was received, on whichever page it stands.
func TestAQueuesLastEventDoesNotGoBack(t *testing.T) {
	t.Parallel()
	for name, pages := range map[string]int{"in one page": 1, "page by page": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.observe("city", "a", ticket.Observation{Says: ticket.TransitionCreated, Status: ticket.StatusWaiting, At: minute(0), Queue: "1", ReceivedAt: minute(60)})
			if pages > 1 {
				w.write()
			}
			w.observe("city", "b", ticket.Observation{Says: ticket.TransitionCreated, Status: ticket.StatusWaiting, At: minute(0), Queue: "1", ReceivedAt: minute(1)})
			w.write()
			w.view(func(v *projection.View) {
				queues, err := board.Queues(t.Context(), v, board.Filter{Source: "city"})
				if err != nil || len(queues) != 1 || !queues[0].LastEventAt.Equal(minute(60)) {
					t.Errorf("queues %+v, %v; want one whose last event came at %s", queues, err, minute(60))
				}
			})
		})
	}
}
