package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// app is what every command has: the outside world, and the global flags.
type app struct {
	environ        []string
	stdin          io.Reader
	stdout, stderr io.Writer
	flags          globalFlags
}

// errNo ends a command with "the answer is no" after it has said so itself.
var errNo = errors.New("no")

// usageError is a mistake on the command line.
type usageError struct{ error }

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "queuetrack",
		Short: "Webhooks of queue and ticket systems in, who waits and how long out",
		Long: `queuetrack receives verified webhooks from Qminder, Ombori Queue and SuperOffice Service, keeps them in an
event log in Postgres, folds them into ticket lifecycles, and answers over REST: who is waiting now, how long
people waited, and what happened to one ticket.

Without --database-url it starts a private Postgres of its own.
Exit codes: 0 done, 1 the answer is no, 2 wrong usage.`,
		Example: `  queuetrack demo
  queuetrack serve --config queuetrack.yaml`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.CompletionOptions.HiddenDefaultCmd = true
	a.flags.register(root.PersistentFlags())
	root.AddCommand(
		newDemo(a), newServe(a), newMigrate(a), newVerify(a), newRebuild(a), newReport(a), newTickets(a), newQuarantine(a), newDeadLetters(a),
		newExport(a), newImport(a),
		newSend(a), newBench(a), newAPIKey(a), newConfig(a), newDoctor(a), newHealthcheck(a), newVersion(a),
	)
	return root
}

// group is a command that only holds others.
func group(cmd *cobra.Command, subcommands ...*cobra.Command) *cobra.Command {
	cmd.Args = unknownCommand
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return usageError{fmt.Errorf("%s needs a subcommand: %s", cmd.CommandPath(), names(cmd))}
	}
	cmd.AddCommand(subcommands...)
	return cmd
}

func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("unknown command %q; known: %s", args[0], names(cmd))
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		err = fmt.Errorf("unknown command %q; did you mean %s?", args[0], strings.Join(near, " or "))
	}
	return usageError{err}
}

func names(cmd *cobra.Command) string {
	var list []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			list = append(list, c.Name())
		}
	}
	return strings.Join(list, ", ")
}

// args wraps one of cobra's checks of a command's arguments, so that a mistake counts as wrong usage.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

// exitCode says what went wrong, once, and how to go on.
func (a *app) exitCode(cmd *cobra.Command, err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errNo):
		return exitNo
	case errors.As(err, &usage):
		fmt.Fprintf(a.stderr, "queuetrack: %v\nusage: %s\nSee '%s --help'.\n", err, cmd.UseLine(), cmd.CommandPath())
		return exitUsage
	}
	fmt.Fprintf(a.stderr, "queuetrack: %v\n", err)
	return exitNo
}
