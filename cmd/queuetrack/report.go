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
	}, newReportWaits(a), newReportEstimates(a))
}

// formatPage is a page with charts. It is made of more than the REST door answers at once.
const formatPage render.Format = "html"

// reportFormats are the formats of the reports' commands.
var reportFormats = []render.Format{render.FormatTable, render.FormatCSV, render.FormatJSON, formatPage}

const formatsText = "table, csv, json or html"

// report is a report of the door, whose query is Q.
type report[Q any] struct {
	name    string // after "compute the"
	explain func() render.Definitions
	// make computes it. What it returns writes it in the format.
	make func(context.Context, *query.Door, Q, render.Format) (func(io.Writer) error, error)
}

// command makes a command of the report, with a flag for each parameter of its query, and those that all of them have.
func (r report[Q]) command(a *app, cmd *cobra.Command) *cobra.Command {
	var format, out string
	var explain bool
	parameters := queryFlags[Q](cmd.Flags())
	cmd.Args = args(cobra.NoArgs)
	cmd.Flags().StringVar(&format, "format", string(render.FormatTable), "`FORMAT`: "+formatsText)
	cmd.Flags().StringVar(&out, "out", "", "write to this `FILE`, once it is complete (default: standard output)")
	cmd.Flags().BoolVar(&explain, "explain", false, "print what each number means, and nothing else")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !slices.Contains(reportFormats, render.Format(format)) {
			return usageError{fmt.Errorf("--format %q: %s", format, formatsText)}
		}
		if explain {
			return a.output(out, r.explain().WriteText)
		}
		return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error {
			write, err := r.make(ctx, query.New(p.reader, p.log, p.config.query(time.Now)), parameters(), render.Format(format))
			if err == nil {
				err = a.output(out, write)
			}
			return r.mistake(err)
		})
	}
	return cmd
}

// mistake is one on the command line, where the REST door would have answered 400.
func (r report[Q]) mistake(err error) error {
	if err == nil {
		return nil
	}
	var problem *api.Problem
	if errors.As(err, &problem) && problem.Status == http.StatusBadRequest {
		return usageError{errors.New(problem.Detail)}
	}
	return fmt.Errorf("compute the %s: %w", r.name, err)
}

// output writes to a file, or to standard output if it has no name.
func (a *app) output(name string, write func(io.Writer) error) error {
	if name == "" {
		return write(a.stdout)
	}
	return writeWhole(name, 0o644, write)
}

// queryFlags makes a flag of each parameter of an HTTP query, so that both doors always know the same ones: group_by is
// --group-by. The function that it returns reads what was given.
func queryFlags[Q any](flags *pflag.FlagSet) func() Q {
	t := reflect.TypeFor[Q]()
	given := make([]string, t.NumField())
	for i := range given {
		tag := t.Field(i).Tag
		flags.StringVar(&given[i], strings.ReplaceAll(tag.Get("query"), "_", "-"), "", tag.Get("doc"))
	}
	return func() (q Q) {
		v := reflect.ValueOf(&q).Elem()
		for i, text := range given {
			v.Field(i).SetString(text)
		}
		return q
	}
}
