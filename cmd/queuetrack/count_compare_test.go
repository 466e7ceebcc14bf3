package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// differences compares two decoded answers, cell by cell and to the last digit, and tells where they differ: the item's
// key, the field, the independent count's value and the product's.
func differences(count, product any) []string {
	d := comparison{}
	d.compare("", count, product)
	return d.found
}

// comparison walks through two answers.
type comparison struct {
	item  string // the key of the item that we are in
	found []string
}

func (d *comparison) compare(field string, count, product any) {
	switch c := count.(type) {
	case map[string]any:
		if p, ok := product.(map[string]any); ok {
			d.objects(field, c, p)
			return
		}
	case []any:
		if p, ok := product.([]any); ok {
			d.lists(field, c, p)
			return
		}
	default:
		if count == product { // numbers are doubles on both sides
			return
		}
	}
	d.differ(field, count, product)
}

func (d *comparison) differ(field string, count, product any) {
	d.found = append(d.found, fmt.Sprintf("%s %s: counted %v, reported %v", d.item, field, orNothing(count), orNothing(product)))
}

func orNothing(value any) any {
	if value == nil {
		return "nothing"
	}
	return value
}

func (d *comparison) objects(field string, count, product map[string]any) {
	names := maps.Clone(count)
	maps.Copy(names, product)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		c, counted := count[name]
		p, reported := product[name]
		if inner := strings.TrimPrefix(field+"."+name, "."); counted && reported {
			d.compare(inner, c, p)
		} else {
			d.differ(inner, c, p)
		}
	}
}

// lists compares in order; items are told by their keys.
func (d *comparison) lists(field string, count, product []any) {
	if len(count) != len(product) {
		d.differ("number of "+field, len(count), len(product))
	}
	for i := range min(len(count), len(product)) {
		if field == "items" {
			d.item = itemKey(count[i])
		}
		d.compare(fmt.Sprintf("%s[%d]", field, i), count[i], product[i])
	}
	if field == "items" {
		d.item = ""
	}
}

// itemKey are the values of the keys of an item that the independent count made.
func itemKey(item any) string {
	values := item.(map[string]any)
	var key []string
	for _, name := range []string{"source", "location", "queue", "desk", "agent", "month", "week", "day", "hour", "start", "weekday", "hour_of_day"} {
		if v, ok := values[name]; ok {
			key = append(key, fmt.Sprintf("%s %v", name, v))
		}
	}
	return "[" + strings.Join(key, ", ") + "]"
}
