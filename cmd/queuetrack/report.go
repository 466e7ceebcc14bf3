package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"queuetrack/api"
	"queuetrack/api/query"
	"queuetrack/api/render"
)

func newReport(a *app) *cobra.Command {
	return group(&cobra.Command{
		Use:   "report",
		Short: "Compute a report from the database",
	}, newReportWaits(a))
}

// formatPage is a page with charts. It is made of several reports, so no single one can be written in it.
const formatPage render.Format = "html"

// waitsFormats are the formats of the command.
var waitsFormats = []render.Format{render.FormatTable, render.FormatCSV, render.FormatJSON, formatPage}

func newReportWaits(a *app) *cobra.Command {
	var format, out string
	var explain bool
	cmd := &cobra.Command{
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
		Args: args(cobra.NoArgs),
	}
	parameters := waitsFlags(cmd.Flags())
	cmd.Flags().StringVar(&format, "format", string(render.FormatTable), "`FORMAT`: "+formatsText)
	cmd.Flags().StringVar(&out, "out", "", "write to this `FILE`, once it is complete (default: standard output)")
	cmd.Flags().BoolVar(&explain, "explain", false, "print what each number means, and nothing else")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !slices.Contains(waitsFormats, render.Format(format)) {
			return usageError{fmt.Errorf("--format %q: %s", format, formatsText)}
		}
		if explain {
			return a.output(out, render.WaitsExplained().WriteText)
		}
		return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error {
			return a.reportWaits(ctx, p, parameters(), render.Format(format), out)
		})
	}
	return cmd
}

const formatsText = "table, csv, json or html"

func (a *app) reportWaits(ctx context.Context, p *parts, q query.WaitsQuery, format render.Format, out string) error {
	door := query.New(p.reader, p.log, p.config.query(time.Now))
	switch format {
	case formatPage:
		page, err := door.WaitsPage(ctx, q)
		if err != nil {
			return reportError(err)
		}
		return a.output(out, page.Write)
	case render.FormatCSV: // may be far more than fits in memory
		return reportError(a.output(out, func(w io.Writer) error { return door.StreamWaits(ctx, q, w) }))
	case render.FormatTable, render.FormatJSON:
	}
	report, err := door.Waits(ctx, q)
	if err != nil {
		return reportError(err)
	}
	return a.output(out, func(w io.Writer) error { return report.Write(w, format) })
}

// reportError is a mistake on the command line, where the REST door would have answered 400.
func reportError(err error) error {
	if err == nil {
		return nil
	}
	var problem *api.Problem
	if errors.As(err, &problem) && problem.Status == http.StatusBadRequest {
		return usageError{errors.New(problem.Detail)}
	}
	return fmt.Errorf("compute the wait report: %w", err)
}

// output writes to a file, or to standard output if it has no name.
func (a *app) output(name string, write func(io.Writer) error) error {
	if name == "" {
		return write(a.stdout)
	}
	return writeWhole(name, 0o644, write)
}

// waitsFlags makes a flag of each parameter of the HTTP report, so that both doors always know the same ones: group_by
// is --group-by. The function that it returns reads what was given.
func waitsFlags(flags *pflag.FlagSet) func() query.WaitsQuery {
	t := reflect.TypeFor[query.WaitsQuery]()
	given := make([]string, t.NumField())
	for i := range given {
		tag := t.Field(i).Tag
		flags.StringVar(&given[i], strings.ReplaceAll(tag.Get("query"), "_", "-"), "", tag.Get("doc"))
	}
	return func() (q query.WaitsQuery) {
		v := reflect.ValueOf(&q).Elem()
		for i, text := range given {
			v.Field(i).SetString(text)
		}
		return q
	}
}
