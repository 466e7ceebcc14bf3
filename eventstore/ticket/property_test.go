package ticket

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

var (
	opening = at("09:00:00")
	queues  = rapid.SampledFrom([]string{"A", "B"})
	agents  = rapid.SampledFrom([]string{"7", "8"})
)

// anything draws an observation without any sense.
func anything(t *rapid.T) Observation {
	instant := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.IntRange(0, 3).Draw(t, "none") == 0 {
			return time.Time{}
		}
		return opening.Add(time.Duration(rapid.IntRange(-100, 100_000).Draw(t, "ms")) * time.Millisecond)
	})
	text := rapid.SampledFrom([]string{"", "A", "B"})
	return Observation{
		ReceivedAt: opening.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "received")) * time.Second),
		Says: rapid.SampledFrom([]Transition{
			TransitionCreated, TransitionBooked, TransitionBookingUpdated, TransitionActivated, TransitionCalled,
			TransitionRecalled, TransitionReturned, TransitionServiceStarted, TransitionServed, TransitionCancelled,
			TransitionNoShow, TransitionMerged, TransitionExpired, TransitionChanged, TransitionFeedback,
		}).Draw(t, "says"),
		Status:      rapid.SampledFrom(append([]Status{""}, Statuses...)).Draw(t, "status"),
		At:          instant.Draw(t, "at"),
		Snapshot:    rapid.Bool().Draw(t, "snapshot"),
		Returns:     rapid.Bool().Draw(t, "returns"),
		CreatedAt:   instant.Draw(t, "created"),
		ActivatedAt: instant.Draw(t, "activated"),
		CalledAt:    instant.Draw(t, "called"),
		ServingAt:   instant.Draw(t, "serving"),
		Booking:     rapid.IntRange(0, 4).Draw(t, "booking") == 0,
		Queue:       text.Draw(t, "queue"),
		Agent:       text.Draw(t, "agent"),
		Seen:        int64(rapid.IntRange(0, 5).Draw(t, "seen")),
	}
}

// TestAnyObservations: no panic, only legal transitions, outcomes that partition, spells without gaps, and the stored
// ticket is the ticket, whatever is said in whatever order.
func TestAnyObservations(t *testing.T) {
	t.Parallel()
	rapid.Check(t, checkAnyObservations)
}

func FuzzApply(f *testing.F) { f.Fuzz(rapid.MakeFuzz(checkAnyObservations)) }

func checkAnyObservations(t *rapid.T) {
	var tk Ticket
	for i, o := range rapid.SliceOfN(rapid.Custom(anything), 1, 12).Draw(t, "observations") {
		o.Position = int64(i + 1)
		before := tk.State
		next, ts := Apply(tk, o)
		if len(ts) == 0 {
			t.Fatalf("no transition")
		}
		if diff := gocmp.Diff(before, tk.State); diff != "" {
			t.Fatalf("Apply changed its argument:\n%s", diff)
		}
		tk = next
		checkState(t, tk.State)
		checkLegal(t, tk)
		checkStored(t, tk)
	}
}

// checkState checks what holds of every ticket.
func checkState(t *rapid.T, s State) {
	calls := 0
	for i, seg := range s.Segments {
		last := i == len(s.Segments)-1
		open := last && !s.Status.Ended()
		if (seg.Outcome == OutcomeOpen) != open || seg.LeftAt.IsZero() != open {
			t.Fatalf("segment %d of a %s ticket: outcome %q, left %v", i, s.Status, seg.Outcome, seg.LeftAt)
		}
		if !slices.Contains(Outcomes, seg.Outcome) {
			t.Fatalf("outcome %q", seg.Outcome)
		}
		calls += seg.Recalls
		held := int64(0)
		for _, part := range s.HoldsWaiting(i) {
			if !part.To.IsZero() {
				held += secondsBetween(part.From, part.To)
			}
		}
		if held != seg.HeldWaitingSeconds || seg.Recalls < 0 || seg.Recalls > 0 && seg.CalledAt.IsZero() {
			t.Fatalf("segment %d: holds of %d s, %+v", i, held, seg)
		}
	}
	if calls > len(s.Calls) {
		t.Fatalf("%d re-calls of %d calls", calls, len(s.Calls))
	}
	for i, sp := range s.Spells {
		last := i == len(s.Spells)-1
		if sp.Status.Ended() || sp.To.IsZero() != (last && !s.Status.Ended()) || !last && s.Spells[i+1].From.Before(sp.To) {
			t.Fatalf("spell %d of a %s ticket: %+v", i, s.Status, s.Spells)
		}
	}
	if s.Status.Ended() == s.EndedAt.IsZero() {
		t.Fatalf("%s, ended at %v", s.Status, s.EndedAt)
	}
	if s.Status == StatusWaiting && s.WaitingSince.IsZero() {
		t.Fatalf("waiting since nothing")
	}
	for _, instant := range []time.Time{opening.Add(-time.Hour), opening.Add(30 * time.Second), opening.Add(time.Hour)} {
		if past := s.At(instant); past.Status == "" && !instant.Before(s.CreatedAt) {
			t.Fatalf("no status at %v of %+v", instant, s)
		}
	}
}

// legal lists from where a transition may start.
var legal = map[Transition][]Status{
	TransitionCreated:        {""},
	TransitionBooked:         {""},
	TransitionActivated:      {StatusBooked},
	TransitionCalled:         {StatusWaiting, StatusOnHold},
	TransitionRecalled:       {StatusCalled, StatusServing},
	TransitionReturned:       {StatusCalled, StatusServing},
	TransitionServiceStarted: {StatusCalled},
	TransitionTransferred:    {StatusWaiting, StatusCalled, StatusServing, StatusOnHold},
	TransitionOnHold:         {StatusWaiting, StatusCalled, StatusServing},
	TransitionResumed:        {StatusOnHold},
	TransitionReopened:       {StatusServed, StatusCancelled, StatusNoShow, StatusMerged, StatusExpired},
	TransitionServed:         {StatusCalled, StatusServing, StatusOnHold, StatusCancelled, StatusNoShow, StatusMerged, StatusExpired},
	TransitionCancelled:      {StatusBooked, StatusWaiting, StatusCalled, StatusServing, StatusOnHold, StatusServed, StatusNoShow, StatusMerged, StatusExpired},
	TransitionNoShow:         {StatusBooked, StatusCalled, StatusServing, StatusOnHold, StatusServed, StatusCancelled, StatusMerged, StatusExpired},
	TransitionMerged:         {StatusBooked, StatusWaiting, StatusCalled, StatusServing, StatusOnHold, StatusServed, StatusCancelled, StatusNoShow, StatusExpired},
	TransitionExpired:        {StatusBooked, StatusWaiting, StatusCalled, StatusServing, StatusOnHold},
	TransitionBookingUpdated: {StatusBooked},
}

// after is where a transition leads, by itself.
func after(from Status, ts Transition, held Status) Status {
	switch ts {
	case TransitionCreated, TransitionActivated, TransitionReturned, TransitionReopened:
		return StatusWaiting
	case TransitionBooked:
		return StatusBooked
	case TransitionCalled:
		if from == StatusOnHold {
			return from
		}
		return StatusCalled
	case TransitionServiceStarted:
		return StatusServing
	case TransitionOnHold:
		return StatusOnHold
	case TransitionResumed:
		return held
	case TransitionServed:
		return StatusServed
	case TransitionCancelled:
		return StatusCancelled
	case TransitionNoShow:
		return StatusNoShow
	case TransitionMerged:
		return StatusMerged
	case TransitionExpired:
		return StatusExpired
	case TransitionRecalled, TransitionTransferred, TransitionBookingUpdated, TransitionChanged, TransitionFeedback:
	}
	return from
}

// checkLegal steps through the ticket's facts as derive does, and checks each transition's start and each step's end.
func checkLegal(t *rapid.T, tk Ticket) {
	var d derivation
	for _, f := range order(tk.facts) {
		status := d.s.Status
		ts := d.step(f)
		for _, tr := range ts {
			if from, named := legal[tr]; named && !slices.Contains(from, status) {
				t.Fatalf("%s from %q by %+v", tr, status, f)
			}
			status = after(status, tr, d.held)
		}
		if slices.Contains(ts, TransitionTransferred) && f.Status == StatusWaiting {
			status = StatusWaiting // another queue's waiting room, not the desk
		}
		if status != d.s.Status {
			t.Fatalf("%v ended in %q, not %q, by %+v", ts, d.s.Status, status, f)
		}
	}
}

func checkStored(t *rapid.T, tk Ticket) {
	b, err := tk.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var back Ticket
	if err := back.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(tk.State, back.State, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("stored and read (-want +got):\n%s", diff)
	}
}

// visit draws what a milestone sender sends of one visit, each delivery with the times so far.
func visit(t *rapid.T) []Observation {
	now := opening
	pass := func() time.Time {
		now = now.Add(time.Duration(rapid.IntRange(1, 600).Draw(t, "seconds")) * time.Second)
		return now
	}
	o := Observation{Queue: queues.Draw(t, "queue"), Label: "A2"}
	if o.Booking = rapid.Bool().Draw(t, "booking"); o.Booking {
		o.Says, o.Status = TransitionBooked, StatusBooked
	} else {
		o.Says, o.Status = TransitionCreated, StatusWaiting
	}
	o.At, o.CreatedAt = now, now
	all := []Observation{o}
	step := func(says Transition, s Status, mark *time.Time) {
		o.Says, o.Status, o.At = says, s, pass()
		if mark != nil {
			*mark = o.At
		}
		all = append(all, o)
	}
	if o.Booking {
		step(TransitionActivated, StatusWaiting, &o.ActivatedAt)
	}
	if rapid.IntRange(0, 4).Draw(t, "leaves") == 0 {
		step(TransitionCancelled, StatusCancelled, nil)
		return all
	}
	o.Desk, o.Agent = "3", agents.Draw(t, "agent")
	step(TransitionCalled, StatusCalled, &o.CalledAt)
	for range rapid.IntRange(0, 2).Draw(t, "recalls") {
		step(TransitionRecalled, StatusCalled, &o.CalledAt)
	}
	if rapid.Bool().Draw(t, "arrival") {
		step(TransitionServiceStarted, StatusServing, &o.ServingAt)
	}
	end := rapid.SampledFrom([]Status{StatusServed, StatusNoShow, StatusCancelled}).Draw(t, "end")
	step(endTransition(end), end, nil)
	return all
}

// request draws what a snapshot sender sends of one request.
func request(t *rapid.T) []Observation {
	statuses := rapid.SampledFrom([]Status{StatusWaiting, StatusCalled, StatusCalled, StatusOnHold, StatusServing, StatusServed, StatusCancelled, StatusMerged})
	now := opening
	var all []Observation
	for i := range rapid.IntRange(1, 8).Draw(t, "changes") {
		o := Observation{Says: TransitionChanged, Status: StatusWaiting, Snapshot: true, Queue: queues.Draw(t, "queue"), At: now}
		if i == 0 {
			o.Says = TransitionCreated
		} else {
			o.Status = statuses.Draw(t, "status")
		}
		if o.Status != StatusWaiting {
			o.Agent = agents.Draw(t, "agent")
		}
		all = append(all, o)
		now = now.Add(time.Duration(rapid.IntRange(1, 1_000_000).Draw(t, "µs")) * time.Microsecond)
	}
	return all
}

// TestConvergence: deliveries that carry their own times end in the same ticket in any order, however often repeated. (A
// repeated creation of a vendor that tells a return by it has no time of its own.)
func TestConvergence(t *testing.T) {
	t.Parallel()
	for name, deliveries := range map[string]func(*rapid.T) []Observation{"milestones": visit, "snapshots": request} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				told := deliveries(t)
				var again []Observation
				for _, o := range told {
					for range rapid.IntRange(0, 2).Draw(t, "repetitions") {
						again = append(again, o)
					}
				}
				want := foldAll(told)
				got := foldAll(rapid.Permutation(append(slices.Clone(told), again...)).Draw(t, "order"))
				if diff := gocmp.Diff(timeless(want), timeless(got), cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("in order (-) and shuffled (+):\n%s", diff)
				}
			})
		})
	}
}

// TestWaitIsTimeInWaiting: with sound clocks, the waits add up to the time that the spells say was spent waiting.
func TestWaitIsTimeInWaiting(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		deliveries := rapid.SampledFrom([]func(*rapid.T) []Observation{visit, request}).Draw(t, "sender")
		told := deliveries(t)
		told = told[:rapid.IntRange(1, len(told)).Draw(t, "so far")]
		s := foldAll(told)
		now := opening.Add(24 * time.Hour)
		var spent int64
		for _, sp := range s.Spells {
			if sp.Status == StatusWaiting {
				spent += secondsBetween(sp.From, cmp.Or(sp.To, now))
			}
		}
		if got := s.WaitSeconds(now); got != spent {
			t.Fatalf("WaitSeconds = %d, spells say %d: %+v", got, spent, s)
		}
		if diff := gocmp.Diff(s, s.At(now), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("now (-) and time travel to now (+):\n%s", diff)
		}
	})
}

// TestTimeTravel: the ticket at an instant is the ticket that only the deliveries up to then tell.
func TestTimeTravel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		told := rapid.SampledFrom([]func(*rapid.T) []Observation{visit, request}).Draw(t, "sender")(t)
		n := rapid.IntRange(1, len(told)).Draw(t, "so far")
		want, got := foldAll(told[:n]), foldAll(told).At(told[n-1].At)
		if want.Status.Ended() && got.Status.Ended() { // as known today: an end may have been corrected, or reopened
			want.Status, want.Queue, want.Reason, want.EndedBy = got.Status, got.Queue, got.Reason, got.EndedBy
		}
		ignore := cmpopts.IgnoreFields(State{}, "LastReceivedAt", "LastPosition", "Flags", "Desk", "Agent", "Label")
		if diff := gocmp.Diff(want, got, ignore, cmpopts.IgnoreFields(Segment{}, "Flags", "Desk", "Agent"), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("told up to then (-) and travelled to (+):\n%s", diff)
		}
	})
}

func foldAll(obs []Observation) State {
	var tk Ticket
	for i, o := range obs {
		o.Position, o.ReceivedAt = int64(i+1), opening.Add(10*time.Hour)
		tk, _ = Apply(tk, o)
	}
	return tk.State
}

// timeless leaves out what depends on the order of arrival by its meaning.
func timeless(s State) State {
	s.LastPosition, s.LastReceivedAt = 0, time.Time{}
	s.Segments = slices.Clone(s.Segments)
	for i := range s.Segments {
		s.Segments[i].Position = 0
	}
	return s
}

func TestTooManyFacts(t *testing.T) {
	t.Parallel()
	var tk Ticket
	for i := range MaxFacts + 50 {
		o := received(Observation{Says: TransitionChanged, Status: StatusWaiting, Label: fmt.Sprint(i)}, "10:00:00")
		o.Position = int64(i + 1)
		tk, _ = Apply(tk, o)
	}
	if len(tk.facts) != MaxFacts || !slices.Contains(tk.Flags, FlagTooManyFacts) {
		t.Errorf("%d facts, flags %v", len(tk.facts), tk.Flags)
	}
	tk, _ = Apply(tk, Observation{Says: TransitionServed, Status: StatusServed, At: at("11:00:00"), ReceivedAt: at("11:00:00"), Position: 5000})
	if tk.Status != StatusServed {
		t.Errorf("a full ticket did not end: %s", tk.Status)
	}
}
