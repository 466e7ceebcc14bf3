package render

import (
	"encoding/csv"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/projection/estimate"
)

// madeEstimates look like a month of some offices: the middle groups have many arrivals, one has few, one nobody.
func madeEstimates(t *testing.T) Estimates {
	t.Helper()
	tallinn := newMaker(t).request.Zone
	accuracy := func(mae, rmse, bias, within float64) estimate.Accuracy {
		return estimate.Accuracy{MAE: mae, RMSE: rmse, Bias: bias, Within5: within}
	}
	b := estimate.Backtest{
		Items: []estimate.BacktestItem{
			{
				N: 1203, Estimate: accuracy(151.2, 260.9, -20.4, 0.871), Hourly: accuracy(402.8, 611, 320.1, 0.512),
				Last: accuracy(377.6, 702.3, 211.9, 0.609), Ranged: 1190, BelowHigh: 947, Within: 720,
			},
			{
				N: 2890, Estimate: accuracy(231.7, 350.1, -3.2, 0.742), Hourly: accuracy(388.4, 590.8, 188.8, 0.507),
				Last: accuracy(399, 655.5, 101.3, 0.498), Ranged: 2890, BelowHigh: 2321, Within: 1745,
			},
			{},
			{
				N: 9, Estimate: accuracy(801, 999.9, 400, 1/3.), Hourly: accuracy(701, 899.9, -400, 4/9.), Last: accuracy(0, 0, 0, 1),
				Ranged: 8, BelowHigh: 2, Within: 1,
			},
			{
				N: 401, Estimate: accuracy(700.3, 911, 101, 0.21), Hourly: accuracy(1204.9, 1500.2, -833.3, 0.101),
				Last: accuracy(1151.8, 1444.4, -644, 0.15), Ranged: 401, BelowHigh: 325, Within: 251,
			},
			{
				N: 77, Estimate: accuracy(1511.6, 1888.8, -311.1, 0.1), Hourly: accuracy(3600, 4100, -3511, 0), Last: accuracy(3255, 3700, -3001, 0.01),
			},
		},
		Total: estimate.BacktestItem{
			AheadTo: -1, N: 4580, Estimate: accuracy(274.2, 433.3, 4.4, 0.716), Hourly: accuracy(519, 700, 50.5, 0.464),
			Last: accuracy(507.9, 777.7, -33.2, 0.489), Ranged: 4489, BelowHigh: 3601, Within: 2718,
		},
	}
	for i, l := range estimate.Lengths {
		b.Items[i].AheadFrom, b.Items[i].AheadTo = l[0], l[1]
	}
	return NewEstimates(b, time.Date(2026, 11, 1, 0, 0, 0, 0, tallinn), time.Date(2026, 12, 1, 0, 0, 0, 0, tallinn), tallinn,
		map[string]int64{"city": 184223, "store": 12})
}

// emptyEstimates are those of a window in which nobody came.
func emptyEstimates(t *testing.T) Estimates {
	t.Helper()
	e := madeEstimates(t)
	for i := range e.Items {
		e.Items[i] = EstimatesItem{AheadFrom: e.Items[i].AheadFrom, AheadTo: e.Items[i].AheadTo, LowN: true}
	}
	e.Total = EstimatesItem{LowN: true}
	return e
}

func madeEstimatesPage(t *testing.T) EstimatesPage {
	t.Helper()
	return EstimatesPage{
		Estimates: madeEstimates(t), Source: "city", Queue: "37338", QueueName: "Passports", Made: time.Date(2026, 12, 1, 7, 30, 0, 0, time.UTC),
	}
}

func formatted(t *testing.T, e Estimates, f Format) string {
	t.Helper()
	var out strings.Builder
	if err := e.Write(&out, f); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestEstimatesAreWritten(t *testing.T) {
	t.Parallel()
	golden(t, "estimates.txt", formatted(t, madeEstimates(t), FormatTable))
	golden(t, "estimates_nothing.txt", formatted(t, emptyEstimates(t), FormatTable))
	golden(t, "estimates.csv", formatted(t, madeEstimates(t), FormatCSV))
	golden(t, "estimates.json", formatted(t, madeEstimates(t), FormatJSON))
	golden(t, "estimates.html", written(t, madeEstimatesPage(t)))
	if err := madeEstimates(t).Write(&strings.Builder{}, "pdf"); err == nil {
		t.Error("written as pdf")
	}
}

// As long as waits are: no line is wider than a terminal.
func TestTheEstimatesTableFitsATerminal(t *testing.T) {
	t.Parallel()
	e := madeEstimates(t)
	for _, item := range append(slices.Clone(e.Items), e.Total) {
		for _, a := range []Accuracy{item.Estimate, item.Rolling, item.Last} {
			if a.MAE != nil {
				*a.MAE, *a.RMSE, *a.Bias = 99_999, 99_999, -99_999
			}
		}
	}
	for i := range e.Items {
		e.Items[i].N = 20_000_000
	}
	for line := range strings.Lines(formatted(t, e, FormatTable)) {
		if wide(strings.TrimSuffix(line, "\n")) > tableWidth {
			t.Errorf("%d wide: %s", wide(line), line)
		}
	}
}

// The CSV and the JSON tell the same.
func TestTheEstimatesCSVIsRectangular(t *testing.T) {
	t.Parallel()
	for _, e := range []Estimates{madeEstimates(t), emptyEstimates(t)} {
		rows, err := csv.NewReader(strings.NewReader(formatted(t, e, FormatCSV))).ReadAll()
		if err != nil || len(rows) != 1+len(e.Items)+1 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		for i, item := range e.rows() {
			want := map[string]string{"n": fmt.Sprint(item.N), "low_n": fmt.Sprint(item.LowN), "last_wait_bias_seconds": "", "range_within": ""}
			if item.Last.Bias != nil {
				want["last_wait_bias_seconds"] = fmt.Sprint(*item.Last.Bias)
			}
			if item.Range.Within != nil {
				want["range_within"] = fmt.Sprint(*item.Range.Within)
			}
			for name, text := range want {
				if got := rows[1+i][slices.Index(rows[0], name)]; got != text {
					t.Errorf("row %d: %s is %q, want %q", i, name, got, text)
				}
			}
		}
	}
}

func TestEveryNumberOfEstimatesIsDefined(t *testing.T) {
	t.Parallel()
	said := map[string]bool{}
	var text strings.Builder
	if err := EstimatesExplained().WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, word := range regexp.MustCompile(`\w+`).FindAllString(text.String(), -1) {
		said[word] = true
	}
	keys := keysOf(t, formatted(t, madeEstimates(t), FormatJSON))
	if len(keys) < 18 {
		t.Errorf("only the keys %v", keys)
	}
	for _, key := range keys {
		if !said[key] {
			t.Errorf("%s is not defined", key)
		}
	}
	// What tables call it is defined, too.
	for _, s := range []judgedSheet{errorsSheet(), spreadSheet(), withinSheet(), rangeSheet()} {
		for _, c := range s.columns {
			for _, word := range strings.Fields(c.name) {
				if !said[word] && !strings.Contains(text.String(), word) {
					t.Errorf("%s of %s is not defined", word, c.name)
				}
			}
		}
	}
}

func TestEstimatesInWords(t *testing.T) {
	t.Parallel()
	one, zero, more := 60.0, 0.0, 90.4
	share := 1.0
	e := Estimates{Total: EstimatesItem{
		N: 1, LowN: true, Estimate: Accuracy{&more, &more, &zero, &share}, Rolling: Accuracy{&one, &one, &one, &share}, Last: Accuracy{&zero, &zero, &zero, &share},
		Range: RangeShares{N: 1, BelowHigh: &share},
	}}
	want := []string{
		"What 1 arrival was told was off by 1:30 on average, and right to 5 minutes or better for 100.0 % of them. On average it was neither too long nor too short.",
		"The mean of the hour before would have been off by 1:00: the estimate is 50.7 % worse. The last wait would have been off by 0:00.",
		"Of 1 arrival that was told a range, 100.0 % waited no longer than its upper end; it promises 80 %.",
		"Fewer than 10 arrivals (1): the figures say little.",
	}
	if diff := cmp.Diff(want, e.inWords()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	bias := -3.2
	e.Total.Estimate.Bias = &bias
	if got := e.inWords()[0]; !strings.HasSuffix(got, "On average it was 0:03 too short.") {
		t.Error(got)
	}
}

// Beside each chart are the report's own numbers, and the lines go through them.
func TestTheEstimatesChartsAreTheReport(t *testing.T) {
	t.Parallel()
	p := madeEstimatesPage(t)
	doc := document(t, written(t, p))
	errorsTable := [][]string{{"ahead", "arrivals", "estimate", "rolling 60 minutes", "last wait", "better than rolling", "better than last"}}
	ranges := [][]string{{"ahead", "told a range", "below high", "within"}}
	for i, item := range append(slices.Clone(p.Items), p.Total) {
		name := []string{"0", "1–2", "3–5", "6–10", "11–20", "21+", "all"}[i]
		row, ranged := []string{name, fmt.Sprint(item.N)}, []string{name, fmt.Sprint(item.Range.N)}
		switch {
		case item.N == 0:
			row = append(row, "–", "–", "–", "–", "–")
		case *item.Last.MAE == 0:
			row = []string{name, "9*", minutes(*item.Estimate.MAE), minutes(*item.Rolling.MAE), "0:00", percent(1 - *item.Estimate.MAE / *item.Rolling.MAE), "–"}
			ranged[1] = "8*"
		default:
			row = append(row, minutes(*item.Estimate.MAE), minutes(*item.Rolling.MAE), minutes(*item.Last.MAE),
				percent(1 - *item.Estimate.MAE / *item.Rolling.MAE), percent(1 - *item.Estimate.MAE / *item.Last.MAE))
		}
		if item.Range.N == 0 {
			ranged = append(ranged, "–", "–")
		} else {
			ranged = append(ranged, percent(*item.Range.BelowHigh), percent(*item.Range.Within))
		}
		errorsTable, ranges = append(errorsTable, row), append(ranges, ranged)
	}
	if diff := cmp.Diff(errorsTable, doc.table(t, "Mean absolute error (MAE), by how many stood before")); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(ranges, doc.table(t, "The range, by how many stood before")); diff != "" {
		t.Errorf("ranges (-want +got):\n%s", diff)
	}
	chart := string(p.errorsChart())
	for i, predictor := range predictors {
		var groups, values []float64
		for g, item := range p.Items {
			if v := predictor.of(item).MAE; v != nil {
				groups, values = append(groups, float64(g)), append(values, *v)
			}
		}
		xs, ys := lineOf(t, chart, fmt.Sprintf("line%d", i))
		proportional(t, predictor.name+" groups", groups, xs)
		proportional(t, predictor.name, values, ys)
	}
	// What is promised is a straight line at 80 %, of 100 % to where the axis reaches.
	_, kept := lineOf(t, string(p.rangeChart()), "line0")
	_, promised := lineOf(t, string(p.rangeChart()), "text")
	if len(promised) != len(p.Items) || slices.Min(promised) != slices.Max(promised) {
		t.Fatalf("promised at %v", promised)
	}
	proportional(t, "below high", []float64{947 / 1190., 2321 / 2890., 0.25, 325 / 401., promisedBelow}, append(kept, promised[0]))
}

// lineOf are the points of an ink's line, its legend apart.
func lineOf(t *testing.T, svg, ink string) (xs, ys []float64) {
	t.Helper()
	lines := regexp.MustCompile(`<path class="s-`+ink+`"[^>]* d="(M[^"AZ]+)"`).FindAllStringSubmatch(svg, -1)
	for _, line := range lines[1:] {
		for _, point := range strings.FieldsFunc(line[1], func(r rune) bool { return r == 'M' || r == 'L' }) {
			x, y, _ := strings.Cut(point, " ")
			xs, ys = append(xs, number64(t, x)), append(ys, number64(t, y))
		}
	}
	return xs, ys
}

// A page of nothing says so, and defines its words all the same.
func TestEstimatesPageOfNothing(t *testing.T) {
	t.Parallel()
	doc := document(t, written(t, EstimatesPage{Estimates: emptyEstimates(t)}))
	if text := doc.all("main")[0].text; !strings.Contains(text, "Nothing to judge in this window") || !strings.Contains(text, "rmse_seconds") {
		t.Error("neither said nor defined")
	}
	if n := len(doc.all("figure")) + len(doc.all("table")); n != 0 {
		t.Errorf("%d charts and tables of nothing", n)
	}
	// Arrivals without a range: the errors are there, and no chart of the range.
	e := madeEstimates(t)
	e.Total.Range = RangeShares{}
	doc = document(t, written(t, EstimatesPage{Estimates: e}))
	if n := len(doc.all("figure")); n != 1 || !strings.Contains(doc.text, "Nobody in this window was told a range") {
		t.Errorf("%d charts", n)
	}
}

func TestEstimatesWriteErrors(t *testing.T) {
	t.Parallel()
	for _, f := range Formats {
		if err := madeEstimates(t).Write(brokenWriter{}, f); !errors.Is(err, errBroken) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

var errBroken = errors.New("it is broken")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }
