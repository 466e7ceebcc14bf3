package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"queuetrack/cmd/queuetrack/bench"
	"queuetrack/eventstore"
	"queuetrack/projection"
)

func newBench(a *app) *cobra.Command {
	return group(&cobra.Command{
		Use:   "bench",
		Short: "Measure this machine, beside what plain Postgres does on it",
	}, newBenchIngest(a), newBenchQuery(a), newBenchRebuild(a), newBenchEstimates(a))
}

// ingestOptions are the flags of bench ingest.
type ingestOptions struct {
	bench.Plan
	rate  float64 // of the open loop; 0: half of what the closed loop reached
	turns int
	json  bool
}

func newBenchIngest(a *app) *cobra.Command {
	var o ingestOptions
	cmd := &cobra.Command{
		Use:   "ingest",
		Short: "Webhooks a second, and how long each takes",
		Long: `Starts the server as another process on a database of its own, made on the server of --database-url (dropped at the
end) or on a private Postgres in a temporary folder, and loads it over HTTP with signed deliveries of one source.

Closed loop: each connection sends its next webhook when the last was answered. Turn about with it runs the yardstick:
as many connections that insert the same rows into a table of the same columns and keys, one row a commit, with a
prepared statement. RATIO is the one's throughput over the other's, the median of the rounds. The projections run in
the server, and catch up before each turn. Open loop: webhooks are due at a set rate, and a latency counts from when
the webhook was due. Meanwhile 20 webhooks a second are probes: how long from the answer until GET finds the new ticket is
VISIBLE, and ASKED/S how many such questions the server answered beside. Then the log alone: batches of 500 beside a bare INSERT of the same rows.`,
		Example: `  queuetrack bench ingest
  queuetrack bench ingest --connections 64 --rounds 5 --rate 4000 --database-url postgres://postgres@localhost/postgres`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(o.Connections) == 0 || slices.Min(o.Connections) < 1 || slices.Max(o.Connections) > 1000 {
				return usageError{errors.New("--connections are 1 to 1000")}
			}
			if o.Rounds < 1 || o.Length < time.Second || o.rate < 0 || o.turns < 0 {
				return usageError{errors.New("--rounds is at least 1, --length at least 1s, --rate and --append-turns not negative")}
			}
			return a.benchIngest(cmd.Context(), o)
		},
	}
	cmd.Flags().IntSliceVar(&o.Connections, "connections", []int{1, 8, 64, 256}, "how many connections, `N,…`")
	cmd.Flags().IntVar(&o.Rounds, "rounds", 3, "measure each `N` times; the medians are shown")
	cmd.Flags().DurationVar(&o.Length, "length", 5*time.Second, "how long each measurement takes")
	cmd.Flags().Float64Var(&o.rate, "rate", 0, "the open loop's webhooks a second; 0: half of what the closed loop reached")
	cmd.Flags().IntVar(&o.turns, "append-turns", 15, "measure the log alone `N` times")
	cmd.Flags().BoolVar(&o.json, "json", false, "print the medians as JSON")
	return cmd
}

// benchIngest measures in a database of its own.
func (a *app) benchIngest(ctx context.Context, o ingestOptions) error {
	return a.withBench(ctx, slices.Max(o.Connections), func(b benchPlace) error {
		return b.migrated(ctx, func(url string) error {
			result, err := a.measureIngest(ctx, o, url, b.folder)
			if err != nil {
				return err
			}
			if o.json {
				return result.WriteJSON(a.stdout)
			}
			return result.WriteTable(a.stdout)
		})
	})
}

// measureIngest runs the server while the door is measured, and ends it before the log alone is.
func (a *app) measureIngest(ctx context.Context, o ingestOptions, url, folder string) (bench.Result, error) {
	pool, err := openPool(ctx, url, readConnections)
	if err != nil {
		return bench.Result{}, err
	}
	defer pool.Close()
	if err := a.introduce(ctx, pool); err != nil {
		return bench.Result{}, err
	}
	result, err := a.measureDoor(ctx, o, pool, url, folder)
	if err != nil || o.turns == 0 {
		return result, err
	}
	result.Append, err = bench.MeasureAppend(ctx, pool, eventstore.New(pool, eventstore.Config{}), o.turns, 20)
	return result, err
}

func (a *app) measureDoor(ctx context.Context, o ingestOptions, pool *pgxpool.Pool, url, folder string) (result bench.Result, err error) {
	child, err := a.startServer(ctx, url, folder, time.UTC, bench.Source)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, child.stop()) }()
	b := bench.NewIngest(child.measured(url, pool), o.Plan, func(done, of int) { fmt.Fprintf(a.stderr, "\rclosed loop %d of %d ", done, of) })
	if result.Levels, err = b.Closed(ctx); err != nil {
		return result, err
	}
	fmt.Fprintln(a.stderr)
	for _, l := range result.Levels {
		open, err := b.Open(ctx, l.Connections, cmp.Or(o.rate, l.Median()/2))
		if err != nil {
			return result, err
		}
		result.Open = append(result.Open, open)
	}
	return result, nil
}

// caughtUp waits until everything in the log is folded for those who read.
func caughtUp(ctx context.Context, reader *projection.Reader) error {
	for {
		shards, err := reader.Progress(ctx)
		if err != nil {
			return err
		}
		behind := false
		for _, s := range shards {
			if s.State != "serving" {
				continue // the previous one stopped, and a rebuild looks after its own
			}
			if s.Halted != "" {
				return fmt.Errorf("the projection of %s halted: %s", s.Source, s.Halted)
			}
			behind = behind || s.Position < s.Tail
		}
		if !behind {
			return nil
		}
		sleep(ctx, 50*time.Millisecond)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}
