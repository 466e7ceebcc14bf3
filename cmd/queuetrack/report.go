package main

import (
	"context"
	"errors"
	"fmt"
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

func newReportWaits(a *app) *cobra.Command {
	var format string
	var explain bool
	cmd := &cobra.Command{
		Use:   "waits",
		Short: "How long people waited: counts, percentiles, service level",
		Long: `Computes the wait report from the database, which a server may be using. The flags are the parameters of
GET /v1/reports/waits, and --format json gives the same bytes.`,
		Example: `  queuetrack report waits --config queuetrack.yaml --source city --from 2026-11-01 --to 2026-12-01 --group-by queue,day
  queuetrack report waits --config queuetrack.yaml --format csv > waits.csv`,
		Args: args(cobra.NoArgs),
	}
	parameters := waitsFlags(cmd.Flags())
	cmd.Flags().StringVar(&format, "format", string(render.FormatTable), "`FORMAT`: table, csv or json")
	cmd.Flags().BoolVar(&explain, "explain", false, "print what each number means, and nothing else")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !slices.Contains(render.Formats, render.Format(format)) {
			return usageError{fmt.Errorf("--format %q: table, csv or json", format)}
		}
		if explain {
			_, err := fmt.Fprint(a.stdout, waitsExplained)
			return err
		}
		return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error {
			return a.reportWaits(ctx, p, parameters(), render.Format(format))
		})
	}
	return cmd
}

func (a *app) reportWaits(ctx context.Context, p *parts, q query.WaitsQuery, format render.Format) error {
	report, err := query.New(p.reader, p.log, p.config.query(time.Now)).Waits(ctx, q)
	var problem *api.Problem
	if errors.As(err, &problem) && problem.Status == http.StatusBadRequest {
		return usageError{errors.New(problem.Detail)}
	}
	if err != nil {
		return fmt.Errorf("compute the wait report: %w", err)
	}
	return report.Write(a.stdout, format)
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

const waitsExplained = `A segment is one stay of a ticket in one queue: it enters, waits, is called, and ends with exactly one outcome.
Every instant is cut off to the whole second before it is subtracted, so that times add up exactly.

offered           segments that entered the queue in the window (from included, to not)
served            called and done
abandoned         left without a call: given up, or removed
no_show           called, never came
cancelled         given up or removed after a call
returned          called, then sent back to wait; the next segment is counted for itself
transferred       moved to another queue
expired           ended by queuetrack: no webhook for too long, or closed by an operator
merged            joined to another ticket
open              not ended yet
                  these outcomes add up to offered

wait              seconds from entering to the first call. Entering: created, a booking's activation (never its
                  creation), a return, a transfer, a reopening. A re-call adds nothing. n: waits that ended with a call
abandoned_wait    the same for those who left without one
service           seconds at the desk, from arriving (from the call, where the vendor doesn't tell the arrival) to the
                  end, without times on hold; served segments only
percentiles       nearest rank: a value that somebody had. Below 10 samples they say little (low_n)

service level at X seconds
  F1              (served within X + abandoned within X) / (served + abandoned)
  F2              served within X / served
  F3              served within X / (served + abandoned)
  F4, the default served within X / (served + abandoned after more than X)

excluded          counted above, but in no statistics: negative_wait and negative_service (a vendor's clock),
                  self_registered (a request that had an owner from the start)

A segment belongs to the local day and hour of its arrival, in the zone of the report; days have 23, 24 or 25 hours.
`
