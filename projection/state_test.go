package projection_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

func times(rt *rapid.T, label string) time.Time {
	if rapid.Bool().Draw(rt, label+" unset") {
		return time.Time{}
	}
	return time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(rt, label), rapid.Int64Range(0, 999999999).Draw(rt, label+" ns")).UTC()
}

func anySlice[T any](rt *rapid.T, label string, one func() T) []T {
	var s []T
	for range rapid.IntRange(0, 3).Draw(rt, label) {
		s = append(s, one())
	}
	return s
}

func state(rt *rapid.T) ticket.State {
	text := func(label string) string { return rapid.StringMatching(`[ -~äπ€😀]{0,8}`).Draw(rt, label) }
	flags := func() []ticket.Flag {
		return anySlice(rt, "flags", func() ticket.Flag { return ticket.Flag(text("flag")) })
	}
	at := func() time.Time { return times(rt, "at") }
	number := func() int64 { return rapid.Int64().Draw(rt, "number") }
	return ticket.State{
		Status: rapid.SampledFrom(ticket.Statuses).Draw(rt, "status"), Queue: text("queue"), Desk: text("desk"), Agent: text("agent"),
		Label: text("label"), Priority: rapid.Int().Draw(rt, "priority"), OrderAfter: at(), CreatedAt: at(), BookedFor: at(), WaitingSince: at(),
		CalledAt: at(), ServingSince: at(), EndedAt: at(), EndedBy: ticket.Actor(text("by")), Reason: text("reason"),
		Calls: anySlice(rt, "calls", at), Returns: anySlice(rt, "returns", at), Flags: flags(),
		Segments: anySlice(rt, "segments", func() ticket.Segment {
			return ticket.Segment{
				Queue: text("queue"), Desk: text("desk"), Agent: text("agent"), EnteredAt: at(), CalledAt: at(), ServingAt: at(), LeftAt: at(),
				Outcome: rapid.SampledFrom(ticket.Outcomes).Draw(rt, "outcome"), Recalls: int(number()), HeldWaitingSeconds: number(),
				HeldServiceSeconds: number(), Position: number(), Flags: flags(),
			}
		}),
		Spells: anySlice(rt, "spells", func() ticket.Spell {
			return ticket.Spell{Status: rapid.SampledFrom(ticket.Statuses).Draw(rt, "status"), Queue: text("queue"), From: at(), To: at()}
		}),
		LastPosition: number(), LastReceivedAt: at(),
	}
}

func TestStateSurvivesItsStorage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		want := state(rt)
		b, err := projection.EncodeState(want)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := projection.DecodeState(b)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Errorf("state (-want +got):\n%s", diff)
		}
	})
}

// There is one way to write a state: verify compares bytes.
func FuzzDecodeState(f *testing.F) {
	add := func(s ticket.State) {
		b, err := projection.EncodeState(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	add(ticket.State{})
	add(ticket.State{
		Status: ticket.StatusWaiting, Queue: "1", Agent: "A. Smith", CreatedAt: noon, Calls: []time.Time{noon.Add(time.Millisecond)},
		Flags:    []ticket.Flag{ticket.FlagClockAhead, "another"},
		Segments: []ticket.Segment{{Queue: "1", EnteredAt: noon, HeldWaitingSeconds: -3}},
		Spells:   []ticket.Spell{{Status: ticket.StatusWaiting, Queue: "1", From: noon}},
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := projection.DecodeState(b)
		if err != nil {
			return
		}
		if again, err := projection.EncodeState(s); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x is read, and written as %x (%v)", b, again, err)
		}
	})
}
