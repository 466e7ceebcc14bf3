package render

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteTable writes the report for a terminal: a line a group, errors as minutes and seconds.
func (e Estimates) WriteTable(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintf(&out, "%s – %s %s · arrivals by how many stood before them\n\n", e.From.Format(time.RFC3339), e.To.Format(time.RFC3339), e.TZ)
	columns := e.columns()
	align(&out, columns, 1)
	fmt.Fprintf(&out, "\nMAE = mean of |told − waited|, in min:s · better = by how much less than the rolling hour's · %s fewer than %d arrivals"+
		"\n--explain defines every number\n", lowMark, LowN)
	if _, err := io.WriteString(w, out.String()); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// columns are the table, title first, the total last.
func (e Estimates) columns() [][]string {
	rows := append(append([]EstimatesItem{}, e.Items...), e.Total)
	columns := [][]string{{leftAligned + "ahead"}}
	for i, item := range rows {
		name := leftAligned + item.ahead()
		if i == len(rows)-1 {
			name = leftAligned + "all"
		}
		columns[0] = append(columns[0], name)
	}
	for _, c := range estimatesColumns {
		column := []string{c.title}
		for _, item := range rows {
			column = append(column, c.text(item))
		}
		columns = append(columns, column)
	}
	return columns
}

// ahead is how many stood before the group's arrivals.
func (i EstimatesItem) ahead() string {
	switch {
	case i.AheadTo == nil:
		return integer(i.AheadFrom) + "+"
	case *i.AheadTo == i.AheadFrom:
		return integer(i.AheadFrom)
	}
	return integer(i.AheadFrom) + "–" + integer(*i.AheadTo)
}

// estimatesColumns are those of the table after the first.
var estimatesColumns = []struct {
	title string
	text  func(EstimatesItem) string
}{
	{"n", func(i EstimatesItem) string {
		if i.LowN && i.N > 0 {
			return lowMark + integer(i.N)
		}
		return integer(i.N)
	}},
	{"MAE", func(i EstimatesItem) string { return knownDuration(i.Estimate.MAE) }},
	{"RMSE", func(i EstimatesItem) string { return knownDuration(i.Estimate.RMSE) }},
	{"bias", func(i EstimatesItem) string { return knownDuration(i.Estimate.Bias) }},
	{"≤ 5 min", func(i EstimatesItem) string { return knownShare(i.Estimate.Within5) }},
	{"below high", func(i EstimatesItem) string { return knownShare(i.Range.BelowHigh) }},
	{"in range", func(i EstimatesItem) string { return knownShare(i.Range.Within) }},
	{"rolling hour MAE", func(i EstimatesItem) string { return knownDuration(i.Rolling.MAE) }},
	{"last wait MAE", func(i EstimatesItem) string { return knownDuration(i.Last.MAE) }},
	{"better", func(i EstimatesItem) string {
		if i.Rolling.MAE == nil || *i.Rolling.MAE == 0 {
			return absent
		}
		return share(1 - *i.Estimate.MAE / *i.Rolling.MAE)
	}},
}

func knownDuration(f *float64) string {
	if f == nil {
		return absent
	}
	return duration(*f)
}

func knownShare(f *float64) string {
	if f == nil {
		return absent
	}
	return share(*f)
}

// EstimatesExplained defines the words of the report on estimates.
func EstimatesExplained() Definitions {
	return Definitions{
		{
			Title: "The estimate",
			Intro: "Computed from what the log had told until then, in the order of its positions, and from nothing that came later.",
			Terms: []Term{
				{"busy clock B", "runs only while somebody waits in the queue"},
				{"departure", "any leaving of WAITING: called, cancelled, removed, transferred, expired"},
				{"pace", "busy time of a departure: over the last 20 intervals between departures, to which the pace of the queue's whole past is added like 5 more (once it has seen 20)"},
				{"QL", "(tickets before it + 1) · pace"},
				{"HOL", "how long the first in line has waited; with nobody waiting the last wait that ended, but not more than QL"},
				{"estimate", "(QL + HOL) / 2 for somebody who comes now, then moved into the range. For somebody who waits already: QL from now on"},
				{"range", "QL times what became of the queue's last 200 predictions, from the 20th to the 80th of a hundred; 30 s are added to both sides of each ratio, and taken off again. Of fewer than 30: the source's"},
				{"none", "when fewer than 3 have left the line today, and fewer than 30 ever"},
			},
		},
		{
			Title: "What it was worth",
			Intro: "Each arrival in the window that waited until it was called, and for which there were an estimate and both baselines.",
			Terms: []Term{
				{"MAE", "mean of |told − waited|"},
				{"RMSE", "root of the mean of (told − waited)²"},
				{"bias", "mean of told − waited: above 0, people are told too long"},
				{"≤ 5 min", "share of arrivals told right to 5 minutes or better"},
				{"below high", "share of those told a range that waited no longer than its upper end: 80 % is what it promises"},
				{"in range", "share of those told a range that waited within it: 60 % is what it promises"},
				{"rolling hour", "the baseline: mean of the queue's waits that had ended within 60 minutes before, the last 200 at most"},
				{"last wait", "the baseline: the queue's last wait that had ended with a call"},
			},
		},
	}
}
