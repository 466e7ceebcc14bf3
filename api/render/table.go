package render

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"queuetrack/projection/wait"
)

// absent stands where nothing is known.
const absent = "–"

// WriteTable writes the report for a terminal: aligned columns, durations as minutes and seconds.
func (r Waits) WriteTable(w io.Writer) error {
	var out strings.Builder
	out.WriteString(r.local(r.From) + " – " + r.local(r.To) + " (" + r.Zone.String() + ")\n\n")
	rows := [][]string{r.titles()}
	for _, item := range r.Items {
		rows = append(rows, r.line(item))
	}
	align(&out, rows, len(r.keys()))
	out.WriteString("\nwait = entry to first call · SL = " + string(r.Formula) + " at " + duration(float64(r.ServiceLevel)) + "\n")
	if _, err := io.WriteString(w, out.String()); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// titles name the columns; line fills them in the same order.
func (r Waits) titles() []string {
	var t []string
	for _, k := range r.keys() {
		t = append(t, string(k))
	}
	t = append(t, "offered", "served", "abandoned", "no show", "open", "waits", "mean")
	for _, p := range r.Percentiles {
		t = append(t, "p"+strconv.Itoa(p))
	}
	return append(t, "max", "service", "SL")
}

func (r Waits) line(i wait.Item) []string {
	var l []string
	for _, k := range r.keys() {
		l = append(l, printable(r.key(i, k)))
	}
	for _, n := range []int64{i.Offered, i.Served, i.Abandoned, i.NoShow, i.Open, i.Wait.N} {
		l = append(l, integer(n))
	}
	l = append(l, known(i.Wait, i.Wait.Mean))
	for _, p := range r.Percentiles {
		l = append(l, known(i.Wait, float64(i.Wait.Percentiles[p])))
	}
	level := absent
	if i.ServiceLevel != nil {
		level = strconv.FormatFloat(*i.ServiceLevel*100, 'f', 1, 64) + " %"
	}
	return append(l, known(i.Wait, float64(i.Wait.Max)), known(i.Service, i.Service.Mean), level)
}

// known is a duration of a set, or the sign that the set is empty.
func known(s wait.Stats, seconds float64) string {
	if s.N == 0 {
		return absent
	}
	return duration(seconds)
}

// duration is seconds as m:ss; an hour is 60 minutes.
func duration(seconds float64) string {
	s := int64(math.Round(seconds))
	sign := ""
	if s < 0 {
		sign, s = "-", -s
	}
	return fmt.Sprintf("%s%d:%02d", sign, s/60, s%60)
}

// printable is a vendor's text without what a terminal would obey.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// align writes rows in columns: the first ones, texts, to the left, the others, numbers, to the right.
func align(out *strings.Builder, rows [][]string, texts int) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, c := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if i > 0 {
				line.WriteString("  ")
			}
			if i < texts {
				line.WriteString(c + pad)
			} else {
				line.WriteString(pad + c)
			}
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}
