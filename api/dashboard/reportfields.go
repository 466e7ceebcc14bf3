package dashboard

import (
	"slices"
	"strings"

	"queuetrack/api/render"
)

// waitFields are the parameters of GET /v1/reports/waits.
func waitFields(q questions) (plain, more []field) {
	plain = slices.Concat([]field{q.source(), q.queue()}, q.window(), q.groupBy())
	return plain, []field{
		q.location(), q.tz(),
		q.choice("attributed_by", "Attributed by", optgroup{Options: []option{
			{Label: "arrival (default)"}, {Value: "arrival", Label: "arrival"}, {Value: "call", Label: "the first call"}, {Value: "end", Label: "the end"},
		}}),
		q.text("percentiles", "Percentiles", "Joined by commas. Empty: 50,80,90,95."),
		q.number("service_level", "Service level at", "In seconds. Empty: 300."),
		q.formula(),
		q.checks("compare", "Compare", option{Value: "previous", Label: "with the period before"}),
		q.checks("include", "Include", option{Value: "queue_length", Label: "queue lengths"}, option{Value: "drop_off", Label: "who gave up, by place"}),
	}
}

// estimateFields are the parameters of GET /v1/reports/estimates/backtest.
func estimateFields(q questions) (plain, more []field) {
	return slices.Concat([]field{q.source(), q.queue()}, q.window(), []field{q.tz()}), nil
}

// source offers the sources; all of them together only have days where one zone is given.
func (q questions) source() field {
	all := "all"
	if len(q.there.zones()) > 1 {
		all = "all (needs a time zone)"
	}
	options := []option{{Label: all}}
	for _, s := range q.there.sources {
		options = append(options, option{Value: s.Source, Label: s.Source})
	}
	return q.choice("source", "Source", optgroup{Options: options})
}

// queue offers the queues under their names, source by source.
func (q questions) queue() field {
	groups := []optgroup{{Options: []option{{Label: "all"}}}}
	for _, s := range q.there.sources {
		g := optgroup{Name: s.Source}
		for _, state := range q.there.queues {
			if state.Source == s.Source && state.Queue != "" {
				g.Options = append(g.Options, option{Value: state.Queue, Label: cut(state.Name)})
			}
		}
		if len(g.Options) > 0 {
			groups = append(groups, g)
		}
	}
	return q.choice("queue", "Queue", groups...)
}

func (q questions) location() field {
	var names []string
	for _, state := range q.there.queues {
		if place := state.place(); place != "" {
			names = append(names, place)
		}
	}
	slices.Sort(names)
	options := []option{{Label: "all"}}
	for _, name := range slices.Compact(names) {
		options = append(options, option{Value: name, Label: cut(name)})
	}
	return q.choice("location", "Location", optgroup{Options: options})
}

func (q questions) window() []field {
	return []field{
		q.date("from", "From", ""),
		q.date("to", "To, not included", ""),
	}
}

func (q questions) tz() field {
	f := q.text("tz", "Time zone", "As Europe/Tallinn. Empty: the source's.")
	f.Suggested = q.there.zones()
	if !slices.Contains(f.Suggested, "UTC") {
		f.Suggested = append(f.Suggested, "UTC")
	}
	return f
}

// groupBy is two fields: REST has them joined.
func (q questions) groupBy() []field {
	var options []option
	for _, key := range []string{"source", "location", "queue", "desk", "agent", "hour", "day", "week", "month", "weekday", "hour_of_day"} {
		options = append(options, option{Value: key, Label: spaced(key)})
	}
	first := q.text("group_by", "Group by", "")
	second := first
	second.Label, second.Second, second.Mistakes = "and by", true, nil
	one, two, both := strings.Cut(first.Value(), ",")
	if first.Values = nil; one != "" {
		first.Values = []string{one}
	}
	if second.Values = nil; both {
		second.Values = []string{two}
	}
	fields := []field{first, second}
	for i := range fields {
		fields[i].Kind = "select"
		fields[i] = fields[i].offer([]optgroup{{Options: append([]option{{Label: "nothing"}}, slices.Clone(options)...)}})
	}
	return fields
}

// formula offers the formulas with what they are, in the words of the definitions.
func (q questions) formula() field {
	options := []option{{Label: "F4 (default)"}}
	for _, chapter := range render.WaitsExplained() {
		for _, term := range chapter.Terms {
			if len(term.Name) == 2 && term.Name[0] == 'F' {
				options = append(options, option{Value: term.Name, Label: term.Name + " = " + term.Text})
			}
		}
	}
	return q.choice("formula", "Formula of the service level", optgroup{Options: options})
}
