package render

import (
	"strconv"

	"queuetrack/projection/wait"
)

// column is a number of each item, as tables for people show it.
type column struct {
	name string
	form form
	of   func(wait.Measures) (v float64, known bool)
	weak func(wait.Measures) bool   // nil: never; else whether it is of few samples
	more func(wait.Measures) string // nil, or what is written behind a number that is known
}

// text is an item's cell.
func (c column) text(m wait.Measures) string {
	v, known := c.of(m)
	if !known {
		return absent
	}
	text := c.form.write(v)
	if c.more != nil {
		text += c.more(m)
	}
	if c.weak != nil && c.weak(m) {
		text += lowMark
	}
	return text
}

// sheet is a table of columns that are read together.
type sheet struct {
	title   string
	columns []column
}

func number(name string, of func(wait.Measures) int64) column {
	return column{name: name, form: formCount, of: func(m wait.Measures) (float64, bool) { return float64(of(m)), true }}
}

// offeredColumn is in every sheet that would be read without the outcomes.
func offeredColumn() column {
	return number("offered", func(m wait.Measures) int64 { return m.Offered })
}

// outcomeColumns are offered and what it is parted into.
func outcomeColumns() (list []column) {
	for i, c := range counts(wait.Item{}) {
		list = append(list, number(spaced(c.name), func(m wait.Measures) int64 { return counts(wait.Item{Measures: m})[i].n }))
	}
	return list
}

// statsColumns are a set of seconds. n is what its number of samples is called.
func (r Waits) statsColumns(n string, of func(wait.Measures) wait.Stats) []column {
	samples := number(n, func(m wait.Measures) int64 { return of(m).N })
	samples.weak = func(m wait.Measures) bool { s := of(m); return s.N > 0 && s.N < LowN }
	list := []column{samples, timed("mean", of, func(s wait.Stats) (float64, bool) { return s.Mean, true })}
	for _, p := range r.Percentiles {
		list = append(list, timed("p"+strconv.Itoa(p), of, func(s wait.Stats) (float64, bool) {
			v, ok := s.Percentiles[p]
			return float64(v), ok
		}))
	}
	return append(list, timed("max", of, func(s wait.Stats) (float64, bool) { return float64(s.Max), true }))
}

// timed is a figure of a set of seconds; none of an empty one.
func timed(name string, set func(wait.Measures) wait.Stats, of func(wait.Stats) (float64, bool)) column {
	return column{name: name, form: formDuration, of: func(m wait.Measures) (float64, bool) {
		s := set(m)
		v, ok := of(s)
		return v, ok && s.N > 0
	}}
}

func (r Waits) waitColumns() []column {
	return r.statsColumns("waits", func(m wait.Measures) wait.Stats { return m.Wait })
}

func (r Waits) serviceColumns() []column {
	return r.statsColumns("services", func(m wait.Measures) wait.Stats { return m.Service })
}

func (r Waits) abandonedColumns() []column {
	return r.statsColumns("gave up", func(m wait.Measures) wait.Stats { return m.AbandonedWait })
}

// levelName says which service level it is.
func (r Waits) levelName() string {
	return string(r.Formula) + " at " + duration(float64(r.ServiceLevel))
}

func levelColumn() column {
	return column{name: "SL", form: formShare, of: func(m wait.Measures) (float64, bool) {
		if m.ServiceLevel == nil {
			return 0, false
		}
		return *m.ServiceLevel, true
	}}
}

// levelColumns are the service level and its components.
func levelColumns() []column {
	return []column{
		levelColumn(),
		number("served", func(m wait.Measures) int64 { return m.Served }),
		number("served within", func(m wait.Measures) int64 { return m.ServedWithin }),
		number("abandoned", func(m wait.Measures) int64 { return m.Abandoned }),
		number("abandoned within", func(m wait.Measures) int64 { return m.AbandonedWithin }),
	}
}

func callColumns() []column {
	return []column{
		number("called", func(m wait.Measures) int64 { return m.Calls.Called }),
		number("recalled", func(m wait.Measures) int64 { return m.Calls.Recalled }),
		number("recalls", func(m wait.Measures) int64 { return m.Calls.Recalls }),
		{name: "recall rate", form: formShare, of: func(m wait.Measures) (float64, bool) { return rate(m.Calls.Recalled, m.Calls.Called) }},
		{name: "return rate", form: formShare, of: func(m wait.Measures) (float64, bool) { return rate(m.Returned, m.Calls.Called) }},
	}
}

func lengthColumns() []column {
	return []column{
		{name: "mean length", form: formDecimal, of: func(m wait.Measures) (float64, bool) { return meanLength(m.QueueLength) }},
		{name: "most at once", form: formCount, of: func(m wait.Measures) (float64, bool) {
			return float64(m.QueueLength.Max), m.QueueLength.ElapsedSeconds > 0
		}},
		{name: "time waited", form: formDuration, of: func(m wait.Measures) (float64, bool) { return float64(m.QueueLength.WaitingSeconds), true }},
	}
}

// dropOffColumns are the rate of each place, and of how many it is.
func (r Waits) dropOffColumns() (list []column) {
	for i, place := range r.places() {
		at := func(m wait.Measures) wait.Place {
			if i < len(m.DropOff) {
				return m.DropOff[i]
			}
			return wait.Place{}
		}
		list = append(list, column{
			name: "at " + placeName(place), form: formShare,
			of:   func(m wait.Measures) (float64, bool) { return rate(at(m).Abandoned, at(m).Offered) },
			more: func(m wait.Measures) string { return " of " + integer(at(m).Offered) },
		})
	}
	return list
}

// places are those of the report's items.
func (r Waits) places() []wait.Place {
	for _, item := range r.Items {
		if len(item.DropOff) > 0 {
			return item.DropOff
		}
	}
	return nil
}

// excludedColumns are only there when something was excluded.
func (r Waits) excludedColumns() (list []column) {
	for _, cause := range exclusions {
		for _, item := range r.Items {
			if item.Excluded[cause] > 0 {
				list = append(list, number(spaced(cause), func(m wait.Measures) int64 { return m.Excluded[cause] }))
				break
			}
		}
	}
	return list
}
