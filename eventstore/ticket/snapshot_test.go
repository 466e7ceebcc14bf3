package ticket

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// snap is a delivery of a snapshot sender: the whole state, with the delivery's own time.
func snap(clock string, s Status, queue, agent string) Observation {
	return Observation{Says: TransitionChanged, Status: s, At: at(clock), Snapshot: true, Queue: queue, Agent: agent}
}

func snapCreated(clock string, s Status, queue, agent string) Observation {
	o := snap(clock, s, queue, agent)
	o.Says = TransitionCreated
	return o
}

func TestFoldSnapshots(t *testing.T) {
	t.Parallel()
	merged := snap("10:00:00", StatusMerged, "2", "")
	merged.Reason = "merged into 42"
	self := snapCreated("09:00:00", StatusCalled, "2", "8")
	self.Flags = []Flag{FlagSelfRegistered}
	replied := snap("09:15:00", StatusServing, "2", "8")
	replied.Says = TransitionServiceStarted
	bare := snap("09:05:00", "", "", "")
	bare.Flags = []Flag{FlagMaybeClosed}
	tests := []struct {
		name     string
		obs      []Observation
		status   Status
		agent    string
		steps    [][]Transition
		segments []string
		flags    []Flag
	}{
		{
			name:   "assigned, another agent, closed",
			obs:    []Observation{snapCreated("09:00:00", StatusWaiting, "2", ""), snap("09:10:00", StatusCalled, "2", "8"), snap("09:20:00", StatusCalled, "2", "9"), snap("09:30:00", StatusServed, "2", "9")},
			status: StatusServed, agent: "9",
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionChanged}, {TransitionServed}},
			segments: []string{"2 09:00:00 09:10:00 09:30:00 served"},
		},
		{
			name:     "owned from the start",
			obs:      []Observation{self},
			status:   StatusCalled,
			agent:    "8",
			steps:    [][]Transition{{TransitionCreated, TransitionCalled}},
			segments: []string{"2 09:00:00 09:00:00 - open"},
			flags:    []Flag{FlagSelfRegistered},
		},
		{
			name:     "created closed",
			obs:      []Observation{snapCreated("09:00:00", StatusServed, "2", "")},
			status:   StatusServed,
			steps:    [][]Transition{{TransitionCreated, TransitionCalled, TransitionServed}},
			segments: []string{"2 09:00:00 09:00:00 09:00:00 served"},
			flags:    []Flag{FlagCallImplied},
		},
		{
			name:     "given back is a return",
			obs:      []Observation{snapCreated("09:00:00", StatusWaiting, "2", ""), snap("09:10:00", StatusCalled, "2", "8"), snap("09:20:00", StatusWaiting, "2", "")},
			status:   StatusWaiting,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionReturned}},
			segments: []string{"2 09:00:00 09:10:00 09:20:00 returned", "2 09:20:00 - - open"},
		},
		{
			name:   "postponed and resumed: the hold is no service",
			obs:    []Observation{snapCreated("09:00:00", StatusWaiting, "2", ""), snap("09:10:00", StatusCalled, "2", "8"), snap("09:20:00", StatusOnHold, "2", "8"), snap("09:50:00", StatusCalled, "2", "8"), snap("10:00:00", StatusServed, "2", "8")},
			status: StatusServed, agent: "8",
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionOnHold}, {TransitionResumed}, {TransitionServed}},
			segments: []string{"2 09:00:00 09:10:00 10:00:00 served"},
		},
		{
			name:     "postponed while waiting",
			obs:      []Observation{snapCreated("09:00:00", StatusWaiting, "2", ""), snap("09:10:00", StatusOnHold, "2", ""), snap("09:40:00", StatusWaiting, "2", "")},
			status:   StatusWaiting,
			steps:    [][]Transition{{TransitionCreated}, {TransitionOnHold}, {TransitionResumed}},
			segments: []string{"2 09:00:00 - - open"},
		},
		{
			name:     "postponed by its owner, resumed by nobody",
			obs:      []Observation{snapCreated("09:00:00", StatusWaiting, "2", ""), snap("09:10:00", StatusOnHold, "2", "8"), snap("09:40:00", StatusWaiting, "2", "")},
			status:   StatusWaiting,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled, TransitionOnHold}, {TransitionResumed, TransitionReturned}},
			segments: []string{"2 09:00:00 09:10:00 09:40:00 returned", "2 09:40:00 - - open"},
		},
		{
			name:   "reopened by a reply, with its owner",
			obs:    []Observation{snapCreated("09:00:00", StatusWaiting, "2", ""), snap("09:10:00", StatusCalled, "2", "8"), snap("09:20:00", StatusServed, "2", "8"), snap("11:00:00", StatusCalled, "2", "8")},
			status: StatusCalled, agent: "8",
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionServed}, {TransitionReopened, TransitionCalled}},
			segments: []string{"2 09:00:00 09:10:00 09:20:00 served", "2 11:00:00 11:00:00 - open"},
		},
		{
			name:   "another category is another queue",
			obs:    []Observation{snapCreated("09:00:00", StatusWaiting, "2", ""), snap("09:10:00", StatusWaiting, "3", ""), snap("09:20:00", StatusCalled, "3", "8"), snap("09:30:00", StatusCalled, "4", "8")},
			status: StatusCalled, agent: "8",
			steps:    [][]Transition{{TransitionCreated}, {TransitionTransferred}, {TransitionCalled}, {TransitionTransferred}},
			segments: []string{"2 09:00:00 - 09:10:00 transferred", "3 09:10:00 09:20:00 09:30:00 transferred", "4 09:30:00 09:30:00 - open"},
		},
		{
			name:     "merged",
			obs:      []Observation{snapCreated("09:00:00", StatusWaiting, "2", ""), merged},
			status:   StatusMerged,
			steps:    [][]Transition{{TransitionCreated}, {TransitionMerged}},
			segments: []string{"2 09:00:00 - 10:00:00 merged"},
		},
		{
			name:     "deleted after its service stays a service",
			obs:      []Observation{snapCreated("09:00:00", StatusWaiting, "2", ""), snap("09:10:00", StatusCalled, "2", "8"), snap("09:20:00", StatusServed, "2", "8"), snap("12:00:00", StatusCancelled, "2", "")},
			status:   StatusCancelled,
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionServed}, {TransitionCancelled}},
			segments: []string{"2 09:00:00 09:10:00 09:20:00 served"},
		},
		{
			name:   "the first reply starts the service; owning goes on",
			obs:    []Observation{snapCreated("09:00:00", StatusWaiting, "2", ""), snap("09:10:00", StatusCalled, "2", "8"), replied, snap("09:20:00", StatusCalled, "2", "8")},
			status: StatusServing, agent: "8",
			steps:    [][]Transition{{TransitionCreated}, {TransitionCalled}, {TransitionServiceStarted}, {TransitionChanged}},
			segments: []string{"2 09:00:00 09:10:00 - open"},
		},
		{
			name:     "a change that tells no status moves nothing",
			obs:      []Observation{snapCreated("09:00:00", StatusWaiting, "2", ""), bare},
			status:   StatusWaiting,
			steps:    [][]Transition{{TransitionCreated}, {TransitionChanged}},
			segments: []string{"2 09:00:00 - - open"},
			flags:    []Flag{FlagMaybeClosed},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tk, steps := fold(t, tt.obs...)
			if tk.Status != tt.status || tk.Agent != tt.agent {
				t.Errorf("status, agent = %s, %q, want %s, %q", tk.Status, tk.Agent, tt.status, tt.agent)
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

func TestHoldsAreNeitherWaitNorService(t *testing.T) {
	t.Parallel()
	tk, _ := fold(t,
		snapCreated("09:00:00", StatusWaiting, "2", ""),
		snap("09:10:00", StatusOnHold, "2", ""), snap("09:40:00", StatusWaiting, "2", ""),
		snap("09:45:00", StatusCalled, "2", "8"),
		snap("09:50:00", StatusOnHold, "2", "8"), snap("10:20:00", StatusCalled, "2", "8"),
		snap("10:30:00", StatusServed, "2", "8"),
	)
	wait, over := tk.Segments[0].Wait()
	if wait != 15*60 || !over {
		t.Errorf("Wait() = %d, %t, want 15 min", wait, over)
	}
	if service, ok := tk.Segments[0].Service(); service != 15*60 || !ok {
		t.Errorf("Service() = %d, %t, want 15 min", service, ok)
	}
}

// Whoever registers a request for themselves never waited: the segment says so, for the reports to leave it out.
func TestSelfRegisteredSegment(t *testing.T) {
	t.Parallel()
	self := snapCreated("09:00:00", StatusCalled, "2", "8")
	self.Flags = []Flag{FlagSelfRegistered}
	tk, _ := fold(t, self, snap("09:20:00", StatusWaiting, "2", ""))
	if first, second := tk.Segments[0], tk.Segments[1]; !first.Has(FlagSelfRegistered) || second.Has(FlagSelfRegistered) {
		t.Errorf("flags %v and %v", first.Flags, second.Flags)
	}
}
