package demo

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var opening = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

// until returns the day's deliveries before an instant.
func until(seed uint64, end time.Time) []Delivery {
	day := NewDay(seed, opening)
	var all []Delivery
	for d := day.Next(); d.At.Before(end); d = day.Next() {
		all = append(all, d)
	}
	return all
}

func TestSameSeedSameDay(t *testing.T) {
	t.Parallel()
	end := opening.Add(15 * time.Minute)
	if diff := cmp.Diff(until(7, end), until(7, end)); diff != "" {
		t.Errorf("second run (-want +got):\n%s", diff)
	}
	if cmp.Equal(until(7, end), until(8, end)) {
		t.Error("another seed gave the same day")
	}
}

func TestEveryKindOfStepHappens(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	last := opening
	for _, d := range until(1, opening.Add(3*time.Hour)) {
		if d.At.Before(last) {
			t.Fatalf("delivery at %s after one at %s", d.At, last)
		}
		last = d.At
		var body struct {
			Type, Event string
			FieldValues struct{ Status int }
		}
		if err := json.Unmarshal(d.Body, &body); err != nil {
			t.Fatalf("%s: %v", d.Body, err)
		}
		seen[d.Source+" "+body.Type+body.Event] = true
		if s := body.FieldValues.Status; s != 0 {
			seen["crm status "+string(rune('0'+s))] = true
		}
	}
	for _, want := range []string{
		"city ticket_created", "city ticket_called", "city ticket_recalled", "city ticket_changed", "city ticket_served",
		"city ticket_cancelled", "city line_changed", "city location_changed",
		"store positionCreated", "store bookingConfirmation", "store bookingUpdated", "store bookingActivated",
		"store positionCalled", "store positionRetry", "store positionFulfilled", "store positionCompleted",
		"store positionRemoved", "store positionCancelled", "store feedbackReceived",
		"crm ticket.created", "crm ticket.changed",
		"crm status 1", "crm status 2", "crm status 3", "crm status 4", "crm status 5",
	} {
		if !seen[want] {
			t.Errorf("no %s in three hours", want)
		}
	}
}

// No delivery may tell a time that lies ahead of its posting: it would be flagged as a bad clock.
func TestNoTimeLiesAhead(t *testing.T) {
	t.Parallel()
	for _, d := range until(3, opening.Add(40*time.Minute)) {
		var tree any
		if err := json.Unmarshal(d.Body, &tree); err != nil {
			t.Fatal(err)
		}
		walk(tree, "", func(key, text string) {
			at, err := time.Parse(time.RFC3339Nano, text)
			if err == nil && at.After(d.At) && key != "start" && key != "end" {
				t.Errorf("%s posted at %s tells %s %s", d.Body, d.At, key, text)
			}
		})
	}
}

func walk(node any, key string, visit func(key, text string)) {
	switch n := node.(type) {
	case map[string]any:
		for k, v := range n {
			walk(v, k, visit)
		}
	case []any:
		for _, v := range n {
			walk(v, key, visit)
		}
	case string:
		visit(key, n)
	}
}

func TestPlayKeepsEachTicketsOrder(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	got := map[string][]time.Time{}
	ctx, cancel := context.WithCancel(t.Context())
	player := Player{
		Post: func(_ context.Context, d Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			got[d.Source+d.Ticket] = append(got[d.Source+d.Ticket], d.At)
			return nil
		},
		Now:      func() time.Time { return opening.Add(30 * time.Minute) },
		CaughtUp: cancel,
	}
	if err := player.Play(ctx, NewDay(1, opening)); err != nil {
		t.Fatal(err)
	}
	want := map[string][]time.Time{}
	for _, d := range until(1, opening.Add(30*time.Minute)) {
		want[d.Source+d.Ticket] = append(want[d.Source+d.Ticket], d.At)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("posted (-want +got):\n%s", diff)
	}
}

func TestOverviewRedrawsOverItself(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	o := Overview{Out: &out, Redraw: true}
	queues := []QueueCount{
		{Source: "city", Name: "Passports", Waiting: 7, LongestWait: 492, ServedToday: 96, Estimate: &Estimate{new(int64(840)), new(int64(1260))}},
		{Source: "city", Queue: "1", Estimate: &Estimate{}}, // without a range
		{Source: "city", Queue: "2"},
	}
	for range 2 {
		if err := o.Draw("a day", queues, []string{"below"}); err != nil {
			t.Fatal(err)
		}
	}
	block := "a day\n\n" +
		"SOURCE  QUEUE               WAITING  CALLED  SERVING   BOOKED  LONGEST WAIT  SERVED TODAY  NEXT ABOUT\n" +
		"city    Passports                 7       0        0        0          8:12            96  10–25 min\n" +
		"city    1                         0       0        0        0             –             0\n" +
		"city    2                         0       0        0        0             –             0\n" +
		"\nbelow\n"
	if diff := cmp.Diff(block+"\x1b[8A\x1b[J"+block, out.String()); diff != "" {
		t.Errorf("drawn (-want +got):\n%s", diff)
	}
}

func TestInFives(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		low, high int64
		want      string
	}{
		{0, 0, "under 5 min"},
		{0, 300, "under 5 min"},
		{299, 300, "under 5 min"},
		{0, 301, "under 10 min"},
		{299, 301, "under 10 min"},
		{300, 300, "under 5 min"},
		{300, 301, "5–10 min"},
		{900, 1200, "15–20 min"},
		{901, 1201, "15–25 min"},
		{600, 600, "10 min"},
		{3599, 7201, "55–125 min"},
	} {
		if got := inFives(c.low, c.high); got != c.want {
			t.Errorf("%d to %d seconds: %q, want %q", c.low, c.high, got, c.want)
		}
	}
}
