package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"queuetrack/cmd/queuetrack/bench"
)

// rebuildBenchOptions are the flags of bench rebuild.
type rebuildBenchOptions struct {
	bench.RebuildPlan
	sources       int
	readers       int
	readersEvents int64
	rate          float64
	json          bool
}

func newBenchRebuild(a *app) *cobra.Command {
	var o rebuildBenchOptions
	cmd := &cobra.Command{
		Use:   "rebuild",
		Short: "Events a second that a rebuild folds, its memory, and what readers notice",
		Long: `Fills a log as the door would have, in a database of its own (made on the server of --database-url and dropped at the
end, or on a private Postgres in a temporary folder), and runs 'queuetrack rebuild' on it as another process.

Turn about with it runs the yardstick: SQL that fills the same tables (but for the estimates', which no SQL folds) from the same
log in a handful of statements, each row as a rebuild writes it, for the ways only that the tickets of this log go. RATIO is how many times longer the rebuild takes,
the median of the rounds. The tables to fill are full before each rebuild, which has to clear them first, as it has in
life; the yardstick finds them empty. CPU is the rebuild's own process, PEAK MIB its memory; POSTGRES CPU all that the
database's server did meanwhile. Neither memory is told on systems other than Linux.

Then, on a log of --readers-events, so many readers ask a running server one question after the other while webhooks arrive
and a rebuild runs: no answer may fail, none may be older than one given before, none may wait for the switch.`,
		Example: `  queuetrack bench rebuild
  queuetrack bench rebuild --events 1000000,10000000 --rounds 1 --database-url postgres://postgres@localhost/postgres`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return usageError{err}
			}
			return a.benchRebuild(cmd.Context(), o)
		},
	}
	cmd.Flags().Int64SliceVar(&o.Events, "events", []int64{1_000_000}, "how many events the log has, `N,…`; a line each")
	cmd.Flags().IntVar(&o.Rounds, "rounds", 3, "measure each `N` times; the medians are shown")
	cmd.Flags().IntVar(&o.sources, "sources", 1, "how many sources share the events")
	cmd.Flags().IntVar(&o.readers, "readers", 8, "how many readers ask during a rebuild; 0: leave that out")
	cmd.Flags().Int64Var(&o.readersEvents, "readers-events", 200_000, "how many events the log has that they ask about")
	cmd.Flags().Float64Var(&o.rate, "readers-rate", 500, "webhooks a second meanwhile")
	cmd.Flags().BoolVar(&o.json, "json", false, "print the medians as JSON")
	return cmd
}

func (o rebuildBenchOptions) check() error {
	switch {
	case len(o.Events) == 0 && o.readers == 0:
		return errors.New("there is nothing to measure: neither --events nor --readers")
	case len(o.Events) > 0 && slices.Min(o.Events) < 1000, o.readersEvents < 5000:
		return errors.New("--events are at least 1000, --readers-events at least 5000")
	case o.Rounds < 1, o.sources < 1, o.sources > 100:
		return errors.New("--rounds is at least 1, --sources 1 to 100")
	case o.readers < 0, o.readers > 1000, o.rate <= 0:
		return errors.New("--readers are 0 to 1000, --readers-rate is above 0")
	}
	return nil
}

// benchRebuild measures each length of the log in a database of its own, and the readers in one more.
func (a *app) benchRebuild(ctx context.Context, o rebuildBenchOptions) error {
	o.Sources = []string{bench.Source}
	for n := 2; n <= o.sources; n++ {
		o.Sources = append(o.Sources, fmt.Sprintf("%s-%d", bench.Source, n))
	}
	return a.withBench(ctx, readConnections, func(b benchPlace) error {
		var result bench.RebuildResult
		for _, events := range o.Events {
			err := b.migrated(ctx, func(url string) error {
				level, err := a.measureRebuild(ctx, o.RebuildPlan, events, url, b.folder)
				result.Levels = append(result.Levels, level)
				return err
			})
			if err != nil {
				return err
			}
		}
		if o.readers > 0 {
			err := b.migrated(ctx, func(url string) (err error) {
				result.Readers, err = a.measureReaders(ctx, o, url, b.folder)
				return err
			})
			if err != nil {
				return err
			}
		}
		if o.json {
			return result.WriteJSON(a.stdout)
		}
		return result.WriteTable(a.stdout)
	})
}

func (a *app) measureRebuild(ctx context.Context, p bench.RebuildPlan, events int64, url, folder string) (bench.RebuildLevel, error) {
	pool, err := openPool(ctx, url, readConnections)
	if err != nil {
		return bench.RebuildLevel{}, err
	}
	defer pool.Close()
	if err := a.introduce(ctx, pool); err != nil {
		return bench.RebuildLevel{}, err
	}
	file, _, err := benchConfig(folder, time.UTC, p.Sources...)
	if err != nil {
		return bench.RebuildLevel{}, err
	}
	rebuild := func(ctx context.Context) (*exec.Cmd, error) {
		return ourselves(ctx, url, "rebuild", "--json", "--config", file)
	}
	return bench.MeasureRebuild(ctx, pool, rebuild, p, events, func(now string) { fmt.Fprintln(a.stderr, now) })
}

// measureReaders runs a server beside the rebuild.
func (a *app) measureReaders(ctx context.Context, o rebuildBenchOptions, url, folder string) (seen *bench.Readers, err error) {
	pool, err := openPool(ctx, url, readConnections)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	fmt.Fprintf(a.stderr, "%d readers on a log of %d events\n", o.readers, o.readersEvents)
	if err := bench.FillLog(ctx, pool, []string{bench.Source}, o.readersEvents); err != nil {
		return nil, err
	}
	child, err := a.startServer(ctx, url, folder, time.UTC, bench.Source)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, child.stop()) }()
	rebuild := func(ctx context.Context) (*exec.Cmd, error) {
		return ourselves(ctx, url, "rebuild", "--json", "--config", child.config)
	}
	readers, err := bench.MeasureReaders(ctx, child.measured(url, pool), rebuild, o.readers, o.rate)
	return &readers, err
}
