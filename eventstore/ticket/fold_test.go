package ticket

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// clock is a morning; at("09:05:30") is an instant of it.
func at(clock string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", "2026-11-20 "+clock)
	if err != nil {
		panic(err)
	}
	return t
}

// fold applies the observations one after another, received a second after their own time unless they say otherwise.
func fold(t *testing.T, obs ...Observation) (Ticket, [][]Transition) {
	t.Helper()
	var tk Ticket
	var all [][]Transition
	for i, o := range obs {
		o.Position = int64(i + 1)
		if o.ReceivedAt.IsZero() {
			o.ReceivedAt = o.At.Add(time.Second)
		}
		var ts []Transition
		tk, ts = Apply(tk, o)
		all = append(all, ts)
	}
	return tk, all
}

// The deliveries of a milestone sender.
func created(clock, queue string) Observation {
	return Observation{Says: TransitionCreated, Status: StatusWaiting, Returns: true, At: at(clock), CreatedAt: at(clock), Queue: queue}
}

func called(clock, queue string) Observation {
	return Observation{Says: TransitionCalled, Status: StatusCalled, At: at(clock), CalledAt: at(clock), CreatedAt: at("09:00:00"), Queue: queue, Desk: "3", Agent: "7"}
}

func served(clock, call, queue string) Observation {
	return Observation{Says: TransitionServed, Status: StatusServed, At: at(clock), CalledAt: at(call), CreatedAt: at("09:00:00"), Queue: queue, Desk: "3", Agent: "7"}
}

func received(o Observation, clock string) Observation {
	o.ReceivedAt = at(clock)
	return o
}

func returnedAt(clock string) Observation {
	o := created("09:00:00", "A")
	return received(o, clock)
}

// segments tells segments as "queue entered called left outcome".
func segments(s State) []string {
	var out []string
	clock := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.Format("15:04:05")
	}
	for _, seg := range s.Segments {
		out = append(out, seg.Queue+" "+clock(seg.EnteredAt)+" "+clock(seg.CalledAt)+" "+clock(seg.LeftAt)+" "+string(seg.Outcome))
	}
	return out
}

func TestFold(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		obs      []Observation
		status   Status
		steps    [][]Transition
		segments []string
		flags    []Flag
	}{
		{
			name:     "an ordinary visit",
			obs:      []Observation{created("09:00:00", "A"), called("09:10:00", "A"), served("09:15:00", "09:10:00", "A")},
			status:   StatusServed,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionServed}},
			segments: []string{"A 09:00:00 09:10:00 09:15:00 served"},
		},
		{
			name:     "everything in one second",
			obs:      []Observation{created("09:00:00", "A"), served("09:00:00", "09:00:00", "A"), called("09:00:00", "A")},
			status:   StatusServed,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled, TransitionServed}, {TransitionChanged}},
			segments: []string{"A 09:00:00 09:00:00 09:00:00 served"},
		},
		{
			name: "the first call ends the wait, a re-call adds nothing",
			obs: []Observation{
				created("09:00:00", "A"), called("09:10:00", "A"),
				{Says: TransitionRecalled, Status: StatusCalled, At: at("09:11:00"), CalledAt: at("09:11:00"), Queue: "A"},
				served("09:15:00", "09:11:00", "A"),
			},
			status:   StatusServed,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionRecalled}, {TransitionServed}},
			segments: []string{"A 09:00:00 09:10:00 09:15:00 served"},
		},
		{
			name: "a re-call told as created with the call's own date",
			obs: []Observation{
				created("09:00:00", "A"), called("09:10:00", "A"),
				received(Observation{Says: TransitionCreated, Status: StatusCalled, At: at("09:10:00"), CalledAt: at("09:10:00"), CreatedAt: at("09:00:00"), Queue: "A"}, "09:12:00"),
			},
			status:   StatusCalled,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionRecalled}},
			segments: []string{"A 09:00:00 09:10:00 - open"},
			flags:    []Flag{FlagTimeAssumed},
		},
		{
			name: "a return opens a segment, and the wait is the sum",
			obs: []Observation{
				created("09:00:00", "A"), called("09:10:00", "A"), returnedAt("09:12:00"),
				called("09:20:00", "A"), served("09:25:00", "09:20:00", "A"),
			},
			status:   StatusServed,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionReturned}, {TransitionCalled}, {TransitionServed}},
			segments: []string{"A 09:00:00 09:10:00 09:12:00 returned", "A 09:12:00 09:20:00 09:25:00 served"},
			flags:    []Flag{FlagReturnAssumed, FlagTimeAssumed},
		},
		{
			name: "a return is withdrawn when the old call's date comes again",
			obs: []Observation{
				created("09:00:00", "A"), called("09:10:00", "A"), returnedAt("09:12:00"), served("09:15:00", "09:10:00", "A"),
			},
			status:   StatusServed,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionReturned}, {TransitionServed}},
			segments: []string{"A 09:00:00 09:10:00 09:15:00 served"},
		},
		{
			name: "a return received after the next call was made comes before that call",
			obs: []Observation{
				created("09:00:00", "A"), called("09:10:00", "A"), returnedAt("09:20:10"),
				received(called("09:20:00", "A"), "09:20:20"), served("09:25:00", "09:20:00", "A"),
			},
			status:   StatusServed,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionReturned}, {TransitionCalled}, {TransitionServed}},
			segments: []string{"A 09:00:00 09:10:00 09:20:00 returned", "A 09:20:00 09:20:00 09:25:00 served"},
			flags:    []Flag{FlagReturnAssumed, FlagTimeAssumed},
		},
		{
			name: "a creation told again by a vendor that says so when a ticket returns is only late",
			obs: []Observation{
				{Says: TransitionCreated, Status: StatusWaiting, At: at("09:00:00"), CreatedAt: at("09:00:00"), Queue: "A"},
				called("09:10:00", "A"),
				{Says: TransitionCreated, Status: StatusWaiting, At: at("09:00:00"), CreatedAt: at("09:00:00"), Queue: "A", ReceivedAt: at("09:10:05")},
			},
			status:   StatusCalled,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionChanged}},
			segments: []string{"A 09:00:00 09:10:00 - open"},
		},
		{
			name:     "a late first creation fills in what was implied",
			obs:      []Observation{called("09:10:00", "A"), received(created("09:00:00", "A"), "09:11:00")},
			status:   StatusCalled,
			steps:    [][]Transition{{TransitionCreated, TransitionCalled}, {TransitionChanged}},
			segments: []string{"A 09:00:00 09:10:00 - open"},
		},
		{
			name: "what was implied was in the first queue told",
			obs: []Observation{
				received(Observation{Says: TransitionReturned, Status: StatusWaiting, CalledAt: at("09:10:00"), CreatedAt: at("09:00:00"), Queue: "A"}, "09:12:00"),
			},
			status:   StatusWaiting,
			steps:    [][]Transition{{TransitionCreated, TransitionCalled, TransitionReturned}},
			segments: []string{"A 09:00:00 09:10:00 09:12:00 returned", "A 09:12:00 - - open"},
			flags:    []Flag{FlagCreationImplied, FlagTimeAssumed},
		},
		{
			name:     "only a second creation is a return",
			obs:      []Observation{called("09:10:00", "A"), received(created("09:00:00", "A"), "09:11:00"), returnedAt("09:12:00")},
			status:   StatusWaiting,
			steps:    [][]Transition{{TransitionCreated, TransitionCalled}, {TransitionChanged}, {TransitionReturned}},
			segments: []string{"A 09:00:00 09:10:00 09:12:00 returned", "A 09:12:00 - - open"},
			flags:    []Flag{FlagReturnAssumed, FlagTimeAssumed},
		},
		{
			name:     "a creation without a known time is implied by the call",
			obs:      []Observation{{Says: TransitionCalled, Status: StatusCalled, At: at("09:10:00"), CalledAt: at("09:10:00"), Queue: "A"}},
			status:   StatusCalled,
			steps:    [][]Transition{{TransitionCreated, TransitionCalled}},
			segments: []string{"A 09:10:00 09:10:00 - open"},
			flags:    []Flag{FlagCreationImplied},
		},
		{
			name: "back to another queue after a call is a transfer",
			obs: []Observation{
				created("09:00:00", "A"), called("09:10:00", "A"), received(created("09:00:00", "B"), "09:12:00"),
			},
			status:   StatusWaiting,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionTransferred}},
			segments: []string{"A 09:00:00 09:10:00 09:12:00 transferred", "B 09:12:00 - - open"},
			flags:    []Flag{FlagTimeAssumed},
		},
		{
			name: "an edit that names another queue is a transfer",
			obs: []Observation{
				created("09:00:00", "A"),
				received(Observation{Says: TransitionChanged, Status: StatusWaiting, CreatedAt: at("09:00:00"), Queue: "B"}, "09:05:00"),
			},
			status:   StatusWaiting,
			steps:    [][]Transition{{TransitionCreated}, {TransitionTransferred}},
			segments: []string{"A 09:00:00 - 09:05:00 transferred", "B 09:05:00 - - open"},
			flags:    []Flag{FlagTimeAssumed},
		},
		{
			name: "left without a call is abandoned",
			obs: []Observation{
				created("09:00:00", "A"),
				received(Observation{Says: TransitionCancelled, Status: StatusCancelled, By: ActorStaff, CreatedAt: at("09:00:00")}, "09:30:00"),
			},
			status:   StatusCancelled,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCancelled}},
			segments: []string{"A 09:00:00 - 09:30:00 abandoned"},
			flags:    []Flag{FlagTimeAssumed},
		},
		{
			name: "left after a call is cancelled",
			obs: []Observation{
				created("09:00:00", "A"), called("09:10:00", "A"),
				{Says: TransitionCancelled, Status: StatusCancelled, At: at("09:12:00"), CreatedAt: at("09:00:00")},
			},
			status:   StatusCancelled,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionCancelled}},
			segments: []string{"A 09:00:00 09:10:00 09:12:00 cancelled"},
		},
		{
			name: "an edit tells the transition that its status implies",
			obs: []Observation{
				created("09:00:00", "A"),
				received(Observation{Says: TransitionChanged, Status: StatusServed, At: at("09:15:00"), CalledAt: at("09:10:00"), CreatedAt: at("09:00:00"), Queue: "A"}, "09:16:00"),
			},
			status:   StatusServed,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled, TransitionServed}},
			segments: []string{"A 09:00:00 09:10:00 09:15:00 served"},
		},
		{
			name: "a no-show may correct a service",
			obs: []Observation{
				created("09:00:00", "A"), called("09:10:00", "A"), served("09:11:00", "09:10:00", "A"),
				received(Observation{Says: TransitionChanged, Status: StatusNoShow, CreatedAt: at("09:00:00"), Queue: "A"}, "09:12:00"),
			},
			status:   StatusNoShow,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionServed}, {TransitionNoShow}},
			segments: []string{"A 09:00:00 09:10:00 09:11:00 no_show"},
			flags:    []Flag{FlagTimeAssumed},
		},
		{
			name:     "a stale creation does not reopen",
			obs:      []Observation{created("09:00:00", "A"), called("09:10:00", "A"), served("09:15:00", "09:10:00", "A"), returnedAt("09:16:00")},
			status:   StatusServed,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionServed}, {TransitionChanged}},
			segments: []string{"A 09:00:00 09:10:00 09:15:00 served"},
		},
		{
			name: "another creation after the end reopens",
			obs: []Observation{
				created("09:00:00", "A"), called("09:10:00", "A"), served("09:15:00", "09:10:00", "A"),
				received(created("09:20:00", "A"), "09:20:01"),
			},
			status:   StatusWaiting,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionServed}, {TransitionReopened}},
			segments: []string{"A 09:00:00 09:10:00 09:15:00 served", "A 09:20:01 - - open"},
			flags:    []Flag{FlagReopenAssumed, FlagTimeAssumed},
		},
		{
			name: "a booking waits from its activation",
			obs: []Observation{
				{Says: TransitionBooked, Status: StatusBooked, At: at("08:00:00"), CreatedAt: at("08:00:00"), Booking: true, Queue: "A"},
				{Says: TransitionBookingUpdated, Status: StatusBooked, ReceivedAt: at("08:30:00"), CreatedAt: at("08:00:00"), Booking: true, Queue: "A"},
				{Says: TransitionActivated, Status: StatusWaiting, At: at("09:00:00"), ActivatedAt: at("09:00:00"), CreatedAt: at("08:00:00"), Booking: true, Queue: "A"},
				{Says: TransitionCalled, Status: StatusCalled, At: at("09:10:00"), CalledAt: at("09:10:00"), CreatedAt: at("08:00:00"), Booking: true, Queue: "A"},
				{Says: TransitionServiceStarted, Status: StatusServing, At: at("09:11:00"), CalledAt: at("09:10:00"), CreatedAt: at("08:00:00"), Booking: true, Queue: "A"},
				{Says: TransitionServed, Status: StatusServed, At: at("09:21:00"), CalledAt: at("09:10:00"), ServingAt: at("09:11:00"), CreatedAt: at("08:00:00"), Booking: true, Queue: "A"},
				{Says: TransitionFeedback, ReceivedAt: at("10:00:00"), CreatedAt: at("08:00:00"), Booking: true, Queue: "A"},
			},
			status: StatusServed,
			steps: [][]Transition{
				{TransitionBooked},
				{TransitionBookingUpdated},
				{TransitionActivated},
				{TransitionCalled},
				{TransitionServiceStarted},
				{TransitionServed},
				{TransitionFeedback},
			},
			segments: []string{"A 09:00:00 09:10:00 09:21:00 served"},
		},
		{
			name: "a booking first heard of when called",
			obs: []Observation{
				{Says: TransitionCalled, Status: StatusCalled, At: at("09:10:00"), CalledAt: at("09:10:00"), CreatedAt: at("08:00:00"), Booking: true, Queue: "A"},
			},
			status:   StatusCalled,
			steps:    [][]Transition{{TransitionBooked, TransitionActivated, TransitionCalled}},
			segments: []string{"A 09:10:00 09:10:00 - open"},
			flags:    []Flag{FlagCreationImplied, FlagEntryImplied},
		},
		{
			name: "a cancelled booking never waited",
			obs: []Observation{
				{Says: TransitionBooked, Status: StatusBooked, At: at("08:00:00"), CreatedAt: at("08:00:00"), Booking: true, Queue: "A"},
				{Says: TransitionCancelled, Status: StatusCancelled, At: at("08:10:00"), CreatedAt: at("08:00:00"), Booking: true, Queue: "A", By: ActorCustomer},
			},
			status: StatusCancelled,
			steps:  [][]Transition{{TransitionBooked}, {TransitionCancelled}},
		},
		{
			name: "an appointment that becomes NEW waits from then",
			obs: []Observation{
				received(Observation{Says: TransitionCreated, Status: StatusBooked, At: at("08:00:00"), CreatedAt: at("08:00:00"), Booking: true, Queue: "A"}, "08:00:01"),
				received(Observation{Says: TransitionCreated, Status: StatusWaiting, At: at("08:00:00"), CreatedAt: at("08:00:00"), Queue: "A"}, "09:00:00"),
			},
			status:   StatusWaiting,
			steps:    [][]Transition{{TransitionBooked}, {TransitionActivated}},
			segments: []string{"A 09:00:00 - - open"},
			flags:    []Flag{FlagTimeAssumed},
		},
		{
			name: "a retry sends back to wait; told late, it was before the next call",
			obs: []Observation{
				created("09:00:00", "A"), called("09:10:00", "A"), called("09:20:00", "A"),
				received(Observation{Says: TransitionReturned, Status: StatusWaiting, CalledAt: at("09:10:00"), CreatedAt: at("09:00:00"), Queue: "A"}, "09:25:00"),
			},
			status:   StatusCalled,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionRecalled}, {TransitionReturned}},
			segments: []string{"A 09:00:00 09:10:00 09:20:00 returned", "A 09:20:00 09:20:00 - open"},
			flags:    []Flag{FlagTimeAssumed},
		},
		{
			name: "bad clocks: called before it was created",
			obs: []Observation{
				created("09:00:00", "A"),
				received(Observation{Says: TransitionServed, Status: StatusServed, At: at("08:10:00"), CalledAt: at("08:00:00"), CreatedAt: at("09:00:00"), Queue: "A"}, "09:20:00"),
			},
			status:   StatusServed,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled, TransitionServed}},
			segments: []string{"A 09:00:00 08:00:00 08:10:00 served"},
			flags:    []Flag{FlagNegativeWait},
		},
		{
			name: "bad clocks: served before it was called",
			obs: []Observation{
				created("09:00:00", "A"), called("09:10:00", "A"), received(served("09:05:00", "09:10:00", "A"), "09:20:00"),
			},
			status:   StatusServed,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionCalled, TransitionServed}},
			segments: []string{"A 09:00:00 09:10:00 09:05:00 served"},
			flags:    []Flag{FlagNegativeService},
		},
		{
			name:     "a time ahead of its receipt",
			obs:      []Observation{received(created("09:00:00", "A"), "08:59:50")},
			status:   StatusWaiting,
			steps:    [][]Transition{{TransitionCreated}},
			segments: []string{"A 09:00:00 - - open"},
			flags:    []Flag{FlagClockAhead},
		},
		{
			name: "an expiry ends an open ticket, and a later word withdraws it",
			obs: []Observation{
				created("09:00:00", "A"),
				{Says: TransitionExpired, Status: StatusExpired, At: at("20:00:00"), Seen: 1},
				received(called("09:10:00", "A"), "20:30:00"),
			},
			status:   StatusCalled,
			steps:    [][]Transition{{TransitionCreated}, {TransitionExpired}, {TransitionCalled}},
			segments: []string{"A 09:00:00 09:10:00 - open"},
		},
		{
			name: "an expiry that crossed a delivery is void",
			obs: []Observation{
				created("09:00:00", "A"), called("09:10:00", "A"), {Says: TransitionExpired, Status: StatusExpired, At: at("20:00:00"), Seen: 1},
			},
			status:   StatusCalled,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionChanged}},
			segments: []string{"A 09:00:00 09:10:00 - open"},
		},
		{
			name: "an expired ticket",
			obs: []Observation{
				created("09:00:00", "A"), {Says: TransitionExpired, Status: StatusExpired, At: at("20:00:00"), Seen: 1},
			},
			status:   StatusExpired,
			steps:    [][]Transition{{TransitionCreated}, {TransitionExpired}},
			segments: []string{"A 09:00:00 - 20:00:00 expired"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tk, steps := fold(t, tt.obs...)
			if tk.Status != tt.status {
				t.Errorf("status = %s, want %s", tk.Status, tt.status)
			}
			if diff := cmp.Diff(tt.steps, steps); diff != "" {
				t.Errorf("transitions (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.segments, segments(tk.State)); diff != "" {
				t.Errorf("segments (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.flags, tk.Flags); diff != "" {
				t.Errorf("flags (-want +got):\n%s", diff)
			}
		})
	}
}

// A call that was implied and then told, by its clock after the end, is one call.
func TestAnImpliedCallIsCountedOnce(t *testing.T) {
	t.Parallel()
	tk, _ := fold(t, created("09:00:00", "A"), called("09:10:00", "A"), received(served("09:05:00", "09:10:00", "A"), "09:20:00"))
	if diff := cmp.Diff([]time.Time{at("09:10:00")}, tk.Calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// A booking made days ahead does not expire before its day.
func TestExpiryCountsFromTheBookedTime(t *testing.T) {
	t.Parallel()
	booked := Observation{Says: TransitionBooked, Status: StatusBooked, At: at("08:00:00"), CreatedAt: at("08:00:00"), Booking: true, BookedFor: at("17:00:00")}
	tk, _ := fold(t, booked)
	if got := tk.ExpiresFrom(); !got.Equal(at("17:00:00")) {
		t.Errorf("ExpiresFrom = %v, want the booked time", got)
	}
	tk, _ = fold(t, booked, Observation{Says: TransitionActivated, Status: StatusWaiting, At: at("09:00:00"), Booking: true, ReceivedAt: at("09:00:01")})
	if got := tk.ExpiresFrom(); !got.Equal(at("09:00:01")) {
		t.Errorf("ExpiresFrom = %v, want the last receipt", got)
	}
}

// An event that was retried out of the quarantine was received before others were: it does not make the ticket silent.
func TestTheLatestReceiptCountsForExpiry(t *testing.T) {
	t.Parallel()
	tk, _ := Apply(Ticket{}, received(created("09:00:00", "A"), "09:00:01"))
	tk, _ = Apply(tk, received(called("09:10:00", "A"), "09:10:01"))
	tk, _ = Apply(tk, received(Observation{Says: TransitionChanged, Status: StatusWaiting, Queue: "A"}, "09:05:00"))
	if !tk.LastReceivedAt.Equal(at("09:10:01")) {
		t.Errorf("last received at %s, want 09:10:01", tk.LastReceivedAt)
	}
}
