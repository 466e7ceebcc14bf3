package main

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The invariants of metrics.md, on the product's answers alone: they hold whatever an independent count says.

// item is an item of an answer.
type countedItem map[string]any

func (i countedItem) object(name string) countedItem {
	o, _ := i[name].(map[string]any)
	return o
}

func (i countedItem) number(name string) float64 {
	n, _ := i[name].(float64)
	return n
}

// itemsOf are an answer's items.
func itemsOf(answer any) []countedItem {
	var all []countedItem
	for _, item := range answer.(map[string]any)["items"].([]any) {
		all = append(all, item.(map[string]any))
	}
	return all
}

// checkItems checks what holds for every item: outcomes add up, percentiles ascend, each formula follows from the components.
func (w *monthWorld) checkItems(question string, items []countedItem) {
	w.t.Helper()
	for _, item := range items {
		w.checkItem(question, item)
		if before := item.object("previous"); before != nil {
			w.checkItem(question+" (previous)", before)
		}
	}
}

func (w *monthWorld) checkItem(question string, item countedItem) {
	w.t.Helper()
	var sum float64
	for _, outcome := range []string{"served", "abandoned", "no_show", "cancelled", "returned", "transferred", "expired", "merged", "open"} {
		sum += item.number(outcome)
	}
	if sum != item.number("offered") {
		w.t.Errorf("%s %s: outcomes add up to %v of %v offered", question, itemKey(map[string]any(item)), sum, item["offered"])
	}
	for _, name := range []string{"wait", "abandoned_wait", "service"} {
		if stats := item.object(name); !ascend(stats) {
			w.t.Errorf("%s %s: %s doesn't ascend: %v", question, itemKey(map[string]any(item)), name, stats)
		}
	}
	level := item.object("service_level")
	if want := formulaOf(level); level["value"] != want {
		w.t.Errorf("%s %s: the service level is %v, by its own components %v", question, itemKey(map[string]any(item)), level["value"], want)
	}
}

// ascend reports whether the percentiles are in order, and none exceeds the maximum.
func ascend(stats countedItem) bool {
	if stats.number("n") == 0 {
		return true
	}
	last := stats.number("p1_seconds")
	for _, name := range []string{"p25_seconds", "p50_seconds", "p55_seconds", "p80_seconds", "p90_seconds", "p95_seconds", "p99_seconds", "max_seconds"} {
		if value, there := stats[name].(float64); there {
			if value < last {
				return false
			}
			last = value
		}
	}
	return true
}

// formulaOf computes the service level from its components.
func formulaOf(level countedItem) any {
	served, abandoned := level.number("served"), level.number("abandoned")
	within, gone := level.number("served_within"), level.number("abandoned_within")
	part, whole := within, served
	switch level["formula"] {
	case "F1":
		part, whole = within+gone, served+abandoned
	case "F3":
		whole = served + abandoned
	case "F4":
		whole = served + abandoned - gone
	}
	if whole == 0 {
		return nil
	}
	return part / whole
}

// additive are the numbers that add up over any parts of a report: counts, samples, components, time spent waiting.
func additive(item countedItem) map[string]float64 {
	sums := map[string]float64{}
	for _, name := range []string{"offered", "served", "abandoned", "no_show", "cancelled", "returned", "transferred", "expired", "merged", "open"} {
		sums[name] = item.number(name)
	}
	for object, names := range map[string][]string{
		"wait": {"n"}, "abandoned_wait": {"n"}, "service": {"n"}, "service_level": {"served_within", "abandoned_within"},
		"calls": {"called", "recalled", "recalls"}, "queue_length": {"waiting_seconds"},
		"excluded": {"negative_wait", "negative_service", "self_registered"},
	} {
		for _, name := range names {
			sums[object+"."+name] = item.object(object).number(name)
		}
	}
	bins, _ := item["drop_off"].([]any)
	for _, bin := range bins {
		b := countedItem(bin.(map[string]any))
		sums[fmt.Sprintf("drop_off from %v", b["place_from"])] = b.number("offered")
	}
	return sums
}

func total(items []countedItem) map[string]float64 {
	sums := map[string]float64{}
	for _, item := range items {
		for name, n := range additive(item) {
			sums[name] += n
		}
	}
	return sums
}

// checkSums checks that parts make the whole: hours a day, days a month, queues a location, everything the total.
func (w *monthWorld) checkSums() {
	w.t.Helper()
	for _, tz := range countedPlaces {
		asked := map[string][]countedItem{}
		ask := func(by, place string) []countedItem {
			if items, known := asked[by+" at "+place]; known {
				return items
			}
			from, to := w.month.window(tz)
			q := url.Values{"from": {from}, "to": {to}, "tz": {tz}, "include": {"queue_length,drop_off"}}
			if by != "" {
				q.Set("group_by", by)
			}
			if strings.Contains(by, "desk") || strings.Contains(by, "agent") {
				q.Set("include", "drop_off")
			}
			if place != "" {
				q.Set("location", place)
			}
			items := itemsOf(decoded(w.t, w.ask(reportPath, q)))
			asked[by+" at "+place] = items
			return items
		}
		whole := total(ask("", ""))
		for _, by := range countedAlone {
			parts := total(ask(by, ""))
			if by == "desk" || by == "agent" {
				parts["queue_length.waiting_seconds"] = whole["queue_length.waiting_seconds"]
			}
			w.same(tz+": all by "+by, whole, parts)
		}
		hours, days := ask("hour", ""), ask("day", "")
		for _, day := range days {
			inside := slices.DeleteFunc(slices.Clone(hours), func(hour countedItem) bool {
				return !strings.HasPrefix(hour["hour"].(string), day["day"].(string))
			})
			if len(inside) < 23 || len(inside) > 25 {
				w.t.Errorf("%s: %v has %d hours", tz, day["day"], len(inside))
			}
			w.same(tz+": the hours of "+day["day"].(string), additive(day), total(inside))
		}
		for _, place := range ask("location", "") {
			if name := place["location"].(string); name != "" {
				w.same(tz+": the queues of "+name, additive(place), total(ask("queue", name)))
			}
		}
	}
}

func (w *monthWorld) same(what string, whole, parts map[string]float64) {
	w.t.Helper()
	if !maps.Equal(whole, parts) {
		w.t.Errorf("%s: %v, and the parts add up to %v", what, whole, parts)
	}
}

// checkLaw is Little's law: the integral of the queues' lengths is the time that segments waited within the window, which
// the independent count adds up segment by segment.
func (w *monthWorld) checkLaw(count *independent) {
	w.t.Helper()
	for _, window := range w.month.littleWindows() {
		q := url.Values{"from": {window[0]}, "to": {window[1]}, "tz": {"UTC"}, "include": {"queue_length"}}
		length := itemsOf(decoded(w.t, w.ask(reportPath, q)))[0].object("queue_length")
		waited := count.answer("waited", map[string]string{"from": window[0], "to": window[1], "now": w.month.to.Format(time.RFC3339)})
		if length["waiting_seconds"] != waited || length.number("mean") != waited.(float64)/length.number("elapsed_seconds") {
			w.t.Errorf("from %s to %s people waited %v s, the queues' lengths are %v", window[0], window[1], waited, length)
		}
	}
}

// littleWindows are the whole month, windows at the changes of the clocks, and one that goes on after now.
func (m month) littleWindows() [][2]string {
	windows := [][2]string{{m.from.AddDate(0, 0, -7).Format(time.RFC3339), m.to.AddDate(0, 0, 7).Format(time.RFC3339)}}
	for _, change := range m.changes {
		windows = append(windows, [2]string{change.Add(-1000 * time.Second).Format(time.RFC3339), change.Add(2001 * time.Second).Format(time.RFC3339)})
	}
	return append(windows, [2]string{m.to.Add(-3601 * time.Second).Format(time.RFC3339), m.to.Add(time.Second).Format(time.RFC3339)})
}

// checkBoard checks that the live count is the time travel to now, and what the independent count says.
func (w *monthWorld) checkBoard(count *independent) {
	w.t.Helper()
	live := itemsOf(decoded(w.t, w.ask("/v1/queues", nil)))
	then := itemsOf(decoded(w.t, w.ask("/v1/queues", url.Values{"as_of": {w.month.to.Format(time.RFC3339)}})))
	counted := count.answer("waiting", w.month.to.Format(time.RFC3339)).(map[string]any)
	if len(live) != len(then) {
		w.t.Fatalf("%d queues live, %d by time travel", len(live), len(then))
	}
	for i, queue := range live {
		for _, name := range []string{"source", "queue", "waiting", "called", "serving", "on_hold", "booked", "longest_wait_seconds"} {
			if queue[name] != then[i][name] {
				w.t.Errorf("%v %v: live %s is %v, by time travel %v", queue["source"], queue["queue"], name, queue[name], then[i][name])
			}
		}
		waiting, _ := counted[queue["source"].(string)].(map[string]any)[queue["queue"].(string)].(float64)
		if queue["waiting"] != waiting {
			w.t.Errorf("%v %v: %v wait, counted %v", queue["source"], queue["queue"], queue["waiting"], waiting)
		}
	}
}
