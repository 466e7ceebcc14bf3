package render

import (
	"html/template"
	"math"

	"queuetrack/projection/wait"
)

// weekSection shows when people come, and when they wait for long: weekdays and hours of the day.
func (r Waits) weekSection() section {
	w := newWeek(r.Items)
	mean := r.waitColumns()[1]
	s := section{
		ID: "week", Title: "Weekdays and hours",
		Notes: []string{"By the local clock at entry, all weeks of the window together. " + lowMark + ": fewer than 10 waits."},
		Figures: []figure{
			{"Mean wait by weekday and hour of the day", w.heat(mean, weakWait).named("Mean wait")},
			{"Offered by weekday and hour of the day", w.heat(offeredColumn(), nil).named("Offered segments")},
		},
		Tables: []grid{w.table("Mean wait", mean, weakWait), w.table("Offered", offeredColumn(), nil)},
	}
	if r.QueueLength {
		length := lengthColumns()[0]
		s.Figures = append(s.Figures, figure{"Mean queue length by weekday and hour of the day", w.heat(length, nil).named("Mean queue length")})
		s.Tables = append(s.Tables, w.table("Mean queue length", length, nil))
	}
	return s
}

func weakWait(m wait.Measures) bool { return m.Wait.N > 0 && m.Wait.N < LowN }

func (h heat) named(what string) template.HTML {
	return h.svg("heat", what+", a row an hour and a column a weekday; the table below has the numbers")
}

// heat is a column as a grid of shades.
func (w week) heat(c column, weak func(wait.Measures) bool) heat {
	hours := w.hours()
	h := heat{label: c.form.write}
	for day := range 7 {
		h.columns = append(h.columns, weekdayName(day+1))
	}
	for _, hour := range hours {
		h.rows = append(h.rows, hourName(hour))
		row := make([]float64, 7)
		for day := range row {
			row[day] = math.NaN()
			if item := w.cells[hour][day]; item != nil {
				if v, known := c.of(item.Measures); known {
					row[day] = v
				}
			}
		}
		h.values = append(h.values, row)
	}
	if weak != nil {
		h.weak = func(row, column int) bool {
			item := w.cells[hours[row]][column]
			return item != nil && weak(item.Measures)
		}
	}
	return h
}

// table is a column as a table of the same shape.
func (w week) table(caption string, c column, weak func(wait.Measures) bool) grid {
	g := grid{Caption: caption + " by weekday and hour of the day", Head: []gridCell{{Text: "hour", Key: true}}}
	for day := range 7 {
		g.Head = append(g.Head, gridCell{Text: weekdayName(day + 1)})
	}
	for _, hour := range w.hours() {
		row := []gridCell{{Text: hourName(hour), Key: true}}
		for day := range 7 {
			text := absent
			if item := w.cells[hour][day]; item != nil {
				text = c.text(item.Measures)
				if weak != nil && weak(item.Measures) {
					text += lowMark
				}
			}
			row = append(row, gridCell{Text: text})
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}
