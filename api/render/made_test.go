package render

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/projection/wait"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// maker makes reports that look like a fortnight of a town's office, the same ones every time.
type maker struct {
	request wait.Request
	dice    *rand.Rand
}

func newMaker(t *testing.T, groupBy ...wait.GroupKey) *maker {
	t.Helper()
	tallinn, err := time.LoadLocation("Europe/Tallinn")
	if err != nil {
		t.Fatal(err)
	}
	return &maker{
		request: wait.Request{
			Sources: []string{"city"}, Zone: tallinn, GroupBy: groupBy, AttributedBy: wait.AtArrival,
			From: time.Date(2026, 11, 2, 0, 0, 0, 0, tallinn), To: time.Date(2026, 11, 16, 0, 0, 0, 0, tallinn),
			Percentiles: []int{50, 80, 90, 95}, ServiceLevel: 300, Formula: wait.F4,
		},
		dice: rand.New(rand.NewPCG(5, 11)),
	}
}

// places are those of the contract.
var placesAt = [][2]int64{{1, 1}, {2, 2}, {3, 3}, {4, 5}, {6, 10}, {11, 20}, {21, 0}}

// measures are numbers of about n segments that add up.
func (m *maker) measures(n int) (v wait.Measures) {
	part := func(share float64) int64 { return int64(share * float64(n) * (0.7 + 0.6*m.dice.Float64())) }
	v.Abandoned, v.NoShow, v.Cancelled, v.Returned = part(0.07), part(0.05), part(0.01), part(0.04)
	v.Transferred, v.Open, v.Served = part(0.02), part(0.004), part(0.8)
	v.Offered = v.Served + v.Abandoned + v.NoShow + v.Cancelled + v.Returned + v.Transferred + v.Open
	pace := 100 + 6*float64(n) + 300*m.dice.Float64()
	v.Wait = m.stats(v.Offered-v.Abandoned-v.Open, pace)
	v.AbandonedWait, v.Service = m.stats(v.Abandoned, 1.6*pace), m.stats(v.Served, 400)
	v.ServedWithin = int64(float64(v.Served) * (0.3 + 0.6*m.dice.Float64()))
	v.AbandonedWithin = v.Abandoned / 4
	if below := v.Served + v.Abandoned - v.AbandonedWithin; below > 0 {
		level := float64(v.ServedWithin) / float64(below)
		v.ServiceLevel = &level
	}
	v.Calls = wait.Calls{Called: v.Wait.N, Recalled: v.Wait.N / 9, Recalls: v.Wait.N / 7}
	if n > 100 {
		v.Excluded = map[string]int64{"negative_wait": 1}
	}
	if m.request.QueueLength {
		v.QueueLength = wait.QueueLength{Max: int64(n) / 6, WaitingSeconds: int64(pace) * v.Wait.N, ElapsedSeconds: 86400}
	}
	if m.request.DropOff {
		for i, p := range placesAt {
			offered := v.Offered / int64(i+2)
			v.DropOff = append(v.DropOff, wait.Place{From: p[0], To: p[1], Offered: offered, Abandoned: offered * int64(i) / 12})
		}
	}
	return v
}

func (m *maker) stats(n int64, mean float64) wait.Stats {
	if n == 0 {
		return wait.Stats{}
	}
	s := wait.Stats{N: n, Mean: mean, Max: int64(mean * 4), Percentiles: map[int]int64{}}
	for _, p := range m.request.Percentiles {
		s.Percentiles[p] = int64(mean * (0.4 + 2*float64(p*p)/10000*(0.9+0.2*m.dice.Float64())))
	}
	return s
}

// item makes an item of about n segments, and its past.
func (m *maker) item(item wait.Item, n int) wait.Item {
	item.Measures = m.measures(n)
	if m.request.Compare {
		item.Previous = &wait.Period{Measures: m.measures(n * 9 / 10)}
		if !item.Start.IsZero() {
			item.Previous.Start, item.Previous.End = item.Start.AddDate(0, 0, -14), item.End.AddDate(0, 0, -14)
		}
	}
	return item
}

// report makes the items of the groups asked for.
func (m *maker) report() Waits {
	names := map[wait.QueueID]string{
		{Source: "city", Queue: "37338"}: "Passports", {Source: "city", Queue: "37339"}: "Residence permits and identity cards",
	}
	r := Waits{Report: wait.Report{Request: m.request}, Positions: map[string]int64{"city": 184223}, Names: names}
	if m.request.Compare {
		r.PreviousFrom, r.PreviousTo = m.request.From.AddDate(0, 0, -14), m.request.From
	}
	items := []wait.Item{{}}
	for _, key := range m.request.GroupBy {
		var next []wait.Item
		for _, item := range items {
			next = append(next, m.split(item, key)...)
		}
		items = next
	}
	for i, item := range items {
		items[i] = m.item(item, m.visitors(item)/max(1, len(items)/14))
	}
	r.Items = items
	return r
}

// split is an item by one more key.
func (m *maker) split(item wait.Item, key wait.GroupKey) (list []wait.Item) {
	with := func(set func(*wait.Item)) {
		next := item
		set(&next)
		list = append(list, next)
	}
	switch key {
	case wait.BySource:
		with(func(i *wait.Item) { i.Source = "city" })
	case wait.ByLocation:
		with(func(i *wait.Item) { i.Location = "" })
		with(func(i *wait.Item) { i.Location = "City Hall" })
	case wait.ByQueue:
		for _, id := range []string{"37338", "37339", "41000"} {
			with(func(i *wait.Item) { i.Source, i.Queue = "city", id })
		}
	case wait.ByDesk:
		for _, id := range []string{"", "3", "12"} {
			with(func(i *wait.Item) { i.Source, i.Desk = "city", id })
		}
	case wait.ByAgent:
		for _, id := range []string{"", "14267"} {
			with(func(i *wait.Item) { i.Source, i.Agent = "city", id })
		}
	case wait.ByWeekday:
		for n := range 7 {
			with(func(i *wait.Item) { i.Weekday = n + 1 })
		}
	case wait.ByHourOfDay:
		for n := range 24 {
			with(func(i *wait.Item) { i.HourOfDay = n })
		}
	case wait.ByHour, wait.ByDay, wait.ByWeek, wait.ByMonth:
		for _, span := range m.buckets(key) {
			with(func(i *wait.Item) { i.Start, i.End = span[0], span[1] })
		}
	}
	return list
}

// buckets are those that the window touches.
func (m *maker) buckets(key wait.GroupKey) (list [][2]time.Time) {
	t := m.request.From
	if key == wait.ByMonth {
		t = t.AddDate(0, 0, 1-t.Day())
	}
	if key == wait.ByWeek {
		t = t.AddDate(0, 0, -(int(t.Weekday())+6)%7)
	}
	for t.Before(m.request.To) {
		next := map[wait.GroupKey]time.Time{
			wait.ByHour: t.Add(time.Hour), wait.ByDay: t.AddDate(0, 0, 1), wait.ByWeek: t.AddDate(0, 0, 7), wait.ByMonth: t.AddDate(0, 1, 0),
		}[key]
		list = append(list, [2]time.Time{t, next})
		t = next
	}
	return list
}

// visitors is about how many come: nobody on Sundays and at night, most in the late morning.
func (m *maker) visitors(item wait.Item) int {
	n := 150
	if !item.Start.IsZero() && item.End.Sub(item.Start) <= 25*time.Hour {
		n = []int{0, 190, 150, 140, 130, 160, 40}[item.Start.Weekday()]
	}
	if item.Weekday != 0 {
		n = []int{190, 150, 140, 130, 160, 40, 0}[item.Weekday-1]
	}
	hour := -1
	if slices.Contains(m.request.GroupBy, wait.ByHourOfDay) {
		hour = item.HourOfDay
	} else if slices.Contains(m.request.GroupBy, wait.ByHour) {
		hour = item.Start.Hour()
	}
	if hour >= 0 {
		n = n * []int{0, 0, 0, 0, 0, 0, 0, 0, 6, 10, 14, 15, 12, 11, 9, 8, 5, 2, 0, 0, 0, 0, 0, 0}[hour] / 10
	}
	return n
}

func table(t *testing.T, r Waits) string {
	t.Helper()
	var out strings.Builder
	if err := r.WriteTable(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
