package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"queuetrack/api/query"
	"queuetrack/api/render"
)

func newReportWaits(a *app) *cobra.Command {
	return report[query.WaitsQuery]{"wait report", render.WaitsExplained, reportWaits}.command(a, &cobra.Command{
		Use:   "waits",
		Short: "How long people waited: counts, percentiles, service level",
		Long: `Computes the wait report from the database, which a server may be using. The flags are the parameters of
GET /v1/reports/waits, and --format json gives the same bytes.

--format html makes a page with charts (percentiles and service level over time, outcomes, weekdays and hours) and all
their numbers in tables: one file that needs nothing else, for a screen or for paper.
--explain prints what each number means.`,
		Example: `  queuetrack report waits --config queuetrack.yaml --source city --from 2026-11-01 --to 2026-12-01 --group-by queue,day
  queuetrack report waits --config queuetrack.yaml --group-by weekday,hour_of_day
  queuetrack report waits --config queuetrack.yaml --format csv > waits.csv
  queuetrack report waits --config queuetrack.yaml --group-by queue --format html --out waits.html`,
	})
}

func reportWaits(ctx context.Context, door *query.Door, q query.WaitsQuery, format render.Format) (func(io.Writer) error, error) {
	switch format {
	case formatPage:
		page, err := door.WaitsPage(ctx, q)
		return page.Write, err
	case render.FormatCSV: // may be far more than fits in memory
		return func(w io.Writer) error { return door.StreamWaits(ctx, q, w) }, nil
	case render.FormatTable, render.FormatJSON:
	}
	waits, err := door.Waits(ctx, q)
	return func(w io.Writer) error { return waits.Write(w, format) }, err
}
