package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"queuetrack/eventstore"
	"queuetrack/projection"
)

func newVerify(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Re-check every invariant of the log and of the read models",
		Long: `Checks, in one snapshot of the database: positions are dense, digests match the bodies, checkpoints are not ahead
of the log, and the read models are row by row what the log folds to. Changes nothing; the server may be running.
Exit code 1, and a list, when something is wrong.`,
		Example: `  queuetrack verify --config queuetrack.yaml`,
		Args:    args(cobra.NoArgs),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.withParts(cmd.Context(), a.verify) },
	}
}

func (a *app) verify(ctx context.Context, p *parts) error {
	wrong := 0
	verified, err := projection.Verify(ctx, p.pools.reading, p.sources, models(), func(v eventstore.Violation) {
		wrong++
		fmt.Fprintln(a.stdout, describe(v))
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "checked %s, %s, %s: ", counted(verified.Sources, "source"),
		counted(verified.Events, "event"), counted(verified.Tickets, "ticket"))
	if wrong > 0 {
		fmt.Fprintf(a.stdout, "%s\n", counted(wrong, "violation"))
		return errNo
	}
	fmt.Fprintln(a.stdout, "ok")
	return nil
}

// describe is a violation on one line: where, then what.
func describe(v eventstore.Violation) string {
	where := v.Source
	if v.Position > 0 {
		where += fmt.Sprintf(":%d", v.Position)
	}
	if v.Ticket != "" {
		where += " ticket " + v.Ticket
	}
	return where + ": " + v.What
}
