package query

import (
	"context"
	"time"

	"queuetrack/projection"
	"queuetrack/projection/history"
)

// historyEntry is one event in a ticket's history, on the wire.
type historyEntry struct {
	Position    int64             `json:"position" minimum:"1" doc:"In the source's log."`
	Type        string            `json:"type" doc:"The vendor's name of the event." example:"ticket_created"`
	Transitions []string          `json:"transitions" nullable:"false" doc:"What was made of it. May grow."`
	OccurredAt  *time.Time        `json:"occurred_at" doc:"By the vendor's clock; null: the webhook tells no time."`
	ReceivedAt  *time.Time        `json:"received_at" nullable:"false" doc:"By our clock."`
	RepeatOf    *int64            `json:"repeat_of" doc:"The quarantined position that it repeats; null: it came from the vendor."`
	Detail      map[string]string `json:"detail" doc:"What the event itself said: status, queue, desk, agent, label, by, reason."`
}

type historyInput struct {
	Source string `path:"source"`
	Ticket string `path:"ticket" doc:"The vendor's id."`
	Least
	Paged
}

func (d *Door) getHistory(ctx context.Context, in *historyInput) (answer Folded[historyEntry], err error) {
	if err := d.requireSource(in.Source); err != nil {
		return answer, err
	}
	var p parser
	asked := p.page(ctx, in.Paged, 1)
	after := p.afterPosition(asked, 0)
	q := d.question(&p, in.Least)
	if err := p.err(); err != nil {
		return answer, err
	}
	err = d.answer(ctx, q, func(v *projection.View) error {
		answer.Positions = d.positions(v)
		if _, err := findTicket(ctx, v, in.Source, in.Ticket); err != nil {
			return err
		}
		rows, err := history.Of(ctx, v, in.Source, in.Ticket, after, asked.limit+1)
		if err != nil {
			return err
		}
		rows, answer.Next = trim(rows, asked, func(e history.Entry) []string { return []string{decimal(e.Position)} })
		answer.Items = convert(rows, historyEntryOf)
		return nil
	})
	return answer, err
}

func historyEntryOf(e history.Entry) historyEntry {
	detail := e.Detail
	if detail == nil {
		detail = map[string]string{}
	}
	return historyEntry{
		Position: e.Position, Type: e.Type, Transitions: words(e.Transitions),
		OccurredAt: at(e.OccurredAt), ReceivedAt: at(e.ReceivedAt), RepeatOf: optional(e.RepeatOf), Detail: detail,
	}
}
