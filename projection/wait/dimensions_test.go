package wait_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
	"queuetrack/eventstore/ticket"
	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
	"queuetrack/projection/wait"
)

// store writes tickets as they are.
func store(t *testing.T, pool *pgxpool.Pool, states map[[2]string]ticket.State) {
	t.Helper()
	changes := map[string][]projection.Change{}
	for id, state := range states {
		changes[id[0]] = append(changes[id[0]], projection.Change{
			Event: eventstore.Event{Source: id[0], Position: int64(len(changes[id[0]]) + 1)}, Ticket: id[1], After: state,
		})
	}
	for source, list := range changes {
		err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return wait.Model{}.Write(t.Context(), tx, 0, source, list) })
		if err != nil {
			t.Fatal(err)
		}
	}
}

// look runs f in a view for an instant.
func look(t *testing.T, pool *pgxpool.Pool, now time.Time, f func(*projection.View) error) {
	t.Helper()
	reader := projection.NewReader(pool)
	reader.Now = func() time.Time { return now }
	if err := reader.View(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// label is what naive calls an item.
func label(r wait.Request, item wait.Item) [2]string {
	n := naive{Request: r}
	lane := n.lane(stay{source: item.Source, Segment: ticket.Segment{Queue: item.Queue, Desk: item.Desk, Agent: item.Agent}})
	if r.Locations != nil && slices.Contains(r.GroupBy, wait.ByLocation) {
		located := naive{Request: r}
		located.Locations = map[wait.QueueID]string{{Source: item.Source, Queue: item.Queue}: item.Location}
		lane = located.lane(stay{source: item.Source, Segment: ticket.Segment{Queue: item.Queue, Desk: item.Desk, Agent: item.Agent}})
	}
	start := item.Start
	if start.Before(r.From) {
		start = r.From // the beginning of a week may be in another month than what the window has of it
	}
	absolute := strings.Split(n.key(start), " ")
	var parts []string
	i := 0
	for _, g := range r.GroupBy {
		switch g {
		case wait.ByHour:
			width := 1
			if r.Zone.String() != "Australia/Lord_Howe" {
				width = 2
			}
			parts = append(parts, absolute[i:i+width]...)
			i += width
		case wait.ByDay, wait.ByWeek, wait.ByMonth:
			parts = append(parts, absolute[i])
			i++
		case wait.ByWeekday:
			parts = append(parts, fmt.Sprint(item.Weekday))
			i++
		case wait.ByHourOfDay:
			parts = append(parts, fmt.Sprintf("%02d", item.HourOfDay))
			i++
		case wait.BySource, wait.ByLocation, wait.ByQueue, wait.ByDesk, wait.ByAgent:
		}
	}
	return [2]string{lane, strings.Join(parts, " ")}
}

// agree computes the report both ways.
func agree(t *testing.T, v *projection.View, r wait.Request, n naive) {
	t.Helper()
	n.Request = r
	report, err := wait.Run(t.Context(), v, r)
	if err != nil {
		t.Errorf("by %v at %s: %v", r.GroupBy, r.AttributedBy, err)
		return
	}
	got := map[[2]string]wait.Measures{}
	for _, item := range report.Items {
		if _, twice := got[label(r, item)]; twice {
			t.Errorf("by %v at %s: %v comes twice", r.GroupBy, r.AttributedBy, label(r, item))
		}
		got[label(r, item)] = item.Measures
	}
	if diff := gocmp.Diff(n.report(), got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("by %v at %s in %s (-counted one by one +report):\n%s", r.GroupBy, r.AttributedBy, r.Zone, diff[:min(len(diff), 4000)])
	}
}

// around are windows of days around both changes of clocks.
var around = []struct{ zone, from, to string }{
	{"Europe/Tallinn", "2026-03-28", "2026-03-31"},
	{"Europe/Tallinn", "2026-10-24", "2026-10-27"},
	{"America/New_York", "2026-03-07", "2026-03-10"},
	{"America/New_York", "2026-10-31", "2026-11-03"}, // and from one month to the next
	{"Australia/Lord_Howe", "2026-04-04", "2026-04-07"},
	{"Australia/Lord_Howe", "2026-10-03", "2026-10-05"},
	{"Asia/Kathmandu", "2026-12-30", "2027-01-05"},    // from one ISO year to the next
	{"America/Sao_Paulo", "2018-11-03", "2018-11-06"}, // a day begins at one o'clock
}

// Every dimension and every pair of two, by every attribution, is what one counts one by one.
func TestEveryDimensionIsCountedRight(t *testing.T) {
	t.Parallel()
	for i, w := range around {
		t.Run(w.zone+" "+w.from, func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(w.zone)
			if err != nil {
				t.Fatal(err)
			}
			day := func(s string) time.Time {
				at, err := time.ParseInLocation(time.DateOnly, s, zone)
				if err != nil {
					t.Fatal(err)
				}
				return at
			}
			from, to := day(w.from), day(w.to)
			const step = 10 * time.Minute
			rng := rand.New(rand.NewPCG(uint64(i), 7))
			stays, states := visitors(rng, 150, from, to, step)
			pool := dbtest.New(t)
			store(t, pool, states)
			base := wait.Request{
				Sources: []string{"city", "store"}, From: from, To: to, Zone: zone, Percentiles: []int{1, 50, 80, 90, 99},
				ServiceLevel: 900, Formula: []wait.Formula{wait.F1, wait.F2, wait.F3, wait.F4}[i%4], DropOff: true,
				Locations: map[wait.QueueID]string{{Source: "city", Queue: "q0"}: "Hall", {Source: "store", Queue: "q0"}: "Hall", {Source: "city", Queue: "q1"}: "Annex"},
			}
			n := walk(base, stays, to.Add(-7*time.Hour), step)
			look(t, pool, n.now, func(v *projection.View) error {
				for j, groups := range groupings() {
					r := base
					r.GroupBy = groups
					r.AttributedBy = []wait.Attribution{wait.AtArrival, wait.AtCall, wait.AtEnd}[(i+j)%3]
					r.QueueLength = !slices.Contains(groups, wait.ByDesk) && !slices.Contains(groups, wait.ByAgent)
					agree(t, v, r, n)
				}
				return nil
			})
		})
	}
}

// groupings are none, each dimension, and each pair of them in both orders.
func groupings() [][]wait.GroupKey {
	all := [][]wait.GroupKey{nil}
	for _, a := range wait.GroupKeys {
		all = append(all, []wait.GroupKey{a})
		for _, b := range wait.GroupKeys {
			if a != b {
				all = append(all, []wait.GroupKey{a, b})
			}
		}
	}
	return all
}
