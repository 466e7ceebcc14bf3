package main

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

const sabotagedMonth = "autumn"

// sabotages are small wrongs in what the independent count is told.
var sabotages = []struct {
	name, source string
	victim       func(d, before monthDelivery) bool // before is the ticket's last one
	wrong        func(d *monthDelivery)
}{
	{
		"an end is missing", "city",
		func(d, _ monthDelivery) bool { return has(d, `"ticket_served"`) },
		func(d *monthDelivery) { d.body = "{}" },
	},
	{
		"a call is a second late", "store",
		func(d, _ monthDelivery) bool { return has(d, `"positionCalled"`) },
		func(d *monthDelivery) { d.body = shiftInstant(d.body, `"calledAt":"`, time.Second) },
	},
	{
		"a request is in another queue", "crm",
		func(d, _ monthDelivery) bool { return has(d, `"ticket.created"`) && has(d, `"category":2`) },
		func(d *monthDelivery) { d.body = strings.Replace(d.body, `"category":2`, `"category":3`, 1) },
	},
	{
		"a return is received a second late", "city",
		func(d, before monthDelivery) bool { return has(d, `"NEW"`) && has(before, `"CALLED"`) },
		func(d *monthDelivery) { d.at = d.at.Add(time.Second) },
	},
}

func has(d monthDelivery, text string) bool { return strings.Contains(d.body, text) }

// shiftInstant moves the time that comes after a text.
func shiftInstant(body, before string, by time.Duration) string {
	at := strings.Index(body, before) + len(before)
	old := body[at : at+len(millis)]
	t, err := time.Parse(millis, old)
	if err != nil {
		panic(err) // the month's own layout
	}
	return strings.Replace(body, old, t.Add(by).Format(millis), 1)
}

// checkSabotage shows that the comparison can fail: by one wrong delivery among thousands, and by one wrong cell.
func (w *monthWorld) checkSabotage(t *testing.T, all map[string][]monthDelivery, count *independent) {
	from, to := w.month.window("Europe/Tallinn")
	q := url.Values{"from": {from}, "to": {to}, "tz": {"Europe/Tallinn"}, "group_by": {"queue"}, "include": {"queue_length,drop_off"}}
	live := w.ask(reportPath, q)
	for _, s := range sabotages {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			wronged := maps.Clone(all)
			wronged[s.source] = slices.Clone(all[s.source])
			victim := &wronged[s.source][victimOf(t, wronged[s.source], s.victim)]
			s.wrong(victim)
			wrong := startCount(t, w.config, w.month, byReceipt(wronged))
			if len(differences(wrong.report(q, w.month.to), withoutPositions(t, live))) == 0 {
				t.Errorf("nobody notices: %s", victim.body)
			}
		})
	}
	counted := count.report(q, w.month.to)
	for _, cell := range []string{"offered", "wait.p50_seconds", "service.mean_seconds", "service_level.served_within", "calls.recalls", "queue_length.max"} {
		answer := withoutPositions(t, live)
		item := itemsOf(answer)[1]
		if object, name, inner := strings.Cut(cell, "."); inner {
			item[object].(map[string]any)[name] = item.object(object).number(name) + 1
		} else {
			item[cell] = item.number(cell) + 1
		}
		if len(differences(counted, answer)) != 1 {
			t.Errorf("nobody notices that %s is wrong by one", cell)
		}
	}
}

// victimOf is a delivery in the middle of the month that is sent only once.
func victimOf(t *testing.T, sent []monthDelivery, wanted func(d, before monthDelivery) bool) int {
	last, times := map[string]monthDelivery{}, map[string]int{}
	for _, d := range sent {
		times[d.body]++
	}
	for i, d := range sent {
		if i > len(sent)/2 && times[d.body] == 1 && wanted(d, last[d.ticket]) {
			return i
		}
		last[d.ticket] = d
	}
	t.Fatal("the month has no such delivery")
	return 0
}
