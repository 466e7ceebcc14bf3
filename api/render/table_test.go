package render

import (
	"strings"
	"testing"

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
