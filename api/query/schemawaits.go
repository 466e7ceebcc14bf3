package query

import (
	"maps"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/projection/wait"
)

// waitsResponse describes a wait report. Its schema is written out: the names of some keys depend on the request. Each
// number's definition stands beside it.
func waitsResponse() *huma.Response {
	return &huma.Response{
		Description: "The report.",
		Content: map[string]*huma.MediaType{
			"application/json": {Schema: waitsSchema()},
			"text/csv": {Schema: &huma.Schema{Type: huma.TypeString, Description: "RFC 4180, with a header: a row an item, a column a field of the JSON (wait_p90_seconds, " +
				"drop_off_4_to_5_rate, previous_offered). A text that a spreadsheet would run as a formula has a ' before it."}},
		},
	}
}

func waitsSchema() *huma.Schema {
	s := record([]property{
		{"from", instantSchema("Beginning of the window, with the zone's offset.")},
		{"to", instantSchema("End of the window, itself outside.")},
		{"tz", described(huma.TypeString, "Zone of the buckets.")},
		{"group_by", &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}, Description: "As asked."}},
		{"attributed_by", &huma.Schema{Type: huma.TypeString, Enum: []any{"arrival", "call", "end"}, Description: "What placed a segment in the window: entry to the queue, first call, or leaving the queue."}},
		{"items", &huma.Schema{Type: huma.TypeArray, Items: waitItemSchema(), Description: "In the order of their keys, the first one of group_by first."}},
		{"positions", countsSchema("How far each source's log was folded.")},
	})
	s.Properties["previous"] = record([]property{
		{"from", instantSchema("Beginning of the window before.")},
		{"to", instantSchema("Its end: the report's beginning.")},
	})
	s.Properties["previous"].Description = "With compare=previous: the window right before, of as many local days where both ends are local midnights, else of the same duration."
	return s
}

// waitItemSchema describes one group. Its keys are there as far as it is grouped by them.
func waitItemSchema() *huma.Schema {
	item := measuresSchema()
	previous := measuresSchema()
	previous.Description = "With compare=previous: the same of the window before. There an hour, day, week or month is the one that lies so many days (or so long) before this one's beginning " +
		"(or the window's, if that is later), cut to that window; of other keys the same one. All 0 where nobody was."
	previous.Properties["start"] = instantSchema("Beginning of the counterpart.")
	previous.Properties["end"] = instantSchema("End of the counterpart, itself outside.")
	maps.Copy(item.Properties, map[string]*huma.Schema{
		"source":      described(huma.TypeString, "With group_by source, or queues, desks or agents of several sources."),
		"location":    described(huma.TypeString, "With group_by location: its name; empty: nobody says where the queue is."),
		"queue":       described(huma.TypeString, "With group_by queue: the vendor's id."),
		"name":        described(huma.TypeString, "With group_by queue: what it is called, in the configuration, else by the vendor, else its id."),
		"desk":        described(huma.TypeString, "With group_by desk: the last one told of the segment; empty: never called, or none was told."),
		"agent":       described(huma.TypeString, "With group_by agent: the last one told of the segment; empty: never called, or none was told."),
		"hour":        described(huma.TypeString, "With group_by hour: its local start, 2026-11-20T09:00. Where clocks go back, an hour comes twice, with two starts."),
		"day":         described(huma.TypeString, "With group_by day: 2026-11-20; of 23, 24 or 25 hours."),
		"week":        described(huma.TypeString, "With group_by week: 2026-W47, by ISO 8601 (from Monday; a year's first week has its first Thursday)."),
		"month":       described(huma.TypeString, "With group_by month: 2026-11."),
		"weekday":     whole("With group_by weekday: 1 to 7 from Monday, by the local date."),
		"hour_of_day": whole("With group_by hour_of_day: 0 to 23, by the local clock; an hour that comes twice is in it twice."),
		"start":       instantSchema("With hour, day, week or month: its beginning, also if the window begins later. Of two of them, what they have in common."),
		"end":         instantSchema("With hour, day, week or month: its end, itself outside."),
		"previous":    previous,
	})
	return item
}

// outcomes are the numbers of segments, and what each of them means.
var outcomes = []property{
	{"offered", whole("Segments that were placed in the window: by arrival, those that entered the queue in it. The sum of the outcomes below.")},
	{"served", whole("Called and done.")},
	{"abandoned", whole("Left without a call: given up by the visitor, or removed by staff.")},
	{"no_show", whole("Called, never came.")},
	{"cancelled", whole("Given up or removed after a call.")},
	{"returned", whole("Called, then sent back to wait; the stay after that is a segment of its own.")},
	{"transferred", whole("Moved to another queue; the stay there is a segment of its own.")},
	{"expired", whole("Ended by queuetrack: no webhook for too long, or closed by an operator.")},
	{"merged", whole("Joined to another ticket.")},
	{"open", whole("Not ended yet.")},
}

// measuresSchema describes what is told of a group in one window.
func measuresSchema() *huma.Schema {
	item := record(append(slices.Clone(outcomes),
		property{"wait", statsSchema("Time from entering the queue to the first call, less times on hold before it, of segments whose wait ended with a call (that is n). Entering: created, a booking's activation, a return, a transfer, a reopening; a re-call adds nothing.")},
		property{"abandoned_wait", statsSchema("The same, up to leaving, of abandoned segments.")},
		property{"service", statsSchema("Time from the arrival at the desk (from the call, where the vendor tells no arrival) to the end, less times on hold; served segments only.")},
		property{"service_level", serviceLevelSchema()},
		property{"calls", callsSchema()},
		property{"excluded", countsSchema("Segments that are counted above and left out of figures, by cause; only those above 0. negative_wait (a vendor's clock) leaves waits and served_within; negative_service leaves services; self_registered (owned from the start) leaves both.")},
	))
	item.Properties["queue_length"] = queueLengthSchema()
	item.Properties["drop_off"] = dropOffSchema()
	return item
}

// whole describes a whole number.
func whole(description string) *huma.Schema {
	s := integerSchema()
	s.Description = description
	return s
}

func statsSchema(description string) *huma.Schema {
	s := record([]property{
		{"n", whole("How many times were counted.")},
		{"mean_seconds", maybe(huma.TypeNumber)},
		{"max_seconds", maybe(huma.TypeInteger)},
	})
	s.Properties["mean_seconds"].Description = "Their sum divided by n; null when n is 0."
	s.Properties["max_seconds"].Description = "The longest one; null when n is 0."
	s.Description = description + " All null when n is 0. For each percentile asked for there is a key like p90_seconds."
	for _, key := range []string{"p50_seconds", "p80_seconds", "p90_seconds", "p95_seconds"} {
		s.Properties[key] = maybe(huma.TypeInteger)
		s.Properties[key].Description = "The smallest of them that at least so many per cent do not exceed (nearest rank); null when n is 0."
	}
	s.Properties["low_n"] = described(huma.TypeBoolean, "True: fewer than 10 samples, so that percentiles say little.")
	return s
}

func serviceLevelSchema() *huma.Schema {
	s := record([]property{
		{"threshold_seconds", whole("X, as asked.")},
		{"formula", &huma.Schema{Type: huma.TypeString, Enum: []any{"F1", "F2", "F3", "F4"}, Description: "As asked."}},
		{"value", maybe(huma.TypeNumber)},
		{"served_within", whole("Served segments whose wait was at most X.")},
		{"served", whole("All served segments.")},
		{"abandoned_within", whole("Abandoned segments that left after X at most.")},
		{"abandoned", whole("All abandoned segments.")},
	})
	s.Properties["value"].Description = "F1 (served_within + abandoned_within)/(served + abandoned), F2 served_within/served, F3 served_within/(served + abandoned), F4 served_within/(served + abandoned − abandoned_within); null when there is nothing to divide by."
	s.Description = "With the components that every formula can be computed from; value is null when there is nothing to divide by."
	return s
}

func callsSchema() *huma.Schema {
	s := record([]property{
		{"called", whole("Segments that were called at least once.")},
		{"recalled", whole("Those of them that were called again at least once, before they ended.")},
		{"recalls", whole("Calls after the first one of their segment.")},
		{"recall_rate", maybe(huma.TypeNumber)},
		{"return_rate", maybe(huma.TypeNumber)},
	})
	s.Properties["recall_rate"].Description = "recalled/called; null when called is 0."
	s.Properties["return_rate"].Description = "returned/called; null when called is 0."
	s.Description = "What calls came to."
	return s
}

func queueLengthSchema() *huma.Schema {
	s := record([]property{
		{"mean", maybe(huma.TypeNumber)},
		{"max", whole("The greatest number that waited at the same time, in all of the item's queues together.")},
		{"waiting_seconds", whole("All the time that was waited within the item: the integral of the length.")},
		{"elapsed_seconds", whole("How much of the item's time lies in the window and has passed.")},
	})
	s.Properties["mean"].Description = "waiting_seconds/elapsed_seconds; null when nothing has passed."
	s.Description = "With include=queue_length: how many waited at a time. A segment waits from entering to its first call (or leaving without one), times on hold left out, whenever it came and whatever it is attributed by."
	return s
}

func dropOffSchema() *huma.Schema {
	s := record([]property{
		{"place_from", whole("First place of the class; 1 is next to be called.")},
		{"place_to", maybe(huma.TypeInteger)},
		{"offered", whole("Segments that entered at such a place.")},
		{"abandoned", whole("Those of them that left without a call.")},
		{"rate", maybe(huma.TypeNumber)},
	})
	s.Properties["place_to"].Description = "Last place of the class; null: it has no end."
	s.Properties["rate"].Description = "abandoned/offered; null when offered is 0."
	return &huma.Schema{Type: huma.TypeArray, Items: s, Description: "With include=drop_off: how many gave up, by their place at entry, which is 1 and those who waited in the same queue at that second: " +
		"who had entered before, or in the same second with a lesser ticket id. Places " + placesText() + "."}
}

func placesText() string {
	text := ""
	for i, place := range wait.Places {
		if i > 0 {
			text += ", "
		}
		switch text += decimal(place.From); place.To {
		case place.From:
		case 0:
			text += " and up"
		default:
			text += "–" + decimal(place.To)
		}
	}
	return text
}
