package render

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"queuetrack/projection/wait"
)

// WriteCSV writes the report as RFC 4180 has it: a header, a row an item, what is not known left empty. Durations are
// seconds.
func (r Waits) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(r.header()); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	for _, item := range r.Items {
		if err := out.Write(r.row(item)); err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// header names the columns; row fills them in the same order.
func (r Waits) header() []string {
	var h []string
	for _, k := range r.keys() {
		h = append(h, string(k))
	}
	if r.byTime() {
		h = append(h, "start", "end")
	}
	for _, c := range counts(wait.Item{}) {
		h = append(h, c.name)
	}
	for _, set := range []string{"wait", "abandoned_wait", "service"} {
		h = append(h, set+"_n", set+"_mean_seconds")
		for _, p := range r.Percentiles {
			h = append(h, set+"_"+percentile(p))
		}
		h = append(h, set+"_max_seconds")
	}
	h = append(h, "service_level", "service_level_threshold_seconds", "service_level_formula", "served_within", "abandoned_within")
	for _, name := range exclusions {
		h = append(h, "excluded_"+name)
	}
	return h
}

func (r Waits) row(item wait.Item) []string {
	var row []string
	for _, k := range r.keys() {
		row = append(row, cell(r.key(item, k)))
	}
	if r.byTime() {
		row = append(row, r.local(item.Start), r.local(item.End))
	}
	for _, c := range counts(item) {
		row = append(row, integer(c.n))
	}
	for _, s := range []wait.Stats{item.Wait, item.AbandonedWait, item.Service} {
		row = append(row, r.figures(s)...)
	}
	level := ""
	if item.ServiceLevel != nil {
		level = decimal(*item.ServiceLevel)
	}
	row = append(row, level, integer(r.ServiceLevel), cell(string(r.Formula)), integer(item.ServedWithin), integer(item.AbandonedWithin))
	for _, name := range exclusions {
		row = append(row, integer(item.Excluded[name]))
	}
	return row
}

// figures are the cells of a set of seconds.
func (r Waits) figures(s wait.Stats) []string {
	cells := []string{integer(s.N), ""}
	if s.N > 0 {
		cells[1] = decimal(s.Mean)
	}
	for _, p := range r.Percentiles {
		v, ok := s.Percentiles[p]
		cells = append(cells, optional(v, ok && s.N > 0))
	}
	return append(cells, optional(s.Max, s.N > 0))
}

// cell is a text that no spreadsheet takes for a formula: names come from kiosks, where anybody types.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
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
