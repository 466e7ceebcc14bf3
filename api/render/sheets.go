package render

import (
	"slices"

	"queuetrack/projection/wait"
)

// sheets are the numbers of a report's items, in the order in which people ask for them.
func (r Waits) sheets() []sheet {
	list := []sheet{
		{"Waits", slices.Concat([]column{offeredColumn()}, r.waitColumns(), []column{levelColumn()})},
		{"Outcomes", outcomeColumns()},
		{"Service and calls", slices.Concat(r.serviceColumns(), callColumns())},
	}
	if r.QueueLength {
		list = append(list, sheet{"Queue length", lengthColumns()})
	}
	if r.DropOff && len(r.places()) > 0 {
		list = append(list, sheet{"Gave up, by place at entry", r.dropOffColumns()})
	}
	return list
}

// details are what a terminal leaves to the other formats when there are many items.
func (r Waits) details() []sheet {
	return []sheet{
		{"Service level, " + r.levelName(), levelColumns()},
		{"Waits of those who gave up", slices.Concat(r.abandonedColumns(), r.excludedColumns())},
	}
}

// compared are the columns that tables of many items set beside the period before.
func (r Waits) compared() []column {
	list := []column{offeredColumn(), r.waitColumns()[1]}
	if c := r.barColumn(); c.name != list[1].name {
		list = append(list, c)
	}
	return append(list, levelColumn())
}

// before is what a column was in the period before.
func (c column) before(item wait.Item) string {
	if item.Previous == nil {
		return absent
	}
	return c.text(item.Previous.Measures)
}

// change is how much more it is than in the period before.
func (c column) change(item wait.Item) string {
	now, known := c.of(item.Measures)
	if item.Previous == nil || !known {
		return absent
	}
	before, known := c.of(item.Previous.Measures)
	if !known {
		return absent
	}
	return c.form.difference(now, before)
}

// barColumn is what bars and shades show: how long the unlucky waited.
func (r Waits) barColumn() column {
	list := r.waitColumns()
	chosen := list[1] // the mean
	for i, p := range r.Percentiles {
		if p <= 90 && p > 50 {
			chosen = list[2+i]
		}
	}
	return chosen
}

// longest is the greatest value of a column.
func (r Waits) longest(c column) float64 {
	most := 0.0
	for _, item := range r.Items {
		if v, known := c.of(item.Measures); known {
			most = max(most, v)
		}
	}
	return most
}
