package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"

	"queuetrack/projection"
)

// rebuildOptions are the flags of rebuild.
type rebuildOptions struct {
	rollback, discard, json bool
}

func newRebuild(a *app) *cobra.Command {
	var o rebuildOptions
	cmd := &cobra.Command{
		Use:   "rebuild",
		Short: "Fold the log anew, beside what readers see, and let them see the result",
		Long: `Fills a new generation of the read models from the log, while the one that serves goes on serving and following.
When the new one is as far in every source, one short transaction lets all readers see it: none waits, none sees a part of
it, none goes back in time. Then the command returns.

It may be interrupted at any moment and goes on where it stopped; run it again. Two at a time there can't be: the second
one says who is at it. The generation before is kept until the next rebuild: --rollback folds into it what came since, and
goes back to it, by the same rule. It is what the code and the settings of then made of the log: 'queuetrack serve' and
GET /v1/projections go on saying that it is not what today's would.

GET /v1/projections/rebuild tells how far one is, whichever process is at it; a POST there has a server do the same in the
background.

It needs a rebuild to apply a new version's fold or changed settings (timezone, serving_tab, unassigned_owner) to what was
folded before them; the server says so where one is due. 'queuetrack verify' tells whether one is needed for other reasons.`,
		Example: `  queuetrack rebuild --config queuetrack.yaml
  queuetrack rebuild --rollback --config queuetrack.yaml`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.rollback && o.discard {
				return usageError{errors.New("--rollback and --discard: choose one")}
			}
			return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error { return a.rebuild(ctx, p, o) })
		},
	}
	cmd.Flags().BoolVar(&o.rollback, "rollback", false, "go back to the generation that served before")
	cmd.Flags().BoolVar(&o.discard, "discard", false, "drop what an interrupted rebuild has filled")
	cmd.Flags().BoolVar(&o.json, "json", false, "tell the progress as lines of JSON on standard output")
	return cmd
}

// rebuilder returns what fills generations for this configuration.
func (p *parts) rebuilder(logger *slog.Logger) *projection.Rebuilder {
	return projection.NewRebuilder(p.pools.filling, p.log, p.sources, p.models(),
		projection.Config{Logger: logger, Tracer: p.config.tracer, Fingerprint: p.reader.Fingerprint})
}

func (a *app) rebuild(ctx context.Context, p *parts, o rebuildOptions) error {
	r := p.rebuilder(p.config.logger(a.stderr, slog.LevelWarn))
	if o.discard {
		if err := r.Discard(ctx); err != nil {
			return err
		}
		fmt.Fprintln(a.stdout, "discarded")
		return nil
	}
	work := r.Rebuild
	if o.rollback {
		work = r.Rollback
	}
	report, end := a.reportRebuild(o.json)
	done, err := work(ctx, report)
	end()
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("interrupted; run it again to go on: %w", err)
	case isAway(err):
		return fmt.Errorf("the database went away; run it again when it is back, to go on: %w", err)
	case err != nil:
		return err
	}
	if o.json {
		return writeLine(a.stdout, doneLine(done))
	}
	a.sayRebuilt(ctx, p, done)
	return nil
}

// isAway reports whether the database ended the connection, or there was none to be had.
func isAway(err error) bool {
	var network net.Error
	var answer *pgconn.PgError
	switch {
	case err == nil:
		return false
	case errors.As(err, &answer):
		return strings.HasPrefix(answer.Code, "57P") || strings.HasPrefix(answer.Code, "08")
	}
	return errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || pgconn.SafeToRetry(err)
}

// reportRebuild shows the progress: as lines of JSON, else as a bar where somebody can see it.
func (a *app) reportRebuild(asJSON bool) (report func(projection.Rebuilding), end func()) {
	if asJSON {
		return func(r projection.Rebuilding) { _ = writeLine(a.stdout, progressLine(r)) }, func() {}
	}
	b := a.newBar("rebuild", "events")
	return func(r projection.Rebuilding) {
		if r.Total > 0 {
			b.describe(string(r.Phase))
			b.set(r.Events, r.Total)
		}
	}, b.end
}

// rebuildLine is a line of JSON about a rebuild.
type rebuildLine struct {
	Phase       projection.Phase `json:"phase"`
	Generation  int              `json:"generation"`
	Events      int64            `json:"events"`
	Total       int64            `json:"total"`
	Rate        float64          `json:"events_per_second"`
	LeftSeconds *float64         `json:"left_seconds,omitempty"` // absent: not known
	Seconds     *float64         `json:"seconds,omitempty"`      // of the last line
	Differing   *int64           `json:"differing_tickets,omitempty"`
	Some        []string         `json:"differing,omitempty"`
}

// phaseDone is the last line's.
const phaseDone projection.Phase = "done"

func progressLine(r projection.Rebuilding) rebuildLine {
	line := rebuildLine{Phase: r.Phase, Generation: r.Generation, Events: r.Events, Total: r.Total, Rate: r.Rate}
	if left := r.Left(); left > 0 {
		line.LeftSeconds = new(left.Seconds())
	}
	return line
}

func doneLine(r projection.Rebuilt) rebuildLine {
	return rebuildLine{
		Phase: phaseDone, Generation: r.Generation, Events: r.Events, Total: r.Events, Rate: float64(r.Events) / r.Took.Seconds(),
		Seconds: new(r.Took.Seconds()), Differing: &r.Differences.Tickets, Some: r.Differences.Some,
	}
}

func writeLine(w io.Writer, line any) error {
	if err := json.NewEncoder(w).Encode(line); err != nil {
		return fmt.Errorf("write the progress: %w", err)
	}
	return nil
}

func (a *app) sayRebuilt(ctx context.Context, p *parts, r projection.Rebuilt) {
	fmt.Fprintf(a.stdout, "generation %d serves now, after %d: %s folded in %s\n", r.Generation, r.Before,
		counted(r.Events, "event"), r.Took.Round(time.Millisecond))
	if n := r.Differences.Tickets; n > 0 {
		fmt.Fprintf(a.stdout, "%s another state than before: %s\n", told(n), strings.Join(r.Differences.Some, " "))
	}
	if drift, err := p.reader.Drift(ctx); err == nil && drift.Any() {
		fmt.Fprintln(a.stdout, "it was folded by another version or with other settings than today's: a rebuild is due")
	}
}

func told(n int64) string {
	if n == 1 {
		return "1 ticket has"
	}
	return fmt.Sprintf("%d tickets have", n)
}
