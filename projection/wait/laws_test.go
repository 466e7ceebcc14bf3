package wait_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	"pgregory.net/rapid"

	"queuetrack/eventstore/ticket"
	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
	"queuetrack/projection/wait"
)

// Little's law, to the second: the integral of a queue's length is the time that was waited inside the window. One side
// goes through the seconds one by one, the other adds up what of each wait lies in the window.
func TestTheIntegralOfAQueueIsTheTimeWaitedInIt(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	from := noon.Add(17*time.Minute + 5*time.Second)
	to := from.Add(2*time.Hour + 13*time.Second)
	stays, states := visitors(rand.New(rand.NewPCG(4, 4)), 120, from, to, time.Second)
	store(t, pool, states)
	base := wait.Request{Sources: []string{"city", "store"}, From: from, To: to, Zone: time.UTC, Formula: wait.F4, ServiceLevel: 300, QueueLength: true, DropOff: true}
	for _, now := range []time.Time{to.Add(time.Hour), from.Add(47*time.Minute + time.Second), from, from.Add(-time.Hour)} {
		n := walk(base, stays, now, time.Second)
		look(t, pool, now, func(v *projection.View) error {
			for _, groups := range [][]wait.GroupKey{nil, {wait.ByQueue}, {wait.ByHour, wait.BySource}} {
				r := base
				r.GroupBy = groups
				agree(t, v, r, n)
			}
			all, err := wait.Run(t.Context(), v, base)
			if err != nil {
				return err
			}
			var waited int64
			for _, s := range stays {
				waited += s.within(from, sooner(to, now))
			}
			if got := all.Items[0].QueueLength.WaitingSeconds; got != waited || waited == 0 && now.After(from) {
				t.Errorf("now %s: the length's integral is %d, %d seconds were waited", now, got, waited)
			}
			return nil
		})
	}
}

func sooner(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// within is how many seconds of the wait lie between two instants.
func (s stay) within(from, to time.Time) int64 {
	part := func(a, b time.Time) int64 {
		if a.Before(from) {
			a = from
		}
		if b.IsZero() || b.After(to) {
			b = to
		}
		return max(0, second(b).Unix()-second(a).Unix())
	}
	end := s.CalledAt
	if end.IsZero() {
		end = s.LeftAt
	}
	sum := part(second(s.EnteredAt), end)
	for _, h := range s.holds {
		sum -= part(second(h.From), h.To)
	}
	return sum
}

// The invariants of metrics.md hold of any crowd in any window: outcomes add up to offered, hours to days and to the
// whole, queues to locations, percentiles ascend, and every formula follows from the components.
func TestInvariants(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	zone, err := time.LoadLocation("Europe/Tallinn")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 10, 24, 0, 0, 0, 0, zone)
	_, states := visitors(rand.New(rand.NewPCG(8, 8)), 600, start, start.AddDate(0, 0, 3), time.Second)
	store(t, pool, states)
	places := map[wait.QueueID]string{}
	for _, source := range []string{"city", "store"} {
		for i := range 3 {
			places[wait.QueueID{Source: source, Queue: fmt.Sprint("q", i)}] = []string{"Hall", "Annex"}[i%2]
		}
	}
	run := func(rt *rapid.T, v *projection.View, r wait.Request) []wait.Item {
		report, err := wait.Run(t.Context(), v, r)
		if err != nil {
			rt.Fatal(err)
		}
		return report.Items
	}
	look(t, pool, start.AddDate(0, 0, 2), func(v *projection.View) error {
		rapid.Check(t, func(rt *rapid.T) {
			from := start.Add(time.Duration(rapid.IntRange(0, 2*86400).Draw(rt, "from")) * time.Second)
			r := wait.Request{
				Sources: []string{"city", "store"}, Zone: zone, Locations: places, QueueLength: true, DropOff: true,
				From: from, To: from.Add(time.Duration(rapid.IntRange(1, 86400).Draw(rt, "length")) * time.Second),
				Percentiles: []int{50, 80, 90}, ServiceLevel: int64(rapid.IntRange(0, 2000).Draw(rt, "threshold")), Formula: wait.F4,
				AttributedBy: rapid.SampledFrom([]wait.Attribution{wait.AtArrival, wait.AtCall, wait.AtEnd}).Draw(rt, "attributed by"),
			}
			whole := run(rt, v, r)
			for _, m := range whole {
				lawful(rt, m.Measures)
			}
			for _, group := range []wait.GroupKey{wait.ByHour, wait.ByDay, wait.ByHourOfDay, wait.ByWeekday, wait.ByLocation, wait.ByQueue} {
				r.GroupBy = []wait.GroupKey{group}
				items := run(rt, v, r)
				for _, item := range items {
					lawful(rt, item.Measures)
				}
				// A queue where people only wait, and none is placed in the window, has no item.
				if diff := gocmp.Diff(added(whole, false), added(items, false)); diff != "" {
					rt.Errorf("by %s (-whole +sum):\n%s", group, diff)
				}
				if group != wait.ByLocation && group != wait.ByQueue {
					if diff := gocmp.Diff(added(whole, true), added(items, true)); diff != "" {
						rt.Errorf("lengths by %s (-whole +sum):\n%s", group, diff)
					}
				}
			}
		})
		return nil
	})
}

// added are the components that can be added, of all items.
func added(items []wait.Item, lengths bool) (sum [64]int64) {
	for _, i := range items {
		list := []int64{
			i.Offered, i.Served, i.Abandoned, i.NoShow, i.Cancelled, i.Returned, i.Transferred, i.Expired, i.Merged, i.Open,
			i.Wait.N, i.AbandonedWait.N, i.Service.N, i.ServedWithin, i.AbandonedWithin, i.Calls.Called, i.Calls.Recalled, i.Calls.Recalls,
			i.Excluded["negative_wait"], i.Excluded["negative_service"], i.Excluded["self_registered"],
		}
		for _, place := range i.DropOff {
			list = append(list, place.Offered, place.Abandoned)
		}
		if lengths {
			list = append(list, i.QueueLength.WaitingSeconds, i.QueueLength.ElapsedSeconds)
		}
		for n, v := range list {
			sum[n] += v
		}
	}
	return sum
}

func lawful(rt *rapid.T, m wait.Measures) {
	if sum := m.Served + m.Abandoned + m.NoShow + m.Cancelled + m.Returned + m.Transferred + m.Expired + m.Merged + m.Open; sum != m.Offered {
		rt.Errorf("outcomes add up to %d of %d", sum, m.Offered)
	}
	var placed int64
	for _, p := range m.DropOff {
		placed += p.Offered
	}
	if placed != m.Offered {
		rt.Errorf("%d of %d have a place", placed, m.Offered)
	}
	for _, s := range []wait.Stats{m.Wait, m.AbandonedWait, m.Service} {
		if p := s.Percentiles; p[50] > p[80] || p[80] > p[90] || p[90] > s.Max {
			rt.Errorf("percentiles %+v", s)
		}
	}
	if of := m.Served + m.Abandoned - m.AbandonedWithin; (m.ServiceLevel == nil) != (of == 0) || of > 0 && *m.ServiceLevel != float64(m.ServedWithin)/float64(of) {
		rt.Errorf("service level %v of %d/%d", m.ServiceLevel, m.ServedWithin, of)
	}
	if q := m.QueueLength; q.WaitingSeconds > q.Max*q.ElapsedSeconds || q.Max > q.WaitingSeconds {
		rt.Errorf("length %+v", q)
	}
}

// The window before is a report of its own.
func TestComparedWithTheWindowBefore(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	zone, err := time.LoadLocation("Europe/Tallinn")
	if err != nil {
		t.Fatal(err)
	}
	day := func(d int) time.Time { return time.Date(2026, 10, d, 0, 0, 0, 0, zone) }
	_, states := visitors(rand.New(rand.NewPCG(6, 6)), 400, day(20), day(30), time.Minute)
	store(t, pool, states)
	look(t, pool, day(28), func(v *projection.View) error {
		for _, groups := range groupings() {
			r := wait.Request{
				Sources: []string{"city", "store"}, From: day(24), To: day(28), Zone: zone, GroupBy: groups, Percentiles: []int{50},
				Formula: wait.F4, ServiceLevel: 300, DropOff: true, Compare: true,
				QueueLength: !slices.Contains(groups, wait.ByDesk) && !slices.Contains(groups, wait.ByAgent),
			}
			report, err := wait.Run(t.Context(), v, r)
			if err != nil {
				return err
			}
			if !report.PreviousFrom.Equal(day(20)) || !report.PreviousTo.Equal(day(24)) {
				t.Errorf("the window before is %s – %s", report.PreviousFrom, report.PreviousTo)
			}
			before := r
			before.From, before.To, before.Compare = day(20), day(24), false
			other, err := wait.Run(t.Context(), v, before)
			if err != nil {
				return err
			}
			there := map[[2]string]wait.Item{}
			for _, item := range other.Items {
				there[label(before, item)] = item
			}
			for _, item := range report.Items {
				counterpart := item
				if !item.Start.IsZero() { // four days before, by the calendar
					s := later(item.Start, r.From).In(zone)
					counterpart.Start = time.Date(s.Year(), s.Month(), s.Day()-4, s.Hour(), s.Minute(), 0, 0, zone)
				}
				at := label(before, counterpart)
				want, ok := there[at]
				if !ok { // nobody was placed there; some may have waited
					want.DropOff, want.QueueLength = slices.Clone(wait.Places), item.Previous.QueueLength
				}
				if diff := gocmp.Diff(want.Measures, item.Previous.Measures); diff != "" {
					t.Errorf("by %v: before %v (-report of its own +previous):\n%s", groups, at, diff)
				}
			}
		}
		return nil
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// A report told item by item is the same report, however many bits it is computed in.
func TestAStreamIsTheSameReport(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	from := noon.Truncate(24 * time.Hour)
	_, states := visitors(rand.New(rand.NewPCG(2, 2)), 300, from, from.AddDate(0, 0, 100), time.Minute)
	store(t, pool, states)
	look(t, pool, from.AddDate(0, 0, 60), func(v *projection.View) error {
		for _, groups := range groupings() {
			r := wait.Request{
				Sources: []string{"city", "store"}, From: from.Add(90 * time.Minute), To: from.AddDate(0, 0, 100), Zone: time.UTC, GroupBy: groups,
				Percentiles: []int{50}, Formula: wait.F1, ServiceLevel: 300, DropOff: true, Compare: true,
				QueueLength: !slices.Contains(groups, wait.ByDesk) && !slices.Contains(groups, wait.ByAgent),
			}
			var want wait.Report
			var got []wait.Item
			var err error
			if want, err = wait.RunUpTo(t.Context(), v, r, 1_000_000); err != nil {
				return err
			}
			if err = wait.StreamBy(t.Context(), v, r, 97, func(item wait.Item) error { got = append(got, item); return nil }); err != nil {
				return err
			}
			if diff := gocmp.Diff(want.Items, got); diff != "" {
				t.Errorf("by %v (-at once +bit by bit):\n%s", groups, diff[:min(len(diff), 3000)])
			}
		}
		return nil
	})
}

// Nobody holds a long report in memory.
func TestAStreamTakesConstantMemory(t *testing.T) { //nolint:paralleltest // it measures the heap
	pool := dbtest.New(t)
	write(t, pool, "city", crowd(1, 1000)...)
	from := noon.AddDate(-9, 0, 0)
	r := wait.Request{
		Sources: []string{"city"}, From: from, To: noon.AddDate(0, 0, 4), Zone: time.UTC, Percentiles: []int{50, 80, 90, 95}, Formula: wait.F4,
		GroupBy: []wait.GroupKey{wait.ByHour, wait.ByQueue},
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var n int
	var most uint64
	before := heap()
	look(t, pool, noon, func(v *projection.View) error {
		return wait.Stream(t.Context(), v, r, func(wait.Item) error {
			if n++; n%20_000 == 1 {
				most = max(most, heap())
			}
			return nil
		})
	})
	if n < 200_000 {
		t.Errorf("%d items", n)
	}
	if limit := uint64(64 << 20); most > before+limit {
		t.Errorf("%d items took %d MiB", n, (most-before)>>20)
	}
}

func TestStreamsHaveALimit(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	var segments []ticket.Segment
	for i := range 120 {
		segments = append(segments, seg(fmt.Sprint(i), ticket.OutcomeServed, 1, 2, 3))
	}
	write(t, pool, "city", segments...)
	r := wait.Request{Sources: []string{"city"}, From: noon.AddDate(0, 0, -360), To: noon.Add(time.Hour), Zone: time.UTC, Formula: wait.F4, GroupBy: []wait.GroupKey{wait.ByQueue, wait.ByHour}}
	look(t, pool, noon, func(v *projection.View) error {
		var many wait.ErrTooManyItems
		err := wait.Stream(t.Context(), v, r, func(wait.Item) error { return errors.New("an item") })
		if !errors.As(err, &many) || many.Limit != wait.MaxStreamed || many.Items <= many.Limit {
			t.Errorf("120 queues by 8,641 hours: %v", err)
		}
		return nil
	})
}

// A report that takes too long ends by itself, whatever it waits for.
func TestStatementsTimeOut(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), `LOCK TABLE wait_segment_0 IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	r := wait.Request{Sources: []string{"city"}, From: noon, To: noon.Add(time.Hour), Zone: time.UTC, Formula: wait.F4, Timeout: 50 * time.Millisecond}
	err = projection.NewReader(pool).View(t.Context(), func(v *projection.View) error {
		_, err := wait.Run(t.Context(), v, r)
		return err
	})
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "57014" {
		t.Errorf("a locked table: %v", err)
	}
}
