package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The dimensions, and pairs of them that people ask for.
var (
	countedAlone = []string{"source", "location", "queue", "desk", "agent", "hour", "day", "week", "month", "weekday", "hour_of_day"}
	countedPairs = []string{
		"queue,day", "weekday,hour_of_day", "location,week", "desk,day", "agent,hour_of_day", "source,month",
		"day,hour_of_day", "queue,weekday", "source,hour", "month,queue", "desk,agent", "location,hour_of_day",
	}
)

// countedPlaces are where people read reports: every month has a change of the clocks in both.
var countedPlaces = []string{"Europe/Tallinn", "America/New_York"}

// questions are all reports that both must agree on: every grouping by every attribution in both zones; formulas,
// thresholds, percentiles and filters take turns.
func (m month) questions() []url.Values {
	var all []url.Values
	for _, tz := range countedPlaces {
		for _, by := range append([]string{""}, slices.Concat(countedAlone, countedPairs)...) {
			for _, at := range []string{"arrival", "call", "end"} {
				if tz != countedPlaces[0] && at != "call" && !byTime(by) { // the zone only moves the window
					continue
				}
				all = append(all, m.question(len(all), tz, by, at))
			}
		}
	}
	return append(all, m.oddities()...)
}

func byTime(groups string) bool {
	return slices.ContainsFunc(strings.Split(groups, ","), func(group string) bool {
		return slices.Contains([]string{"hour", "day", "week", "month", "weekday", "hour_of_day"}, group)
	})
}

// question is the n-th one.
func (m month) question(n int, tz, by, at string) url.Values {
	from, to := m.window(tz)
	q := url.Values{"from": {from}, "to": {to}, "tz": {tz}, "attributed_by": {at}}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("group_by", by)
	set("formula", []string{"F1", "F2", "F3", "F4", ""}[n%5])
	set("service_level", []string{"", "60", "600", "0"}[n%4])
	set("percentiles", []string{"50,80,90,95", "50,80,90", "1,25,55,99"}[n%3])
	switch n % 7 {
	case 1:
		set("source", []string{"city", "store", "crm"}[n%3])
	case 3:
		set("location", []string{"City Hall", "Annex", "Main Street"}[n%3])
	case 5:
		set("queue", []string{"37338", "2", "c179a3a2-9fd7-4e12-96e7-19d9e957e094"}[n%3])
	}
	switch {
	case slices.Contains(strings.Split(by, ","), "hour"), by == "day,hour_of_day": // many items: something of all for each
		set("include", map[string]string{"arrival": "queue_length", "call": "drop_off"}[at])
		set("compare", map[string]string{"end": "previous"}[at])
		return q
	case strings.Contains(by, "desk"), strings.Contains(by, "agent"): // who waits has no desk yet
		set("include", "drop_off")
	default:
		set("include", "queue_length,drop_off")
	}
	if n%2 == 0 {
		set("compare", "previous")
	}
	return q
}

// window is that of most questions: local dates, with some arrivals on both sides, and the last day not over yet.
func (m month) window(tz string) (from, to string) {
	if tz == "America/New_York" && m.name == "spring" {
		return "2026-03-07", "2026-04-05"
	}
	return m.from.AddDate(0, 0, 2).Format(time.DateOnly), m.to.AddDate(0, 0, 1).Format(time.DateOnly)
}

// oddities are windows that begin and end anywhere, and are answered by defaults.
func (m month) oddities() []url.Values {
	change := m.changes[1].Add(-5 * time.Hour)
	instant := func(after time.Duration) string { return change.Add(after).Format(time.RFC3339) }
	var all []url.Values
	for _, by := range []string{"", "hour", "hour_of_day", "queue,hour", "day,week", "hour,weekday"} {
		all = append(all,
			url.Values{"from": {instant(17*time.Minute + 3*time.Second)}, "to": {instant(11*time.Hour + 59*time.Second)}, "tz": {"Europe/Tallinn"}, "group_by": {by}, "include": {"queue_length,drop_off"}, "compare": {"previous"}},
			url.Values{"from": {m.changes[0].Format(time.DateOnly)}, "to": {instant(30 * time.Minute)}, "tz": {"Asia/Kolkata"}, "group_by": {by}, "source": {"city"}, "include": {"queue_length"}},
			url.Values{"source": {"store"}, "group_by": {by}, "compare": {"previous"}, "include": {"queue_length"}}, // the last 7 local days
		)
	}
	for _, q := range all {
		if q.Get("group_by") == "" {
			q.Del("group_by")
		}
	}
	return all
}

func describeQuestion(q url.Values) string {
	text, err := url.QueryUnescape(q.Encode())
	if err != nil {
		return fmt.Sprint(q)
	}
	return text
}
