package wait_test

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
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

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// seg is a segment by its minutes after noon; 0 has not happened.
func seg(queue string, outcome ticket.Outcome, entered, called, left float64, flags ...ticket.Flag) ticket.Segment {
	at := func(m float64) time.Time {
		if m == 0 {
			return time.Time{}
		}
		return noon.Add(time.Duration(m * float64(time.Minute)))
	}
	return ticket.Segment{Queue: queue, Outcome: outcome, EnteredAt: at(entered), CalledAt: at(called), LeftAt: at(left), Flags: flags}
}

// write stores each segment as a ticket of its own.
func write(t *testing.T, pool *pgxpool.Pool, src string, segments ...ticket.Segment) {
	t.Helper()
	var changes []projection.Change
	for i, s := range segments {
		changes = append(changes, projection.Change{
			Event: eventstore.Event{Source: src, Position: int64(i + 1)}, Ticket: fmt.Sprint("t", i),
			After: ticket.State{Status: ticket.StatusServed, Segments: []ticket.Segment{s}},
		})
	}
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return wait.Model{}.Write(t.Context(), tx, 0, src, changes) })
	if err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, pool *pgxpool.Pool, r wait.Request) ([]wait.Item, error) {
	t.Helper()
	if r.Zone == nil {
		r.Zone = time.UTC
	}
	if r.Formula == "" {
		r.Formula = wait.F4
	}
	if r.From.IsZero() {
		r.From, r.To = noon, noon.AddDate(0, 0, 1)
	}
	if r.Sources == nil {
		r.Sources = []string{"city"}
	}
	var report wait.Report
	err := projection.NewReader(pool).View(t.Context(), func(v *projection.View) error {
		var err error
		report, err = wait.Run(t.Context(), v, r)
		return err
	})
	return report.Items, err
}

func must(t *testing.T, pool *pgxpool.Pool, r wait.Request) []wait.Item {
	t.Helper()
	items, err := run(t, pool, r)
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// Each rule of metrics.md on what counts for what, on segments that one can check by hand.
func TestWhatCountsForWhat(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	write(t, pool, "city",
		seg("1", ticket.OutcomeServed, 1, 3, 10),                            // waited 120 s, served 420 s
		seg("1", ticket.OutcomeServed, 1, 11, 12),                           // 600 s, 60 s
		seg("1", ticket.OutcomeServed, 5, 4, 6),                             // a bad clock: -60 s; service 120 s
		seg("1", ticket.OutcomeServed, 5, 6, 5.5),                           // 60 s; a bad clock: -30 s
		seg("1", ticket.OutcomeServed, 5, 5, 25, ticket.FlagSelfRegistered), // never waited
		seg("1", ticket.OutcomeAbandoned, 1, 0, 4),                          // 180 s
		seg("1", ticket.OutcomeAbandoned, 1, 0, 31),                         // 1800 s
		seg("1", ticket.OutcomeNoShow, 1, 2, 3),                             // 60 s
		seg("1", ticket.OutcomeCancelled, 1, 2, 3),                          // 60 s
		seg("1", ticket.OutcomeReturned, 1, 2, 3),                           // 60 s
		seg("1", ticket.OutcomeTransferred, 1, 0, 3),                        // waiting over, not by a call: no wait.n
		seg("1", ticket.OutcomeExpired, 1, 0, 300), seg("1", ticket.OutcomeMerged, 1, 0, 3),
		seg("1", ticket.OutcomeOpen, 1, 0, 0), seg("1", ticket.OutcomeOpen, 1, 2, 0)) // the last one was called: 60 s
	level := 2.0 / 6.0 // served within 300 s: 120, 60; of 5 served and 1 abandoned later
	want := wait.Item{Measures: wait.Measures{
		Offered: 15, Served: 5, Abandoned: 2, NoShow: 1, Cancelled: 1, Returned: 1, Transferred: 1, Expired: 1, Merged: 1, Open: 2,
		Wait:          wait.Stats{N: 7, Mean: 1020.0 / 7, Max: 600, Percentiles: map[int]int64{50: 60, 90: 600}},
		AbandonedWait: wait.Stats{N: 2, Mean: 990, Max: 1800, Percentiles: map[int]int64{50: 180, 90: 1800}},
		Service:       wait.Stats{N: 3, Mean: 200, Max: 420, Percentiles: map[int]int64{50: 120, 90: 420}},
		ServedWithin:  2, AbandonedWithin: 1, ServiceLevel: &level, Calls: wait.Calls{Called: 9},
		Excluded: map[string]int64{"negative_wait": 1, "negative_service": 1, "self_registered": 1},
	}}
	got := must(t, pool, wait.Request{Percentiles: []int{50, 90}, ServiceLevel: 300})
	if diff := gocmp.Diff([]wait.Item{want}, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestFormulas(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	write(t, pool, "city",
		seg("1", ticket.OutcomeServed, 1, 2, 10), seg("1", ticket.OutcomeServed, 1, 2, 10), seg("1", ticket.OutcomeServed, 1, 11, 12),
		seg("1", ticket.OutcomeAbandoned, 1, 0, 2), seg("1", ticket.OutcomeAbandoned, 1, 0, 31))
	for formula, want := range map[wait.Formula]float64{wait.F1: 3.0 / 5, wait.F2: 2.0 / 3, wait.F3: 2.0 / 5, wait.F4: 2.0 / 4} {
		got := must(t, pool, wait.Request{ServiceLevel: 300, Formula: formula})
		if got[0].ServiceLevel == nil || *got[0].ServiceLevel != want {
			t.Errorf("%s: %v; want %v", formula, got[0].ServiceLevel, want)
		}
	}
	if got := must(t, pool, wait.Request{Queues: []wait.QueueID{{Source: "city", Queue: "none"}}}); got[0].ServiceLevel != nil {
		t.Errorf("the service level of nothing is %v", *got[0].ServiceLevel)
	}
}

// The p-th percentile of 1 to 100 is p: no binary fraction moves a rank.
func TestPercentilesAreNearestRank(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	var segments []ticket.Segment
	for i := range 100 {
		entered := noon.Add(time.Minute)
		segments = append(segments, ticket.Segment{
			Queue: "1", Outcome: ticket.OutcomeNoShow, EnteredAt: entered, CalledAt: entered.Add(time.Duration(i+1) * time.Second),
			LeftAt: entered.Add(time.Hour),
		})
	}
	write(t, pool, "city", segments...)
	var all []int
	for p := range 99 {
		all = append(all, p+1)
	}
	got := must(t, pool, wait.Request{Percentiles: all})
	for _, p := range all {
		if got[0].Wait.Percentiles[p] != int64(p) {
			t.Errorf("p%d of 1 to 100 is %d", p, got[0].Wait.Percentiles[p])
		}
	}
}

// crowd is n segments over four days and three queues.
func crowd(seed uint64, n int) []ticket.Segment {
	rng := rand.New(rand.NewPCG(seed, 3))
	var segments []ticket.Segment
	for range n {
		entered := noon.Add(time.Duration(rng.IntN(4*24*3600)) * time.Second).Add(time.Duration(rng.IntN(1e9)))
		s := ticket.Segment{Queue: fmt.Sprint("q", rng.IntN(3)), EnteredAt: entered, Outcome: ticket.Outcomes[rng.IntN(len(ticket.Outcomes))]}
		calledAt := entered.Add(time.Duration(rng.IntN(2000)-50) * time.Second)
		switch s.Outcome {
		case ticket.OutcomeServed, ticket.OutcomeNoShow, ticket.OutcomeCancelled, ticket.OutcomeReturned:
			s.CalledAt = calledAt
		case ticket.OutcomeAbandoned, ticket.OutcomeTransferred, ticket.OutcomeExpired, ticket.OutcomeMerged, ticket.OutcomeOpen:
		}
		if s.Outcome != ticket.OutcomeOpen {
			s.LeftAt = calledAt.Add(time.Duration(rng.IntN(900)) * time.Second)
		}
		if rng.IntN(20) == 0 {
			s.Flags = []ticket.Flag{ticket.FlagSelfRegistered}
		}
		segments = append(segments, s)
	}
	return segments
}

// The components add up over any grouping: Σ outcomes = offered, Σ hours = day, Σ queues = all.
func TestGroupsAddUp(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	write(t, pool, "city", crowd(1, 3000)...)
	write(t, pool, "store", crowd(2, 500)...)
	base := wait.Request{Sources: []string{"city", "store"}, From: noon, To: noon.AddDate(0, 0, 4), ServiceLevel: 300}
	whole := must(t, pool, base)
	if len(whole) != 1 || whole[0].Offered != 3500 {
		t.Fatalf("all in one: %+v", whole)
	}
	tallinn, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	for _, groupBy := range [][]wait.GroupKey{
		{wait.BySource},
		{wait.ByQueue},
		{wait.ByDay},
		{wait.ByHour},
		{wait.ByQueue, wait.ByDay},
		{wait.ByHour, wait.BySource},
		{wait.BySource, wait.ByQueue},
		{wait.ByDay, wait.ByHour},
	} {
		r := base
		r.GroupBy, r.Zone = groupBy, tallinn
		items := must(t, pool, r)
		if diff := gocmp.Diff(sum(whole...), sum(items...)); diff != "" {
			t.Errorf("by %v (-all in one +sum of %d groups):\n%s", groupBy, len(items), diff)
		}
		if !slices.IsSortedFunc(items, func(a, b wait.Item) int { return byKeys(groupBy, a, b) }) {
			t.Errorf("by %v: not in the order of the keys", groupBy)
		}
		for _, item := range items {
			outcomes := item.Served + item.Abandoned + item.NoShow + item.Cancelled + item.Returned + item.Transferred + item.Expired + item.Merged + item.Open
			if outcomes != item.Offered {
				t.Errorf("by %v: outcomes of %+v add up to %d", groupBy, item, outcomes)
			}
		}
	}
}

// sum adds up what can be added up.
func sum(items ...wait.Item) [9]int64 {
	var s [9]int64
	for _, i := range items {
		for n, v := range []int64{
			i.Offered, i.Served, i.Abandoned, i.Wait.N, i.AbandonedWait.N, i.Service.N, i.ServedWithin, i.AbandonedWithin,
			i.Excluded["negative_wait"] + 1000*i.Excluded["self_registered"],
		} {
			s[n] += v
		}
	}
	return s
}

func byKeys(keys []wait.GroupKey, a, b wait.Item) int {
	by := map[wait.GroupKey]int{
		wait.BySource: cmp.Compare(a.Source, b.Source),
		wait.ByQueue:  cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Queue, b.Queue)),
		wait.ByDay:    a.Start.Compare(b.Start),
		wait.ByHour:   a.Start.Compare(b.Start),
	}
	for _, key := range keys {
		if by[key] != 0 {
			return by[key]
		}
	}
	return 0
}

func TestEmptyBucketsAreThere(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	write(t, pool, "city", seg("1", ticket.OutcomeServed, 1, 3, 10), seg("2", ticket.OutcomeServed, 125, 126, 127))
	type row struct {
		Queue      string
		Start, End string
		Offered    int64
	}
	shape := func(r wait.Request) []row {
		var rows []row
		for _, i := range must(t, pool, r) {
			rows = append(rows, row{i.Queue, i.Start.Format("15:04"), i.End.Format("15:04"), i.Offered})
		}
		return rows
	}
	from, to := noon, noon.Add(3*time.Hour)
	for _, test := range []struct {
		r    wait.Request
		want []row
	}{
		{
			wait.Request{From: from, To: to, GroupBy: []wait.GroupKey{wait.ByHour}},
			[]row{{"", "12:00", "13:00", 1}, {"", "13:00", "14:00", 0}, {"", "14:00", "15:00", 1}},
		},
		{
			wait.Request{From: from, To: to, GroupBy: []wait.GroupKey{wait.ByHour, wait.ByQueue}, Queues: []wait.QueueID{{"city", "1"}, {"city", "2"}, {"city", "3"}}},
			[]row{{"1", "12:00", "13:00", 1}, {"2", "12:00", "13:00", 0}, {"1", "13:00", "14:00", 0}, {"2", "13:00", "14:00", 0}, {"1", "14:00", "15:00", 0}, {"2", "14:00", "15:00", 1}},
		},
		{wait.Request{From: from, To: to, GroupBy: []wait.GroupKey{wait.ByQueue}}, []row{{"1", "00:00", "00:00", 1}, {"2", "00:00", "00:00", 1}}},
		{wait.Request{From: from, To: to, GroupBy: []wait.GroupKey{wait.ByQueue}, Queues: []wait.QueueID{}}, nil},
		{wait.Request{From: to, To: to.Add(1)}, []row{{"", "00:00", "00:00", 0}}},
	} {
		if diff := gocmp.Diff(test.want, shape(test.r), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", test.r, diff)
		}
	}
}

func TestTooManyItems(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	write(t, pool, "city", crowd(1, 100)...) // three queues
	r := wait.Request{From: noon, To: noon.AddDate(0, 0, 300), GroupBy: []wait.GroupKey{wait.ByHour}}
	if items := must(t, pool, r); len(items) != 7200 {
		t.Errorf("%d hours in 300 days", len(items))
	}
	r.GroupBy = append(r.GroupBy, wait.ByQueue)
	_, err := run(t, pool, r)
	var tooMany wait.ErrTooManyItems
	if !errors.As(err, &tooMany) || tooMany.Items != 21600 || tooMany.Limit != 10000 {
		t.Errorf("three times 7,200 hours: %v", err)
	}
}

func TestRequestsThatBreakTheRules(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	for name, r := range map[string]wait.Request{
		"no source":       {Sources: []string{}},
		"backwards":       {From: noon, To: noon},
		"three keys":      {GroupBy: []wait.GroupKey{wait.ByDay, wait.ByQueue, wait.BySource}},
		"one key twice":   {GroupBy: []wait.GroupKey{wait.ByDay, wait.ByDay}},
		"unknown key":     {GroupBy: []wait.GroupKey{"queue; DROP TABLE event"}},
		"no percentile":   {Percentiles: []int{100}},
		"unknown formula": {Formula: "F5"},
	} {
		if _, err := run(t, pool, r); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestServedSince(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	write(t, pool, "city",
		seg("1", ticket.OutcomeServed, 1, 3, 10), seg("1", ticket.OutcomeServed, 1, 3, 20), seg("2", ticket.OutcomeServed, 1, 3, 20),
		seg("2", ticket.OutcomeNoShow, 1, 3, 20))
	write(t, pool, "store", seg("1", ticket.OutcomeServed, 1, 3, 10))
	at := func(m int) time.Time { return noon.Add(time.Duration(m) * time.Minute) }
	err := projection.NewReader(pool).View(t.Context(), func(v *projection.View) error {
		since := map[string]time.Time{"city": at(20), "store": noon, "crm": noon}
		for until, want := range map[time.Time]map[wait.QueueID]int64{
			{}:     {{Source: "city", Queue: "1"}: 1, {Source: "city", Queue: "2"}: 1, {Source: "store", Queue: "1"}: 1},
			at(10): {{Source: "store", Queue: "1"}: 1},
			at(9):  {},
		} {
			got, err := wait.ServedSince(t.Context(), v, since, until)
			if err != nil {
				return err
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("served until %s (-want +got):\n%s", until, diff)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
