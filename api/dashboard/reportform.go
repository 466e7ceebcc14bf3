package dashboard

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"queuetrack/api"
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
func (q questions) choice(name, label string, groups ...optgroup) field {
	f := q.text(name, label, "")
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
