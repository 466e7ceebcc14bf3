package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"queuetrack/api/query"
	"queuetrack/api/render"
	"queuetrack/projection"
)

func newDeadLetters(a *app) *cobra.Command {
	return group(&cobra.Command{
		Use:   "dead-letters",
		Short: "Events that can't be folded, and hold up their ticket: look at them, retry or dismiss them",
	}, newDeadLettersList(a), newDeadLettersShow(a), newDeadLettersRetry(a), newDeadLettersDismiss(a))
}

func newDeadLettersList(a *app) *cobra.Command {
	var source, format string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what can't be folded, with the cause",
		Long: `Lists the events that could not be decoded or folded. Each holds up its own ticket, whose later events wait behind it;
everything else goes on. 'retry' one after its cause was mended, or 'dismiss' it.
--format json gives the answer of GET /v1/dead-letters, in one piece and without positions.`,
		Example: `  queuetrack dead-letters list --config queuetrack.yaml --source city`,
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]render.Format{render.FormatTable, render.FormatJSON}, render.Format(format)) {
				return usageError{fmt.Errorf("--format %q: table or json", format)}
			}
			return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error {
				return a.listDeadLetters(ctx, p, source, render.Format(format))
			})
		},
	}
	cmd.Flags().StringVar(&source, "source", "", "only the source of this `NAME`")
	cmd.Flags().StringVar(&format, "format", string(render.FormatTable), "`FORMAT`: table or json")
	return cmd
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
		RunE: a.withLetter(func(ctx context.Context, p *parts, source string, position int64) error {
			return a.showDeadLetter(ctx, p, source, position, body)
		}),
	}
	cmd.Flags().BoolVar(&body, "body", false, "with its body")
	return cmd
}

// withLetter reads a command's SOURCE and POSITION.
func (a *app) withLetter(do func(ctx context.Context, p *parts, source string, position int64) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		position, err := parsePosition(args[1])
		if err != nil {
			return err
		}
		return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error {
			if _, err := p.config.source(args[0]); err != nil {
				return err
			}
			return do(ctx, p, args[0], position)
		})
	}
}

// deadLettersPage is how many are in memory at a time.
const deadLettersPage = 500

// deadLetters walks over those of one source, or of all for "". Of a source that is no longer configured nothing is told,
// as over REST.
func (p *parts) deadLetters(ctx context.Context, source string) iter.Seq2[projection.DeadLetter, error] {
	return func(yield func(projection.DeadLetter, error) bool) {
		last := projection.DeadLetter{}
		for {
			page, err := p.reader.DeadLetters(ctx, source, last.Source, last.Position, deadLettersPage)
			if err != nil {
				yield(projection.DeadLetter{}, err)
				return
			}
			for _, last = range page {
				if _, configured := p.sources[last.Source]; configured && !yield(last, nil) {
					return
				}
			}
			if len(page) < deadLettersPage {
				return
			}
		}
	}
}

func (a *app) listDeadLetters(ctx context.Context, p *parts, source string, format render.Format) error {
	if source != "" {
		if _, err := p.config.source(source); err != nil {
			return err
		}
	}
	list := []projection.DeadLetter{}
	for l, err := range p.deadLetters(ctx, source) {
		if err != nil {
			return err
		}
		list = append(list, l)
	}
	if format == render.FormatJSON {
		return writeDeadLetters(a.stdout, list)
	}
	if len(list) == 0 {
		fmt.Fprintln(a.stdout, "everything could be folded")
		return nil
	}
	return tabulateDeadLetters(a.stdout, list)
}

func writeDeadLetters(w io.Writer, list []projection.DeadLetter) error {
	answer := query.List[query.DeadLetter]{Items: []query.DeadLetter{}}
	for _, l := range list {
		answer.Items = append(answer.Items, query.DeadLetterOf(l))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(answer)
}

func tabulateDeadLetters(w io.Writer, list []projection.DeadLetter) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SOURCE\tPOSITION\tTICKET\tWAITING\tCAUSE")
	for _, l := range list {
		fmt.Fprintf(table, "%s\t%d\t%s\t%d\t%s\n", l.Source, l.Position, first(oneLine(l.Ticket), "-"), l.Waiting, oneLine(l.Cause))
	}
	return table.Flush()
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
	for _, line := range [][2]string{
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
	} {
		fmt.Fprintf(a.stdout, "%-12s %s\n", line[0], line[1])
	}
	if withBody {
		body, encoding := legible(e.Body)
		fmt.Fprintf(a.stdout, "\nbody, %s%s:\n%s\n", counted(len(e.Body), "byte"), encoding, body)
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
	var all bool
	cmd := &cobra.Command{
		Use:   "retry SOURCE POSITION",
		Short: "Fold a dead letter, and what waits behind it",
		Long: `For after an adapter or the configuration was mended: folds the event, and the later ones of its ticket that wait behind
it, as if nothing had been wrong with it. Should one of those fail in turn, the ticket stands at that one.
Exit code 1 when it still can't be folded (nothing has changed then), waits behind another or is no dead letter.

With --all instead of a position, every dead letter of the source is tried, and each outcome printed.`,
		Example: `  queuetrack dead-letters retry city 184224
  queuetrack dead-letters retry city --all`,
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) == 2) {
				return usageError{errors.New("give a position, or --all")}
			}
			if all {
				return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error { return a.retryDeadLetters(ctx, p, args[0]) })
			}
			return a.withLetter(a.retryDeadLetter)(cmd, args)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every dead letter of the source")
	return cmd
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
		RunE:    a.withLetter(a.dismissDeadLetter),
	}
}
