package render

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
)

// WriteCSV writes a row a group, the total last, whose ahead is left empty.
func (e Estimates) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	header := []string{"ahead_from", "ahead_to", "n", "low_n"}
	for _, of := range []string{"estimate", "rolling_60_minutes", "last_wait"} {
		header = append(header, of+"_mae_seconds", of+"_rmse_seconds", of+"_bias_seconds", of+"_within_5_minutes")
	}
	rows := [][]string{append(header, "range_n", "range_below_high", "range_within")}
	for _, item := range e.Items {
		to := ""
		if item.AheadTo != nil {
			to = integer(*item.AheadTo)
		}
		rows = append(rows, append([]string{integer(item.AheadFrom), to}, item.cells()...))
	}
	rows = append(rows, append([]string{"", ""}, e.Total.cells()...))
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

func (i EstimatesItem) cells() []string {
	cells := []string{integer(i.N), strconv.FormatBool(i.LowN)}
	for _, a := range []Accuracy{i.Estimate, i.Rolling, i.Last} {
		cells = append(cells, optionalDecimal(a.MAE), optionalDecimal(a.RMSE), optionalDecimal(a.Bias), optionalDecimal(a.Within5))
	}
	return append(cells, integer(i.Range.N), optionalDecimal(i.Range.BelowHigh), optionalDecimal(i.Range.Within))
}

func optionalDecimal(f *float64) string {
	if f == nil {
		return ""
	}
	return decimal(*f)
}
