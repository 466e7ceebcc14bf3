package projection_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

// bustle is n deliveries about a few dozen tickets: late ones, repeated ones, bookings, transfers, holds, names, poison,
// quarantine, events about nothing. The same seed makes the same.
func bustle(seed uint64, n int) []eventstore.Delivery {
	rng := rand.New(rand.NewPCG(seed, 7))
	queues := []string{"1", "2", "3", ""}
	ds := make([]eventstore.Delivery, 0, n)
	for i := range n {
		at := noon.Add(time.Duration(i) * 7 * time.Second)
		id := fmt.Sprintf("t%03d", rng.IntN(1+n/8))
		// By the vendor's clock things happened a while ago, mostly.
		then := at.Add(-time.Duration(rng.IntN(1200)-100) * time.Second).Add(time.Duration(rng.IntN(1e9)))
		s := said{Observation: ticket.Observation{
			At: then, CreatedAt: noon.Add(-time.Hour), Queue: queues[rng.IntN(len(queues))], Label: fmt.Sprintf("A%d", i),
			Priority: rng.IntN(3) - 1,
		}}
		says := []ticket.Transition{
			ticket.TransitionCreated, ticket.TransitionCreated, ticket.TransitionCalled, ticket.TransitionCalled,
			ticket.TransitionServiceStarted, ticket.TransitionServed, ticket.TransitionCancelled, ticket.TransitionNoShow,
			ticket.TransitionOnHold, ticket.TransitionChanged, ticket.TransitionFeedback, ticket.TransitionBooked,
			ticket.TransitionTransferred, ticket.TransitionReturned,
		}
		s.Says = says[rng.IntN(len(says))]
		s.Status = statusAfter(s.Says)
		switch rng.IntN(40) {
		case 0:
			s.Fail = "no such number: \x00" + fmt.Sprint(i)
		case 1:
			s.Panic = fmt.Sprint("index out of range ", i)
		case 2:
			s.Mute, s.Names = true, []source.Name{{Kind: source.NameQueue, ID: "1", Name: fmt.Sprint("Desk ", i)}}
		case 3:
			id, s.Mute = "", true
			s.Names = []source.Name{{Kind: source.NameLocation, ID: "L", Name: fmt.Sprint("Hall ", i)}}
		case 4:
			id, s.Fail = "", "about nothing"
		case 5:
			s.Names = []source.Name{{Kind: source.NameQueueLocation, ID: "2", Name: fmt.Sprint("East ", i)}}
		}
		d := delivery(id, at, s)
		if rng.IntN(30) == 0 {
			d.Quarantined = "looks odd"
		}
		ds = append(ds, d)
	}
	return ds
}

func statusAfter(t ticket.Transition) ticket.Status {
	return map[ticket.Transition]ticket.Status{
		ticket.TransitionCreated: ticket.StatusWaiting, ticket.TransitionCalled: ticket.StatusCalled,
		ticket.TransitionServiceStarted: ticket.StatusServing, ticket.TransitionServed: ticket.StatusServed,
		ticket.TransitionCancelled: ticket.StatusCancelled, ticket.TransitionNoShow: ticket.StatusNoShow,
		ticket.TransitionOnHold: ticket.StatusOnHold, ticket.TransitionBooked: ticket.StatusBooked,
		ticket.TransitionTransferred: ticket.StatusWaiting, ticket.TransitionReturned: ticket.StatusWaiting,
	}[t]
}

func TestNoRowDependsOnWherePagesEnd(t *testing.T) {
	t.Parallel()
	want := map[string][]string{}
	for _, size := range []int{500, 7, 1} {
		w := newWorld(t)
		w.append("city", bustle(1, 501)...)
		if err := w.runner(projection.Config{PageSize: size, Logger: w.config().Logger}).CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.check()
		got := w.dump()
		for _, table := range tables {
			if len(got[table]) == 0 {
				t.Errorf("nothing in %s: the test proves nothing of it", table)
			}
		}
		if n := one[int64](w, `SELECT count(*) FROM history_0 WHERE state IS NULL`); n == 0 {
			t.Error("no event left its ticket as it was: the test proves nothing of those")
		}
		if size == 500 {
			want = got
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d leave other rows than pages of 500 (-500 +%d):\n%s", size, size, diff)
		}
	}
}

// zitadel#12703, marten#5239: the checkpoint is what was scanned, whatever came of it.
func TestFilteredOrShortPageMovesTheCheckpointByWhatItScanned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	quarantined := delivery("t1", noon, said{Mute: true})
	quarantined.Quarantined = "looks odd"
	w.append("city", quarantined, delivery("", noon, said{Mute: true}), delivery("t2", noon, said{Mute: true}))
	runner := w.runner(projection.Config{PageSize: 2})
	if err := runner.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.checkpoint("city"); got != 3 {
		t.Errorf("checkpoint after 3 events without effect: %d", got)
	}
	w.append("city", delivery("t3", minute(1), created("1", noon)))
	if err := runner.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := one[int64](w, `SELECT count(*) FROM history_0`); got != 1 {
		t.Errorf("%d rows of history after the first event with an effect", got)
	}
	w.check()
}

// zitadel#10726: the dead letter and the checkpoint past it are in one transaction.
func TestDeadLetterIsRolledBackWithItsBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city",
		delivery("bad", noon, said{Fail: "no such status"}),
		delivery("good", noon, created("1", noon)))
	outage := &stumbling{}
	w.models = append(w.models, outage)
	if err := w.runner(w.config()).CatchUp(t.Context()); err == nil {
		t.Fatal("a failing read model did not fail the page")
	}
	if letters, at := one[int64](w, `SELECT count(*) FROM dead_letter`), w.checkpoint("city"); letters != 0 || at != 0 {
		t.Errorf("after the rollback: %d dead letters, checkpoint %d; want neither", letters, at)
	}
	outage.over = true
	w.catchUp()
	if letters, at := one[int64](w, `SELECT count(*) FROM dead_letter`), w.checkpoint("city"); letters != 1 || at != 2 {
		t.Errorf("after the commit: %d dead letters, checkpoint %d; want 1 and 2", letters, at)
	}
	w.models = w.models[:3]
	w.check()
}

func TestPoisonStopsItsTicketOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city",
		delivery("a", noon, created("1", noon)),
		delivery("b", noon, created("1", noon)),
		delivery("a", minute(1), said{Panic: "index out of range"}),
		delivery("b", minute(2), called(minute(2))),
		delivery("a", minute(3), called(minute(3))),
		delivery("a", minute(4), served(minute(4), minute(3))),
		delivery("", minute(5), said{Fail: "about nothing"}))
	w.catchUp()
	w.check()
	letters, err := projection.NewReader(w.pool).DeadLetters(t.Context(), "", "", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []projection.DeadLetter{
		{Source: "city", Position: 3, Ticket: "a", Cause: "panic: index out of range", Waiting: 2},
		{Source: "city", Position: 7, Cause: "decode: about nothing"},
	}
	if diff := cmp.Diff(want, letters); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
	if got := one[string](w, `SELECT string_agg(status, ' ' ORDER BY ticket) FROM board_ticket_0`); got != "waiting called" {
		t.Errorf("a and b are %s; want a as it was and b called", got)
	}
	rest, err := projection.NewReader(w.pool).DeadLetters(t.Context(), "city", "city", 3, 10)
	if err != nil || len(rest) != 1 || rest[0].Position != 7 {
		t.Errorf("dead letters after 3: %v, %v", rest, err)
	}
}

// incompressible is a text of n characters that Postgres can't make shorter.
func incompressible(n int) string {
	rng := rand.New(rand.NewPCG(1, 1))
	text := make([]byte, n)
	for i := range text {
		text[i] = byte('0' + rng.IntN(75))
	}
	return string(text)
}

func TestValueThatTheDatabaseRefusesIsPoison(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := incompressible(20_000) // too long for an index
	var ds []eventstore.Delivery
	for i := range 9 {
		ds = append(ds, delivery(fmt.Sprint("t", i), noon, created("1", noon)))
	}
	ds[4] = delivery("t4", noon, created(long, noon))
	ds[6] = delivery("t6", noon, created("nul \x00 and broken \xff", noon))
	w.append("city", ds...)
	w.catchUp()
	w.check()
	if got := one[string](w, `SELECT string_agg(ticket, ' ') FROM dead_letter`); got != "t4" {
		t.Errorf("dead letters: %s; want t4", got)
	}
	if got := one[int64](w, `SELECT count(*) FROM board_ticket_0`); got != 8 {
		t.Errorf("%d tickets on the board; want the other 8", got)
	}
}

func TestValueThatNoOneMeansIsPoison(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city",
		delivery("a", noon, said{Observation: ticket.Observation{Status: "asleep"}}),
		delivery("b", noon, said{Observation: ticket.Observation{Status: ticket.StatusWaiting, Priority: 1 << 40}}),
		delivery("c", noon, created("1", time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))),
		delivery("d", noon, created("1", noon)))
	w.catchUp()
	w.check()
	if got := one[string](w, `SELECT string_agg(cause, '; ' ORDER BY ticket) FROM dead_letter`); got !=
		`impossible value: status "asleep"; impossible value: priority 1099511627776; impossible value: year 0` {
		t.Errorf("causes: %s", got)
	}
}
