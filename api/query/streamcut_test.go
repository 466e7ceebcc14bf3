package query

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shown is what a client with a filter shows: each ticket as it was last sent.
type shown struct {
	queue   string
	id      string
	tickets map[string]map[string]any
}

// follow takes in up to n events, and keeps the last id.
func (v *shown) follow(t *testing.T, c *client, n int) {
	t.Helper()
	for range n {
		e, err := c.next()
		if err != nil {
			t.Fatal(err)
		}
		if e.name == "ticket" {
			delete(e.fields, "positions")
			v.tickets[fmt.Sprint(e.fields["ticket"])] = e.fields
		}
		if e.id != "" {
			if reached(t, e.id) < reached(t, cmpOr(v.id, "city:0")) {
				t.Errorf("id %s after %s", e.id, v.id)
			}
			v.id = e.id
		}
	}
}

func cmpOr(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func reached(t *testing.T, id string) (n int64) {
	t.Helper()
	if _, err := fmt.Sscanf(id, "city:%d", &n); err != nil {
		t.Fatalf("id %q: %v", id, err)
	}
	return n
}

// Clients hang up wherever they like, in the middle of a step too, and come back with the last id that they got. In the end
// each shows, of its queue, exactly the tickets that are there, as they are.
func TestStreamLosesNothingToDisconnects(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, StreamConfig{Heartbeat: 30 * time.Millisecond})
	random := rand.New(rand.NewPCG(4, 6)) //nolint:gosec // a test's dice
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 40 {
			var bodies []string
			for range 1 + random.IntN(30) {
				bodies = append(bodies, visitOn("ticket_changed", fmt.Sprint(random.IntN(25)), "NEW", 1+random.IntN(4), "created", "11:00:00"))
			}
			s.deliver(bodies...)
		}
	}()
	views := []*shown{{queue: ""}, {queue: "1"}, {queue: "2"}, {queue: "3"}}
	for _, v := range views {
		v.id, v.tickets = "city:0", map[string]map[string]any{}
	}
	dice := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test's dice
	visit := func(v *shown, n int) {
		c := s.open("?source=city&queue="+v.queue, v.id)
		v.follow(t, c, n)
		c.close()
	}
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		for _, v := range views {
			visit(v, 1+dice.IntN(12))
		}
	}
	tail := s.get("/v1/queues")["positions"].(map[string]any)["city"].(float64)
	want := map[string]map[string]any{}
	for _, one := range items(t, s.get("/v1/tickets?source=city&limit=1000")) {
		want[fmt.Sprint(one["ticket"])] = one
	}
	for _, v := range views {
		for c := s.open("?source=city&queue="+v.queue, v.id); reached(t, v.id) < int64(tail); {
			v.follow(t, c, 1)
		}
		there := func(all map[string]map[string]any) map[string]map[string]any {
			some := map[string]map[string]any{}
			for id, one := range all {
				if v.queue == "" || one["queue"] == v.queue {
					some[id] = one
				}
			}
			return some
		}
		if diff := cmp.Diff(there(want), there(v.tickets)); diff != "" {
			t.Errorf("queue %q (-GET +stream):\n%s", v.queue, diff)
		}
	}
}
