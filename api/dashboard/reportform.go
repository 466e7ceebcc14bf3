package dashboard

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"queuetrack/api"
	"queuetrack/api/render"
)

// field is a question of a form, for one parameter of REST.
type field struct {
	Name, Label string
	Kind        string // text, date, number (as a text: what was typed is kept), select or checks
	Second      bool   // of two fields with this name
	Values      []string
	Hint        string     // what holds when nothing is given, or how it is written
	Groups      []optgroup // of a select, or checks
	Suggested   []string   // beside a text
	Mistakes    []string
}

// optgroup are options that belong together.
type optgroup struct {
	Name    string // empty: of all
	Options []option
}

// option is a value that can be chosen.
type option struct {
	Value, Label string
	Chosen       bool
}

// ID is the element's.
func (f field) ID() string {
	if f.Second {
		return "field-" + f.Name + "-2"
	}
	return "field-" + f.Name
}

// Value is what was given.
func (f field) Value() string { return strings.Join(f.Values, ",") }

// Described are the ids of what is said of it.
func (f field) Described() string {
	var ids []string
	if len(f.Mistakes) > 0 {
		ids = append(ids, f.ID()+"-mistake")
	}
	if f.Hint != "" {
		ids = append(ids, f.ID()+"-hint")
	}
	return strings.Join(ids, " ")
}

// answered reports whether there is anything to see in it.
func (f field) answered() bool { return f.Value() != "" || len(f.Mistakes) > 0 }

// questions make the fields of a form.
type questions struct {
	asked   url.Values
	there   choices
	problem *api.Problem
}

// text is a field to write into.
func (q questions) text(name, label, hint string) field {
	f := field{Name: name, Label: label, Kind: "text", Hint: hint, Values: q.asked[name][:min(1, len(q.asked[name]))]}
	if q.problem != nil {
		for _, e := range q.problem.Errors {
			if e.Pointer == "/query/"+name {
				f.Mistakes = append(f.Mistakes, e.Detail)
			}
		}
	}
	return f
}

// number is a field for numbers.
func (q questions) number(name, label, hint string) field {
	f := q.text(name, label, hint)
	f.Kind = "number"
	return f
}

// date is a field for a day. What is no day was typed into the address, and is kept as a text.
func (q questions) date(name, label, hint string) field {
	f := q.text(name, label, hint)
	if _, err := time.Parse(time.DateOnly, f.Value()); err == nil || f.Value() == "" {
		f.Kind = "date"
	}
	return f
}

// choice is a field with options. What was asked for and isn't among them becomes one.
func (q questions) choice(name, label, hint string, groups ...optgroup) field {
	f := q.text(name, label, hint)
	f.Kind = "select"
	return f.offer(groups)
}

// checks are options of which any number holds; REST has them joined.
func (q questions) checks(name, label string, options ...option) field {
	f := q.text(name, label, "")
	f.Kind = "checks"
	if f.Value() != "" {
		f.Values = strings.Split(f.Value(), ",")
	}
	return f.offer([]optgroup{{Options: options}})
}

// offer sets the options, and marks those that were chosen: each value once, for queues of two sources may share an id.
func (f field) offer(groups []optgroup) field {
	left := slices.Clone(f.Values)
	for _, g := range groups {
		for i := range g.Options {
			if at := slices.Index(left, g.Options[i].Value); at >= 0 {
				g.Options[i].Chosen, left = true, slices.Delete(left, at, at+1)
			}
		}
	}
	for _, value := range left {
		groups = append(groups, optgroup{Options: []option{{Value: value, Label: cut(value), Chosen: true}}})
	}
	f.Groups = groups
	return f
}

// cut is as much of a text as a form shows of an option.
func cut(s string) string {
	const most = 60
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

func (q questions) source() field {
	all := "all"
	if len(q.there.zones()) > 1 {
		all = "all (needs a time zone)"
	}
	options := []option{{Label: all}}
	for _, s := range q.there.sources {
		options = append(options, option{Value: s.Source, Label: s.Source})
	}
	return q.choice("source", "Source", "", optgroup{Options: options})
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
	return q.choice("queue", "Queue", "", groups...)
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
	return q.choice("location", "Location", "", optgroup{Options: options})
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
	options := []option{{Label: "F4, the default"}}
	for _, chapter := range render.WaitsExplained() {
		for _, term := range chapter.Terms {
			if len(term.Name) == 2 && term.Name[0] == 'F' {
				options = append(options, option{Value: term.Name, Label: term.Name + " = " + term.Text})
			}
		}
	}
	return q.choice("formula", "Formula of the service level", "", optgroup{Options: options})
}

// waitFields are the parameters of GET /v1/reports/waits.
func waitFields(q questions) (plain, more []field) {
	plain = slices.Concat([]field{q.source(), q.queue()}, q.window(), q.groupBy())
	return plain, []field{
		q.location(), q.tz(),
		q.choice("attributed_by", "Attributed by", "", optgroup{Options: []option{
			{Label: "arrival, the default"}, {Value: "arrival", Label: "arrival"}, {Value: "call", Label: "the first call"}, {Value: "end", Label: "the end"},
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
