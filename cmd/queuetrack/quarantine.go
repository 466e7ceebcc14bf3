package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"queuetrack/api"
	"queuetrack/api/query"
	"queuetrack/eventstore"
)

func newQuarantine(a *app) *cobra.Command {
	return group(&cobra.Command{
		Use:   "quarantine",
		Short: "Authentic webhooks that can't be used: look at them, and try again",
	}, newQuarantineList(a), newQuarantineShow(a), newQuarantineRetry(a))
}

// quarantined is what was authentic and could not be used.
func quarantined() backlog[eventstore.Held, query.Quarantined] {
	return backlog[eventstore.Held, query.Quarantined]{
		page: func(ctx context.Context, p *parts, source string, after eventstore.Held) ([]eventstore.Held, error) {
			return p.log.Quarantine(ctx, source, after.Source, after.Position, backlogPage)
		},
		source: func(h eventstore.Held) string { return h.Source },
		item:   query.QuarantinedOf,
		head:   "SOURCE\tPOSITION\tRECEIVED\tTICKET\tTYPE\tRETRIED AS\tCAUSE",
		row: func(h eventstore.Held) string {
			return fmt.Sprintf("%s\t%d\t%s\t%s\t%s\t%s\t%s", h.Source, h.Position, instant(h.ReceivedAt),
				first(oneLine(h.Ticket), "-"), oneLine(h.Type), positionOr(h.RetriedAs, "-"), oneLine(h.Quarantined))
		},
		empty: "nothing is quarantined",
	}
}

func newQuarantineList(a *app) *cobra.Command {
	return quarantined().listCommand(a, &cobra.Command{
		Short: "List what is quarantined, with the cause",
		Long: `Lists the webhooks that were authentic and could not be used: unreadable ones, and replays, which came again long
after they had been received first. Each is kept as it came; 'show' prints it, 'retry' takes it out.
--format json gives the answer of GET /v1/quarantine, in one piece.`,
		Example: `  queuetrack quarantine list --config queuetrack.yaml --source city`,
	})
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
		RunE:    a.atPosition(a.showQuarantined),
	}
}

func newQuarantineRetry(a *app) *cobra.Command {
	return a.retryCommand(&cobra.Command{
		Short: "Append a quarantined webhook anew, to be folded",
		Long: `For after an adapter or the configuration was mended, and for a replay that was genuine: appends the webhook anew,
past deduplication and once, with the time of its first receipt. The quarantined original stays as it is.
Exit code 1 when it still can't be used, was retried already, or isn't quarantined.

With --all instead of a position, every webhook of the source that was not retried yet is tried, and each outcome
printed. Replays are left alone: whether one is genuine is to be decided one by one.`,
		Example: `  queuetrack quarantine retry city 184224
  queuetrack quarantine retry city --all`,
	}, "everything but replays that was not retried yet", a.retry, a.retryAll)
}

func (a *app) showQuarantined(ctx context.Context, p *parts, source string, position int64) error {
	h, err := p.log.Held(ctx, source, position)
	if err != nil {
		return err
	}
	showFields(a.stdout, [][2]string{
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
	})
	showBody(a.stdout, h.Body)
	return nil
}

func (a *app) retry(ctx context.Context, p *parts, source string, position int64) error {
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
	accepted, left, operator := 0, 0, p.operator(time.Now)
	for h, err := range quarantined().walk(ctx, p, source) {
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
