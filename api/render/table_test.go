package render

import (
	"strings"
	"testing"
	"time"

	"queuetrack/projection/wait"
)

func TestTables(t *testing.T) {
	t.Parallel()
	for name, groups := range map[string][]wait.GroupKey{
		"total":            nil,
		"queue":            {wait.ByQueue},
		"location_month":   {wait.ByLocation, wait.ByMonth},
		"queue_day":        {wait.ByQueue, wait.ByDay},
		"day":              {wait.ByDay},
		"week":             {wait.ByWeek},
		"desk_hour_of_day": {wait.ByDesk, wait.ByHourOfDay},
		"weekday_hour":     {wait.ByWeekday, wait.ByHourOfDay},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, "table_"+name+".txt", table(t, newMaker(t, groups...).report()))
		})
	}
}

func TestTableOfEverything(t *testing.T) {
	t.Parallel()
	m := newMaker(t, wait.ByQueue)
	m.request.QueueLength, m.request.DropOff, m.request.Compare = true, true, true
	golden(t, "table_everything.txt", table(t, m.report()))
	m.request.GroupBy = nil
	golden(t, "table_everything_total.txt", table(t, m.report()))
}

func TestEmptyTable(t *testing.T) {
	t.Parallel()
	if got := table(t, Waits{Report: wait.Report{Request: newMaker(t).request}}); !strings.Contains(got, "Nothing in this window.") {
		t.Errorf("got %q", got)
	}
}

func TestTheHourThatComesTwiceTellsWhich(t *testing.T) {
	t.Parallel()
	zone := newMaker(t).request.Zone
	first := time.Date(2026, 10, 24, 23, 0, 0, 0, time.UTC)
	for i, want := range []string{"2026-10-25 02:00", "2026-10-25 03:00 +03:00", "2026-10-25 03:00 +02:00", "2026-10-25 04:00"} {
		if got := hourText(first.Add(time.Duration(i) * time.Hour).In(zone)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestTableOfHostileTexts(t *testing.T) {
	t.Parallel()
	m := newMaker(t, wait.ByQueue, wait.ByDesk)
	r := m.report()
	r.Items = r.Items[:3]
	r.Items[0].Queue = "A\x1b[31m\u202eB"
	r.Items[1].Queue = strings.Repeat("very long ", 30)
	r.Items[2].Queue, r.Items[2].Desk = "窓口", "e\u0301"
	golden(t, "table_hostile.txt", table(t, r))
}

// No line is wider than a terminal, whatever the keys, and ten thousand items are written in no time worth speaking of.
func TestTablesFitATerminal(t *testing.T) {
	t.Parallel()
	m := newMaker(t, wait.ByQueue, wait.ByDay)
	m.request.QueueLength, m.request.DropOff, m.request.Compare = true, true, true
	m.request.Percentiles = []int{1, 10, 20, 30, 40, 50, 60, 70, 80, 99}
	r := m.report()
	for len(r.Items) < wait.MaxItems {
		r.Items = append(r.Items, r.Items...)
	}
	for i, line := range strings.Split(table(t, r), "\n") {
		if wide(line) > tableWidth {
			t.Fatalf("line %d is %d wide: %s", i, wide(line), line)
		}
	}
}
