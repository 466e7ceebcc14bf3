package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"queuetrack/api/query"
	"queuetrack/api/render"
)

func newReportEstimates(a *app) *cobra.Command {
	return report[query.EstimatesQuery]{"report on estimates", render.EstimatesExplained, reportEstimates}.command(a, &cobra.Command{
		Use:   "estimates",
		Short: "How good the estimates of waiting times were, beside two baselines",
		Long: `Sets what was told at the arrivals of a window beside how long they then waited, and beside what two plain baselines
would have told: the mean of the hour before, and the last wait. It is computed from the database, which a server may be
using. The flags are the parameters of GET /v1/reports/estimates/backtest, and --format json gives the same bytes.

--format html makes a page with charts (errors by length of queue, whether ranges were kept) and all their numbers in
tables: one file that needs nothing else, for a screen or for paper.
--explain prints how estimates are made, and what each number means.`,
		Example: `  queuetrack report estimates --config queuetrack.yaml --source city --from 2026-11-01 --to 2026-12-01
  queuetrack report estimates --config queuetrack.yaml --source city --queue 37338 --format csv > estimates.csv
  queuetrack report estimates --config queuetrack.yaml --format html --out estimates.html`,
	})
}

func reportEstimates(ctx context.Context, door *query.Door, q query.EstimatesQuery, format render.Format) (func(io.Writer) error, error) {
	if format == formatPage {
		page, err := door.BacktestPage(ctx, q)
		return page.Write, err
	}
	judged, err := door.Backtest(ctx, q)
	return func(w io.Writer) error { return judged.Write(w, format) }, err
}
