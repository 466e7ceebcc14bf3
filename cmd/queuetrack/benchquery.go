package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"queuetrack/cmd/queuetrack/bench"
)

// queryBenchOptions are the flags of bench query.
type queryBenchOptions struct {
	bench.QueryPlan
	json bool
}

func newBenchQuery(a *app) *cobra.Command {
	o := queryBenchOptions{QueryPlan: bench.QueryPlan{Locations: 200}}
	cmd := &cobra.Command{
		Use:   "query",
		Short: "How long wait reports take, beside the best SQL for the same answer",
		Long: `Fills the table that wait reports read, in a database of its own (made on the server of --database-url and dropped at the
end, or on a private Postgres in a temporary folder): two years of one location with five queues, and two years of 200
others that share --tickets. The default is a matter of a minute; with --tickets 20000000 it takes some minutes, and 8 GB
of disk.

Then each report is computed as GET /v1/reports/waits does it, with p50, p90 and p95. Turn about with it runs the yardstick: one SQL
statement, written by hand on the same table, for the same numbers, which are compared. RATIO is how many times longer the report
takes, the median of the rounds. Lengths of queues and places of those who gave up have no yardstick.`,
		Example: `  queuetrack bench query
  queuetrack bench query --tickets 20000000 --rounds 3`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Rounds < 1 || o.Location < 100 || o.Tickets < int64(100*o.Locations) {
				return usageError{fmt.Errorf("--rounds is at least 1, --location at least 100, --tickets at least %d", 100*o.Locations)}
			}
			if o.Location > 1e9 || o.Tickets > 1e9 {
				return usageError{errors.New("--location and --tickets are a thousand million at most")}
			}
			return a.benchQuery(cmd.Context(), o)
		},
	}
	cmd.Flags().Int64Var(&o.Location, "location", 100_000, "how many tickets the one location has, `N`")
	cmd.Flags().Int64Var(&o.Tickets, "tickets", 2_000_000, "how many tickets the 200 others have together, `N`")
	cmd.Flags().IntVar(&o.Rounds, "rounds", 5, "measure each `N` times; the medians are shown")
	cmd.Flags().BoolVar(&o.json, "json", false, "print the medians as JSON")
	return cmd
}

// benchQuery measures in a database of its own.
func (a *app) benchQuery(ctx context.Context, o queryBenchOptions) error {
	return a.withBench(ctx, readConnections, func(b benchPlace) error {
		return b.migrated(ctx, func(url string) error {
			pool, err := openPool(ctx, url, readConnections)
			if err != nil {
				return err
			}
			defer pool.Close()
			if err := a.introduce(ctx, pool); err != nil {
				return err
			}
			found, err := bench.MeasureQuery(ctx, pool, o.QueryPlan, func(now string) { fmt.Fprintln(a.stderr, now) })
			if err != nil {
				return err
			}
			if o.json {
				return bench.WriteQueriesJSON(a.stdout, found)
			}
			return bench.WriteQueries(a.stdout, found)
		})
	})
}
