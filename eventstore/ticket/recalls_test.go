package ticket

import (
	"fmt"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

func recallsOf(s State) []int {
	var list []int
	for _, seg := range s.Segments {
		list = append(list, seg.Recalls)
	}
	return list
}

func TestRecallsAreCountedBySegment(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		obs  []Observation
		want []int
	}{
		{"never called", []Observation{created("09:00:00", "A")}, []int{0}},
		{"called once", []Observation{created("09:00:00", "A"), called("09:10:00", "A")}, []int{0}},
		{"called three times", []Observation{created("09:00:00", "A"), called("09:10:00", "A"), called("09:12:00", "A"), called("09:13:00", "A")}, []int{2}},
		{
			"called again after a return: that is the first call of another stay",
			[]Observation{created("09:00:00", "A"), called("09:10:00", "A"), called("09:11:00", "A"), returnedAt("09:12:00"), called("09:20:00", "A")},
			[]int{1, 0},
		},
		{
			"called along with a transfer",
			[]Observation{created("09:00:00", "A"), called("09:10:00", "A"), called("09:12:00", "B"), called("09:15:00", "B")},
			[]int{0, 1},
		},
		{
			"a call told late, that was made before the other one",
			[]Observation{created("09:00:00", "A"), called("09:12:00", "A"), called("09:10:00", "A")},
			[]int{1},
		},
		{
			"a call that by its clock came after the end",
			[]Observation{created("09:00:00", "A"), called("09:10:00", "A"), received(served("09:15:00", "09:10:00", "A"), "09:20:00"), received(called("09:16:00", "A"), "09:20:01")},
			[]int{1},
		},
		{"the one call, only implied by the end", []Observation{created("09:00:00", "A"), served("09:15:00", "09:10:00", "A")}, []int{0}},
	} {
		tk, _ := fold(t, test.obs...)
		if diff := gocmp.Diff(test.want, recallsOf(tk.State)); diff != "" {
			t.Errorf("%s (-want +got):\n%s%v", test.name, diff, segments(tk.State))
		}
	}
}

// Who looks back sees the re-calls that had been made.
func TestRecallsAtAnInstant(t *testing.T) {
	t.Parallel()
	tk, _ := fold(t, created("09:00:00", "A"), called("09:10:00", "A"), called("09:12:00", "A"), called("09:14:00", "A"), served("09:20:00", "09:14:00", "A"))
	for clock, want := range map[string]int{"09:05:00": 0, "09:10:00": 0, "09:12:00": 1, "09:13:59": 1, "09:14:00": 2, "09:30:00": 2} {
		if got := recallsOf(tk.At(at(clock))); len(got) != 1 || got[0] != want {
			t.Errorf("at %s: %d re-calls, want %d", clock, got, want)
		}
	}
}

func TestHoldsInAWait(t *testing.T) {
	t.Parallel()
	hold := func(clock string) Observation {
		return Observation{Says: TransitionOnHold, Status: StatusOnHold, At: at(clock)}
	}
	resume := func(clock string) Observation {
		return Observation{Says: TransitionResumed, Status: StatusWaiting, At: at(clock)}
	}
	for _, test := range []struct {
		name string
		obs  []Observation
		want []string
	}{
		{"none", []Observation{created("09:00:00", "A"), called("09:10:00", "A")}, nil},
		{"one", []Observation{created("09:00:00", "A"), hold("09:02:00"), resume("09:05:00"), called("09:10:00", "A")}, []string{"0 09:02:00 09:05:00"}},
		{"one that the call ended", []Observation{created("09:00:00", "A"), hold("09:02:00"), called("09:10:00", "A")}, []string{"0 09:02:00 09:10:00"}},
		{"one that lasts", []Observation{created("09:00:00", "A"), hold("09:02:00")}, []string{"0 09:02:00 -"}},
		{"one after another, of which the second lasts", []Observation{created("09:00:00", "A"), hold("09:02:00"), resume("09:03:00"), hold("09:04:00")}, []string{"0 09:02:00 09:03:00", "0 09:04:00 -"}},
		{"after the call it interrupts no wait", []Observation{created("09:00:00", "A"), called("09:10:00", "A"), hold("09:12:00")}, nil},
		{
			"in the second stay",
			[]Observation{created("09:00:00", "A"), called("09:10:00", "A"), returnedAt("09:12:00"), hold("09:13:00"), resume("09:14:30"), called("09:20:00", "A")},
			[]string{"1 09:13:00 09:14:30"},
		},
	} {
		tk, _ := fold(t, test.obs...)
		var got []string
		for i, seg := range tk.Segments {
			var held int64
			for _, part := range tk.HoldsWaiting(i) {
				to := "-"
				if !part.To.IsZero() {
					to = part.To.Format(time.TimeOnly)
					held += secondsBetween(part.From, part.To)
				}
				got = append(got, fmt.Sprint(i, " ", part.From.Format(time.TimeOnly), " ", to))
			}
			if held != seg.HeldWaitingSeconds {
				t.Errorf("%s: %d s of segment %d, %d by its holds", test.name, seg.HeldWaitingSeconds, i, held)
			}
		}
		if diff := gocmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
