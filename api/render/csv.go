package render

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"queuetrack/projection/wait"
)

// WriteCSV writes the report as RFC 4180 has it: a header, a row an item, what is not known left empty. Durations are
// seconds.
func (r Waits) WriteCSV(w io.Writer) error {
	out, err := r.NewCSV(w)
	if err != nil {
		return err
	}
	for _, item := range r.Items {
		if err := out.Write(item); err != nil {
			return err
		}
	}
	return out.Flush()
}

// CSV writes a report item by item.
type CSV struct {
	report  Waits
	columns []csvColumn
	out     *csv.Writer
	row     []string
}

// NewCSV begins a CSV with its header. The report needs no items.
func (r Waits) NewCSV(w io.Writer) (*CSV, error) {
	c := &CSV{report: r, columns: r.csvColumns(), out: csv.NewWriter(w)}
	c.out.UseCRLF = true
	if err := c.out.Write(c.header()); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	return c, nil
}

// header names the columns; Write fills them in the same order.
func (c *CSV) header() []string {
	var h []string
	for _, k := range c.report.keys() {
		if h = append(h, string(k)); k == wait.ByQueue {
			h = append(h, "name")
		}
	}
	if c.report.byTime() {
		h = append(h, "start", "end")
	}
	for _, column := range c.columns {
		h = append(h, column.name)
	}
	if !c.report.Compare {
		return h
	}
	if c.report.byTime() {
		h = append(h, "previous_start", "previous_end")
	}
	for _, column := range c.columns {
		h = append(h, "previous_"+column.name)
	}
	return h
}

// Write writes an item's row.
func (c *CSV) Write(item wait.Item) error {
	r, row := c.report, c.row[:0]
	for _, k := range r.keys() {
		if row = append(row, cell(r.key(item, k))); k == wait.ByQueue {
			row = append(row, cell(r.queueName(item)))
		}
	}
	if r.byTime() {
		row = append(row, r.local(item.Start), r.local(item.End))
	}
	row = c.measures(row, item.Measures)
	if r.Compare {
		previous := item.Previous
		if previous == nil {
			previous = &wait.Period{}
		}
		if r.byTime() {
			row = append(row, r.local(previous.Start), r.local(previous.End))
		}
		row = c.measures(row, previous.Measures)
	}
	c.row = row
	if err := c.out.Write(row); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

func (c *CSV) measures(row []string, m wait.Measures) []string {
	for i := range c.columns {
		row = append(row, c.columns[i].cell(&m))
	}
	return row
}

// Flush writes what has been gathered.
func (c *CSV) Flush() error {
	c.out.Flush()
	if err := c.out.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// cell is a text that no spreadsheet takes for a formula: names come from kiosks, where anybody types. Some spreadsheets
// pass over what can't be seen before they look, and know the wide forms of signs.
func cell(s string) string {
	seen := strings.TrimLeftFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
	first, _ := utf8.DecodeRuneInString(seen)
	if strings.ContainsRune("=+-@＝＋－＠", first) || s != "" && strings.ContainsRune("\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}

func integer(n int64) string { return strconv.FormatInt(n, 10) }

func optional(n int64, known bool) string {
	if !known {
		return ""
	}
	return integer(n)
}

// decimal writes a double so that it reads back the same.
func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// quotient is empty when there is nothing to divide by.
func quotient(n, of int64) string {
	if of == 0 {
		return ""
	}
	return decimal(float64(n) / float64(of))
}
