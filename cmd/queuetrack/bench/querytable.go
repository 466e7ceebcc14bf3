package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"
)

// queryFigures are a line of the table. Times are of all turns, the ratio is the median of the rounds' medians' ratios.
type queryFigures struct {
	Report   string  `json:"report"`
	Segments int64   `json:"segments"`
	Items    int     `json:"items"`
	P50      float64 `json:"p50_milliseconds"`
	P99      float64 `json:"p99_milliseconds"`
	SQLP50   float64 `json:"sql_p50_milliseconds,omitempty"`
	SQLP99   float64 `json:"sql_p99_milliseconds,omitempty"`
	Ratio    float64 `json:"ratio,omitempty"` // of the times: how much longer than the SQL
}

func (q Query) figures() queryFigures {
	f := queryFigures{Report: q.Name, Segments: q.Segments, Items: q.Items}
	product, byHand := slices.Concat(q.Product...), slices.Concat(q.ByHand...)
	f.P50, f.P99 = milliseconds(Median(product)), milliseconds(most(product))
	f.SQLP50, f.SQLP99 = milliseconds(Median(byHand)), milliseconds(most(byHand))
	var ratios []float64
	for i, round := range q.ByHand {
		ratios = append(ratios, over(Median(q.Product[i]).Seconds(), Median(round).Seconds()))
	}
	f.Ratio = Median(ratios)
	return f
}

// most is what 99 in a hundred don't exceed: of a few, the longest.
func most(turns []time.Duration) time.Duration {
	if len(turns) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(turns))[int(math.Ceil(0.99*float64(len(turns))))-1]
}

// reportColumn is aligned on the left, in a table that is on the right.
func reportColumn(name string) string { return fmt.Sprintf("%-46s", name) }

// WriteQueries writes the figures for a person.
func WriteQueries(w io.Writer, found []Query) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, reportColumn("REPORT")+"\tSEGMENTS\tITEMS\tP50 MS\tP99 MS\tSQL P50 MS\tSQL P99 MS\tRATIO\t")
	for _, q := range found {
		f := q.figures()
		fmt.Fprintf(t, "%s\t%d\t%d\t%.1f\t%.1f\t%s\t%s\t%s\t\n", reportColumn(f.Report), f.Segments, f.Items, f.P50, f.P99,
			orNone("%.1f", f.SQLP50), orNone("%.1f", f.SQLP99), orNone("%.2f", f.Ratio))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

// WriteQueriesJSON writes the figures for a program.
func WriteQueriesJSON(w io.Writer, found []Query) error {
	all := make([]queryFigures, len(found))
	for i, q := range found {
		all[i] = q.figures()
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(map[string]any{"query": all})
}
