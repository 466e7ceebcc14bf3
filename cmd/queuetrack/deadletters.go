package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"queuetrack/api/query"
	"queuetrack/projection"
)

func newDeadLetters(a *app) *cobra.Command {
	return group(&cobra.Command{
		Use:   "dead-letters",
		Short: "Events that can't be folded, and hold up their ticket: look at them, retry or dismiss them",
	}, newDeadLettersList(a), newDeadLettersShow(a), newDeadLettersRetry(a), newDeadLettersDismiss(a))
}

// deadLetters are what can't be folded.
func deadLetters() backlog[projection.DeadLetter, query.DeadLetter] {
	return backlog[projection.DeadLetter, query.DeadLetter]{
		page: func(ctx context.Context, p *parts, source string, after projection.DeadLetter) ([]projection.DeadLetter, error) {
			return p.reader.DeadLetters(ctx, source, after.Source, after.Position, backlogPage)
		},
		source: func(l projection.DeadLetter) string { return l.Source },
		item:   query.DeadLetterOf,
		head:   "SOURCE\tPOSITION\tTICKET\tWAITING\tCAUSE",
		row: func(l projection.DeadLetter) string {
			return fmt.Sprintf("%s\t%d\t%s\t%d\t%s", l.Source, l.Position, first(oneLine(l.Ticket), "-"), l.Waiting, oneLine(l.Cause))
		},
		empty: "everything could be folded",
	}
}

func newDeadLettersList(a *app) *cobra.Command {
	return deadLetters().listCommand(a, &cobra.Command{
		Short: "List what can't be folded, with the cause",
		Long: `Lists the events that could not be decoded or folded. Each holds up its own ticket, whose later events wait behind it;
everything else goes on. 'retry' one after its cause was mended, or 'dismiss' it.
--format json gives the answer of GET /v1/dead-letters, in one piece and without positions.`,
		Example: `  queuetrack dead-letters list --config queuetrack.yaml --source city`,
	})
}

func newDeadLettersShow(a *app) *cobra.Command {
	var body bool
	cmd := &cobra.Command{
		Use:   "show SOURCE POSITION",
		Short: "Print one dead letter",
		Long: `Prints what is known of a dead letter, with the first positions that wait behind it. --body adds its body: as text, with
what a terminal would obey written out (\x1b), or in base64 when it is no UTF-8. It may hold a visitor's name and phone
number. Exit code 1 when the event is no dead letter.`,
		Example: `  queuetrack dead-letters show city 184224 --body`,
		Args:    args(cobra.ExactArgs(2)),
		RunE: a.atPosition(func(ctx context.Context, p *parts, source string, position int64) error {
			return a.showDeadLetter(ctx, p, source, position, body)
		}),
	}
	cmd.Flags().BoolVar(&body, "body", false, "with its body")
	return cmd
}

func (a *app) showDeadLetter(ctx context.Context, p *parts, source string, position int64, withBody bool) error {
	l, behind, err := p.reader.DeadLetter(ctx, source, position, query.WaitingShown)
	if err != nil {
		return err
	}
	events, err := p.log.At(ctx, source, []int64{position})
	if err != nil {
		return err
	}
	if len(events) == 0 {
		return fmt.Errorf("the log of %s has no position %d", source, position)
	}
	e := events[0]
	showFields(a.stdout, [][2]string{
		{"source", l.Source},
		{"position", positionOr(l.Position, "")},
		{"ticket", first(oneLine(l.Ticket), "-")},
		{"type", oneLine(e.Type)},
		{"occurred_at", first(instant(e.OccurredAt), "-")},
		{"received_at", instant(e.ReceivedAt)},
		{"verified_by", e.VerifiedBy},
		{"digest", hex.EncodeToString(e.Digest[:])},
		{"cause", oneLine(l.Cause)},
		{"waiting", waitingLine(l.Waiting, behind)},
	})
	if withBody {
		showBody(a.stdout, e.Body)
	}
	return nil
}

// waitingLine is how many wait behind a dead letter, and which are the first.
func waitingLine(n int64, behind []int64) string {
	if n == 0 {
		return "0"
	}
	line := fmt.Sprintf("%d: %s", n, strings.Trim(fmt.Sprint(behind), "[]"))
	if n > int64(len(behind)) {
		line += " …"
	}
	return line
}

func newDeadLettersRetry(a *app) *cobra.Command {
	return a.retryCommand(&cobra.Command{
		Short: "Fold a dead letter, and what waits behind it",
		Long: `For after an adapter or the configuration was mended: folds the event, and the later ones of its ticket that wait behind
it, as if nothing had been wrong with it. Should one of those fail in turn, the ticket stands at that one.
Exit code 1 when it still can't be folded (nothing has changed then), waits behind another or is no dead letter.

With --all instead of a position, every dead letter of the source is tried, and each outcome printed.`,
		Example: `  queuetrack dead-letters retry city 184224
  queuetrack dead-letters retry city --all`,
	}, "every dead letter of the source", a.retryDeadLetter, a.retryDeadLetters)
}

func newDeadLettersDismiss(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "dismiss SOURCE POSITION",
		Short: "Never fold a dead letter, and go on behind it",
		Long: `For an event that nobody will ever make sense of: its ticket goes on without it, and what waits behind it is folded.
This is final. The log keeps the event, but no rebuild folds it either. Dismissing it again does nothing.
Exit code 1 when it is no dead letter, waits behind another, or while a rebuild or a rollback is under way.`,
		Example: `  queuetrack dead-letters dismiss city 184224`,
		Args:    args(cobra.ExactArgs(2)),
		RunE:    a.atPosition(a.dismissDeadLetter),
	}
}
