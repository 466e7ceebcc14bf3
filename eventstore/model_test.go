package eventstore_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"queuetrack/eventstore"
	"queuetrack/migrations/dbtest"
)

// model is the log as a loop: one delivery after the other, by the words of the design.
type model struct {
	window time.Duration
	events []eventstore.Delivery // at position-1
}

func (m *model) append(d eventstore.Delivery) eventstore.Receipt {
	switch {
	case d.RepeatOf > 0:
	case d.EventKey != "":
		if p := m.last(func(e eventstore.Delivery) bool { return e.RepeatOf == 0 && e.EventKey == d.EventKey }); p > 0 {
			return duplicate(p)
		}
	case d.VerifiedBy == eventstore.Own:
	case d.Ticket != "" && d.Quarantined == "":
		live := func(e eventstore.Delivery) bool {
			return e.Ticket == d.Ticket && e.Quarantined == "" && e.VerifiedBy != eventstore.Own
		}
		if p := m.last(live); p > 0 && string(m.events[p-1].Body) == string(d.Body) {
			return duplicate(p)
		}
		old := m.last(func(e eventstore.Delivery) bool { return live(e) && string(e.Body) == string(d.Body) })
		if old > 0 && !m.within(old, d) {
			cause := fmt.Sprintf("replay of position %d", old)
			if p := m.last(func(e eventstore.Delivery) bool { return e.Ticket == d.Ticket && e.Quarantined == cause }); p > 0 {
				return duplicate(p)
			}
			d.Quarantined = cause
		}
	default:
		p := m.last(func(e eventstore.Delivery) bool {
			return e.Ticket == d.Ticket && string(e.Body) == string(d.Body) && (e.Ticket == "" || e.Quarantined != "")
		})
		if p > 0 && m.within(p, d) {
			return duplicate(p)
		}
	}
	m.events = append(m.events, d)
	if d.Quarantined != "" {
		return quarantined(int64(len(m.events)))
	}
	return accepted(int64(len(m.events)), 1)[0]
}

// last returns the last position that matches, or 0.
func (m *model) last(match func(eventstore.Delivery) bool) int64 {
	for i := len(m.events) - 1; i >= 0; i-- {
		if match(m.events[i]) {
			return int64(i) + 1
		}
	}
	return 0
}

func (m *model) within(p int64, d eventstore.Delivery) bool {
	return d.ReceivedAt.Sub(m.events[p-1].ReceivedAt) <= m.window
}

// drawDelivery draws from few tickets, bodies and keys, so that they meet.
func drawDelivery(t *rapid.T, at time.Time) eventstore.Delivery {
	d := eventstore.Delivery{
		Ticket:     rapid.SampledFrom([]string{"", "a", "a", "a", "a", "b"}).Draw(t, "ticket"),
		Type:       "t",
		ReceivedAt: at,
		Body:       []byte(rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "body")),
		VerifiedBy: "literal-1",
	}
	switch rapid.IntRange(0, 19).Draw(t, "kind") {
	case 0, 1:
		d.EventKey = rapid.SampledFrom([]string{"k1", "k2", "k3"}).Draw(t, "key")
	case 2, 3:
		d.Quarantined = "unreadable"
	case 4:
		d.VerifiedBy = eventstore.Own
	case 5:
		d.VerifiedBy, d.EventKey = eventstore.Own, rapid.SampledFrom([]string{"k1", "own"}).Draw(t, "key")
	}
	return d
}

func drawBatch(t *rapid.T, m *model, clock *time.Time) []eventstore.Delivery {
	var ds []eventstore.Delivery
	repeated := map[int64]bool{0: true}
	for _, e := range m.events {
		repeated[e.RepeatOf] = true
	}
	for range rapid.IntRange(1, 12).Draw(t, "size") {
		*clock = clock.Add(rapid.SampledFrom([]time.Duration{0, 0, time.Minute, -time.Minute, 20 * time.Minute, 59 * time.Minute, 2 * time.Hour}).Draw(t, "step"))
		d := drawDelivery(t, *clock)
		if len(m.events) > 0 && rapid.IntRange(0, 9).Draw(t, "repeat") == 0 {
			// A second repetition of one position is refused, which has a test of its own.
			if of := rapid.Int64Range(1, int64(len(m.events))).Draw(t, "of"); !repeated[of] {
				d.RepeatOf, repeated[of] = of, true
			}
		}
		ds = append(ds, d)
	}
	return ds
}

// TestBatchesEqualOneByOne compares the statement with the model, on batches full of collisions.
func TestBatchesEqualOneByOne(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	log := eventstore.New(pool, eventstore.Config{ReplayWindow: func(string) time.Duration { return time.Hour }})
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		source := fmt.Sprintf("run-%d", run)
		m := &model{window: time.Hour}
		clock := noon
		for range rapid.IntRange(1, 8).Draw(rt, "batches") {
			ds := drawBatch(rt, m, &clock)
			got, err := log.AppendBatch(t.Context(), source, ds)
			if err != nil {
				rt.Fatalf("append: %v", err)
			}
			for i, d := range ds {
				if want := m.append(d); got[i] != want {
					rt.Fatalf("delivery %d, %+v: got %+v, want %+v", i, d, got[i], want)
				}
			}
			clock = clock.Add(rapid.SampledFrom([]time.Duration{0, 30 * time.Minute, time.Hour + time.Second}).Draw(rt, "pause"))
		}
		sameLog(t, rt, log, source, m)
	})
}

func sameLog(t *testing.T, rt *rapid.T, log *eventstore.Log, source string, m *model) {
	events, err := log.Read(t.Context(), source, 0, 1000)
	if err != nil {
		rt.Fatal(err)
	}
	if len(events) != len(m.events) {
		rt.Fatalf("%d events, want %d", len(events), len(m.events))
	}
	for i, e := range events {
		got := eventstore.Delivery{
			Ticket: e.Ticket, Type: e.Type, EventKey: e.EventKey, ReceivedAt: e.ReceivedAt, Body: e.Body,
			VerifiedBy: e.VerifiedBy, Quarantined: e.Quarantined, RepeatOf: e.RepeatOf,
		}
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", m.events[i]) {
			rt.Fatalf("position %d: got %+v, want %+v", e.Position, got, m.events[i])
		}
	}
}
