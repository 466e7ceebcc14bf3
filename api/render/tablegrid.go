package render

import (
	"slices"
	"strings"

	"queuetrack/projection/wait"
)

// isGrid reports whether the report is by weekday and hour of the day.
func (r Waits) isGrid() bool {
	return len(r.GroupBy) == 2 && slices.Contains(r.GroupBy, wait.ByWeekday) && slices.Contains(r.GroupBy, wait.ByHourOfDay)
}

// week is a report by weekday and hour of the day as a grid: a row an hour, a column a weekday.
type week struct {
	first, last int               // hours in which anything was offered or waited
	cells       [24][7]*wait.Item // nil: the window doesn't touch it
}

func newWeek(items []wait.Item) week {
	w := week{first: 24, last: -1}
	for i := range items {
		item := &items[i]
		w.cells[item.HourOfDay][item.Weekday-1] = item
		if item.Offered > 0 || item.QueueLength.WaitingSeconds > 0 {
			w.first, w.last = min(w.first, item.HourOfDay), max(w.last, item.HourOfDay)
		}
	}
	return w
}

// hours are the rows that have anything.
func (w week) hours() (list []int) {
	for h := w.first; h <= w.last; h++ {
		list = append(list, h)
	}
	return list
}

// gridColumns are what is shown as a grid.
func (r Waits) gridColumns() []column {
	mean := r.waitColumns()[1]
	mean.name = "mean wait"
	list := []column{mean}
	if c := r.barColumn(); c.name != "mean" {
		c.name += " of the wait"
		list = append(list, c)
	}
	list = append(list, offeredColumn(), levelColumn())
	if r.QueueLength {
		list = append(list, lengthColumns()[0])
	}
	return list
}

// writeGrids writes a grid for each of the most wanted numbers.
func (r Waits) writeGrids(out *strings.Builder) {
	w := newWeek(r.Items)
	if w.last < 0 {
		out.WriteString("Nothing in this window.\n")
		return
	}
	for i, c := range r.gridColumns() {
		if i > 0 {
			out.WriteByte('\n')
		}
		out.WriteString(c.name + "\n")
		align(out, w.grid(c, r.longest(c)), 1)
	}
	out.WriteString("\nEvery number: --format csv, json or html\n")
}

// grid is a column of hours, then one of each weekday, each number behind its shade.
func (w week) grid(c column, most float64) [][]string {
	hours := []string{""}
	for _, h := range w.hours() {
		hours = append(hours, hourName(h))
	}
	list := [][]string{hours}
	for day := range 7 {
		texts := []string{weekdayName(day + 1)}
		marks := []string{""}
		for _, h := range w.hours() {
			text, mark := "", shades[0]
			if item := w.cells[h][day]; item != nil {
				text = c.text(item.Measures)
				if v, known := c.of(item.Measures); known && v > 0 {
					mark = shades[1+shade(v, most, len(shades)-1)]
				}
				if s := item.Wait; c.form == formDuration && s.N > 0 && s.N < LowN {
					text += lowMark
				}
			}
			texts, marks = append(texts, text), append(marks, mark)
		}
		list = append(list, beside(marks, marked(texts)))
	}
	return list
}

// beside puts the cells of two columns together, the second ones to the right.
func beside(left, right []string) []string {
	width := widest(right)
	for i, cell := range right {
		right[i] = left[i] + strings.Repeat(" ", 1+width-wide(cell)) + cell
	}
	return right
}
