package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"queuetrack/projection/wait"
)

// The measures of a terminal's table.
const (
	tableWidth = 120
	keyWidth   = 28 // longer names are cut
	keyNarrow  = 20 // where there are more than two
	barWidthIn = 8  // characters
)

// WriteTable writes the report for a terminal: aligned columns, durations as minutes and seconds. What is too wide for
// a line goes on in a block of its own.
func (r Waits) WriteTable(w io.Writer) error {
	var out strings.Builder
	r.writeHead(&out)
	switch {
	case len(r.Items) == 0:
		out.WriteString("Nothing in this window.\n")
	case len(r.GroupBy) == 0:
		r.writeCard(&out)
	case r.isGrid():
		r.writeGrids(&out)
	default:
		r.writeSparks(&out)
		r.writeBlocks(&out)
	}
	r.writeFoot(&out)
	if _, err := io.WriteString(w, out.String()); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// writeHead says what the report is about.
func (r Waits) writeHead(out *strings.Builder) {
	line := r.period(r.From, r.To) + " " + r.Zone.String()
	if len(r.GroupBy) > 0 {
		words := make([]string, len(r.GroupBy))
		for i, key := range r.GroupBy {
			words[i] = spaced(string(key))
		}
		line += " · by " + strings.Join(words, " and ")
	}
	if r.AttributedBy != "" && r.AttributedBy != wait.AtArrival {
		line += " · attributed by " + string(r.AttributedBy)
	}
	if r.Compare {
		line += " · before: " + r.period(r.PreviousFrom, r.PreviousTo)
	}
	out.WriteString(line + "\n\n")
}

// writeFoot explains the signs; --explain tells the rest.
func (r Waits) writeFoot(out *strings.Builder) {
	line := "\nwait = entry to first call, in min:s · SL = " + r.levelName()
	if strings.Contains(out.String(), lowMark) {
		line += fmt.Sprintf(" · %s fewer than %d samples", lowMark, LowN)
	}
	out.WriteString(line + " · --explain defines every number\n")
}

// writeBlocks writes all numbers, sheet by sheet, a line an item.
func (r Waits) writeBlocks(out *strings.Builder) {
	sheets := r.sheets()
	if r.Compare {
		sheets = append(sheets, sheet{"Compared with the period before", nil})
	}
	for i, s := range sheets {
		if i > 0 {
			out.WriteByte('\n')
		}
		keys, cells := r.keyCells(), r.sheetCells(s)
		if i == 0 {
			cells = slices.Insert(cells, len(cells)-1, r.barCells())
		}
		if s.columns == nil {
			cells = r.comparedCells()
		}
		for j, part := range fit(keys, cells) {
			title := s.title
			if j > 0 {
				title += ", continued"
				out.WriteByte('\n')
			}
			out.WriteString(title + "\n")
			align(out, slices.Concat(keys, part), len(keys))
		}
	}
}

// keyCells are columns of text: the name, then each item's.
func (r Waits) keyCells() (list [][]string) {
	keys, most := r.keyColumns(), keyWidth
	if len(keys) > 2 {
		most = keyNarrow
	}
	for _, key := range keys {
		column := []string{key.name}
		for _, item := range r.Items {
			column = append(column, cut(key.text(item), most))
		}
		list = append(list, column)
	}
	return list
}

func (r Waits) sheetCells(s sheet) (list [][]string) {
	for _, c := range s.columns {
		column := []string{c.name}
		for _, item := range r.Items {
			column = append(column, c.text(item.Measures))
		}
		list = append(list, marked(column))
	}
	return list
}

// comparedCells are, of each column that is compared, what it was and the difference.
func (r Waits) comparedCells() (list [][]string) {
	for _, c := range r.compared() {
		now, before, change := []string{c.name}, []string{c.name + " before"}, []string{c.name + " ±"}
		for _, item := range r.Items {
			now = append(now, c.text(item.Measures))
			before = append(before, c.before(item))
			change = append(change, c.change(item))
		}
		list = append(list, now, before, change)
	}
	return list
}

// barCells draw one column.
func (r Waits) barCells() []string {
	c := r.barColumn()
	most := r.longest(c)
	cells := []string{leftAligned + c.name + " bar"}
	for _, item := range r.Items {
		v, _ := c.of(item.Measures)
		cells = append(cells, leftAligned+barOf(v, most, barWidthIn))
	}
	return cells
}

// marked leaves room behind the numbers without a mark, so that digits stay below digits.
func marked(column []string) []string {
	if !slices.ContainsFunc(column, func(s string) bool { return strings.HasSuffix(s, lowMark) }) {
		return column
	}
	for i, s := range column {
		if !strings.HasSuffix(s, lowMark) {
			column[i] = s + " "
		}
	}
	return column
}
