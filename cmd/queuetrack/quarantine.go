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
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"queuetrack/api"
	"queuetrack/api/query"
	"queuetrack/api/render"
	"queuetrack/eventstore"
)

func newQuarantine(a *app) *cobra.Command {
	return group(&cobra.Command{
		Use:   "quarantine",
		Short: "Authentic webhooks that can't be used: look at them, and try again",
	}, newQuarantineList(a), newQuarantineShow(a), newQuarantineRetry(a))
}

func newQuarantineList(a *app) *cobra.Command {
	var source, format string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what is quarantined, with the cause",
		Long: `Lists the webhooks that were authentic and could not be used: unreadable ones, and replays, which came again long
after they had been received first. Each is kept as it came; 'show' prints it, 'retry' takes it out.
--format json gives the answer of GET /v1/quarantine, in one piece.`,
		Example: `  queuetrack quarantine list --config queuetrack.yaml --source city`,
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]render.Format{render.FormatTable, render.FormatJSON}, render.Format(format)) {
				return usageError{fmt.Errorf("--format %q: table or json", format)}
			}
			return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error {
				return a.listQuarantine(ctx, p, source, render.Format(format))
			})
		},
	}
	cmd.Flags().StringVar(&source, "source", "", "only the source of this `NAME`")
	cmd.Flags().StringVar(&format, "format", string(render.FormatTable), "`FORMAT`: table or json")
	return cmd
}

func newQuarantineShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show SOURCE POSITION",
		Short: "Print one quarantined webhook with its body",
		Long: `Prints what is known of a quarantined webhook, and its body: as text, with what a terminal would obey written out
(\x1b), or in base64 when it is no UTF-8. A body may hold a visitor's name and phone number.
Exit code 1 when there is no such quarantined event.`,
		Example: `  queuetrack quarantine show city 184224`,
		Args:    args(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			position, err := parsePosition(args[1])
			if err != nil {
				return err
			}
			return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error {
				return a.showQuarantined(ctx, p, args[0], position)
			})
		},
	}
}

func newQuarantineRetry(a *app) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "retry SOURCE POSITION",
		Short: "Append a quarantined webhook anew, to be folded",
		Long: `For after an adapter or the configuration was mended, and for a replay that was genuine: appends the webhook anew,
past deduplication and once, with the time of its first receipt. The quarantined original stays as it is.
Exit code 1 when it still can't be used, was retried already, or isn't quarantined.

With --all instead of a position, every webhook of the source that was not retried yet is tried, and each outcome
printed. Replays are left alone: whether one is genuine is to be decided one by one.`,
		Example: `  queuetrack quarantine retry city 184224
  queuetrack quarantine retry city --all`,
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) == 2) {
				return usageError{errors.New("give a position, or --all")}
			}
			if all {
				return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error { return a.retryAll(ctx, p, args[0]) })
			}
			position, err := parsePosition(args[1])
			if err != nil {
				return err
			}
			return a.withParts(cmd.Context(), func(ctx context.Context, p *parts) error { return a.retry(ctx, p, args[0], position) })
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "everything but replays that was not retried yet")
	return cmd
}

func parsePosition(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, usageError{fmt.Errorf("position %q: a whole number from 1", text)}
	}
	return n, nil
}

// quarantinePage is how many are in memory at a time.
const quarantinePage = 500

// quarantine walks over what is quarantined of one source, or of all for "". Of a source that is no longer configured
// nothing is told, as over REST.
func (p *parts) quarantine(ctx context.Context, source string) iter.Seq2[eventstore.Held, error] {
	return func(yield func(eventstore.Held, error) bool) {
		last := eventstore.Held{}
		for {
			page, err := p.log.Quarantine(ctx, source, last.Source, last.Position, quarantinePage)
			if err != nil {
				yield(eventstore.Held{}, err)
				return
			}
			for _, last = range page {
				if _, configured := p.sources[last.Source]; configured && !yield(last, nil) {
					return
				}
			}
			if len(page) < quarantinePage {
				return
			}
		}
	}
}

func (a *app) listQuarantine(ctx context.Context, p *parts, source string, format render.Format) error {
	if source != "" {
		if _, err := p.config.source(source); err != nil {
			return err
		}
	}
	list := []eventstore.Held{}
	for h, err := range p.quarantine(ctx, source) {
		if err != nil {
			return err
		}
		list = append(list, h)
	}
	if format == render.FormatJSON {
		return writeQuarantine(a.stdout, list)
	}
	if len(list) == 0 {
		fmt.Fprintln(a.stdout, "nothing is quarantined")
		return nil
	}
	return tabulateQuarantine(a.stdout, list)
}

func writeQuarantine(w io.Writer, list []eventstore.Held) error {
	answer := query.List[query.Quarantined]{Items: []query.Quarantined{}}
	for _, h := range list {
		answer.Items = append(answer.Items, query.QuarantinedOf(h))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(answer)
}

func tabulateQuarantine(w io.Writer, list []eventstore.Held) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SOURCE\tPOSITION\tRECEIVED\tTICKET\tTYPE\tRETRIED AS\tCAUSE")
	for _, h := range list {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", h.Source, h.Position, instant(h.ReceivedAt),
			first(oneLine(h.Ticket), "-"), oneLine(h.Type), positionOr(h.RetriedAs, "-"), oneLine(h.Quarantined))
	}
	return table.Flush()
}

func (a *app) showQuarantined(ctx context.Context, p *parts, source string, position int64) error {
	if _, err := p.config.source(source); err != nil {
		return err
	}
	h, err := p.log.Held(ctx, source, position)
	if err != nil {
		return err
	}
	for _, line := range [][2]string{
		{"source", h.Source},
		{"position", positionOr(h.Position, "")},
		{"ticket", first(oneLine(h.Ticket), "-")},
		{"type", oneLine(h.Type)},
		{"occurred_at", first(instant(h.OccurredAt), "-")},
		{"received_at", instant(h.ReceivedAt)},
		{"verified_by", h.VerifiedBy},
		{"digest", hex.EncodeToString(h.Digest[:])},
		{"cause", oneLine(h.Quarantined)},
		{"retried_as", positionOr(h.RetriedAs, "-")},
	} {
		fmt.Fprintf(a.stdout, "%-12s %s\n", line[0], line[1])
	}
	body, encoding := legible(h.Body)
	fmt.Fprintf(a.stdout, "\nbody, %s%s:\n%s\n", counted(len(h.Body), "byte"), encoding, body)
	return nil
}

func (a *app) retry(ctx context.Context, p *parts, source string, position int64) error {
	if _, err := p.config.source(source); err != nil {
		return err
	}
	appended, err := p.operator(time.Now).Retry(ctx, source, position)
	var refused *api.Problem
	if errors.As(err, &refused) {
		return errors.New(oneLine(refused.Detail))
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "accepted position %d of %s at position %d\n", position, source, appended)
	return nil
}

// retryAll goes on behind what can't be used, and stops where something else goes wrong.
func (a *app) retryAll(ctx context.Context, p *parts, source string) error {
	if _, err := p.config.source(source); err != nil {
		return err
	}
	accepted, left, operator := 0, 0, p.operator(time.Now)
	for h, err := range p.quarantine(ctx, source) {
		if err != nil {
			return err
		}
		if h.RetriedAs > 0 {
			continue
		}
		if h.Replay() {
			left++
			fmt.Fprintf(a.stdout, "%d: left alone: %s\n", h.Position, oneLine(h.Quarantined))
			continue
		}
		appended, err := operator.Retry(ctx, source, h.Position)
		var refused *api.Problem
		switch {
		case err == nil:
			accepted++
			fmt.Fprintf(a.stdout, "%d: accepted at position %d\n", h.Position, appended)
		case errors.As(err, &refused): // by now another one may have retried it
			if errors.Is(err, api.NewProblem(api.KindStillUnusable, "")) {
				left++
			}
			fmt.Fprintf(a.stdout, "%d: %s\n", h.Position, oneLine(refused.Detail))
		default:
			return err
		}
	}
	fmt.Fprintf(a.stdout, "accepted %d, left %d in quarantine\n", accepted, left)
	return nil
}

func positionOr(n int64, none string) string {
	if n == 0 {
		return none
	}
	return strconv.FormatInt(n, 10)
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
