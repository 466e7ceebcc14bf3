package main

import (
	"net/url"
	"strings"
	"time"
)

// documented are the words of the vendors' events and states that the months must have: what isn't there isn't checked.
var documented = []string{
	`"ticket_created"`, `"ticket_called"`, `"ticket_recalled"`, `"ticket_served"`, `"ticket_cancelled"`, `"ticket_changed"`,
	`"line_changed"`, `"location_created"`, `"location_changed"`,
	`"NEW"`, `"CALLED"`, `"SERVED"`, `"NOSHOW"`, `"CANCELLED_BY_CLERK"`, `"CANCELLED"`,
	`"SCHEDULED"`, `"SCHEDULING_CANCELLED"`, `"SCHEDULING_CANCELLED_BY_VISITOR"`, `"SCHEDULING_NOSHOW"`, `"orderAfter"`,

	`"positionCreated"`, `"bookingConfirmation"`, `"bookingActivated"`, `"bookingUpdated"`, `"bookingRemoved"`, `"positionRemoved"`,
	`"positionRetry"`, `"positionCalled"`, `"positionFulfilled"`, `"positionCancelled"`, `"positionCancelledByStaff"`,
	`"notifiedToApproach"`, `"remindedAboutBooking"`, `"anonymous"`, `"manual"`, `"booking"`,

	`"ticket.created"`, `"ticket.changed"`, `"test"`, `"webhook.errors"`,
	`"status":1`, `"status":2`, `"status":3`, `"status":4`, `"status":5`, `"replied_at"`, `"first_read_by_owner"`, `"owned_by":null`,
}

// withServingTab are those that only a store with a serving tab has.
var withServingTab = []string{`"positionCompleted"`, `"feedbackReceived"`, `"completed"`}

// checkVariety holds the month against what it promises: every documented event, every outcome and exclusion, somebody in
// the hours that clocks skip or show twice.
func (w *monthWorld) checkVariety(all map[string][]monthDelivery) {
	w.t.Helper()
	seen := map[string]bool{}
	words := documented
	if w.month.servingTab {
		words = append(words[:len(words):len(words)], withServingTab...)
	}
	for _, d := range byReceipt(all) {
		for _, word := range words {
			seen[word] = seen[word] || strings.Contains(d.body, word)
		}
	}
	for _, word := range words {
		if !seen[word] {
			w.t.Errorf("the month has no %s", word)
		}
	}
	from, to := w.month.window("UTC")
	whole := itemsOf(decoded(w.t, w.ask(reportPath, url.Values{"from": {from}, "to": {to}, "tz": {"UTC"}, "include": {"queue_length"}})))
	for name, n := range additive(whole[0]) {
		if n == 0 {
			w.t.Errorf("the month has no %s", name)
		}
	}
	w.checkChanges()
}

// checkChanges checks that somebody came in the last hour before each change of a zone's clocks and in the first one after,
// and that the day has 23 or 25 hours.
func (w *monthWorld) checkChanges() {
	w.t.Helper()
	for i, tz := range []string{"America/New_York", "Europe/Tallinn"} { // in spring; in autumn Europe comes first
		change := w.month.changes[i]
		if w.month.name == "autumn" {
			change = w.month.changes[1-i]
		}
		zone, err := time.LoadLocation(tz)
		w.must(err)
		day := change.In(zone)
		q := url.Values{"from": {day.Format(time.DateOnly)}, "to": {day.AddDate(0, 0, 1).Format(time.DateOnly)}, "tz": {tz}, "group_by": {"hour"}}
		hours := itemsOf(decoded(w.t, w.ask(reportPath, q)))
		if len(hours) == 24 {
			w.t.Errorf("%s: %s has 24 hours", tz, day.Format(time.DateOnly))
		}
		for _, start := range []time.Time{change.Add(-time.Hour), change} {
			came := 0.0
			for _, hour := range hours {
				if hour["start"] == start.In(zone).Format(time.RFC3339) {
					came = hour.number("offered")
				}
			}
			if came == 0 {
				w.t.Errorf("%s: nobody came at %s", tz, start.In(zone).Format(time.RFC3339))
			}
		}
	}
}
