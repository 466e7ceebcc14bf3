package query

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
	"queuetrack/projection/board"
	"queuetrack/projection/estimate"
)

// estimated is how long somebody has to wait, on the wire.
type estimated struct {
	WaitSeconds int64  `json:"wait_seconds" minimum:"0" doc:"From now on."`
	LowSeconds  *int64 `json:"low_seconds" minimum:"0" doc:"One wait in five is shorter; null as long as none has ended to tell by."`
	HighSeconds *int64 `json:"high_seconds" minimum:"0" doc:"One wait in five is longer; null as long as none has ended to tell by."`
}

// maybeEstimate is null where nothing can be told.
type maybeEstimate struct{ *estimated }

// MarshalJSON implements json.Marshaler.
func (m maybeEstimate) MarshalJSON() ([]byte, error) { return marshal(m.estimated) }

// Schema implements huma.SchemaProvider.
func (maybeEstimate) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{
		Description: "How long somebody who comes now has to wait, or, of a ticket, how much longer it has: from the queue's pace of late, " +
			"who stands before them, and how long the first in line has waited. On a screen, show the range in steps of five minutes. " +
			"Null: it can't be told, since fewer than 3 have left the line today, and fewer than 30 ever; with as_of; and with as_of_position " +
			"in the list of all queues: ask for one.",
		AnyOf: []*huma.Schema{r.Schema(typeOf[estimated](), true, "Estimate"), {Type: "null"}},
	}
}

// estimates are what the queues have seen now, or the one asked about by a position; nil where nothing is told: about an
// instant, for which nobody knows what had been told, and about all queues by a position, which would read all their past.
func (d *Door) estimates(ctx context.Context, v *projection.View, f board.Filter, q *question) (*estimate.Pasts, error) {
	switch {
	case !q.asOf.IsZero(), q.told != nil && f.Queue == "":
		return nil, nil
	case q.told != nil:
		model := estimate.Model{Zones: map[string]*time.Location{f.Source: d.zoneOf(f.Source)}}
		return model.At(ctx, v, estimate.QueueID{Source: f.Source, Queue: f.Queue}, q.told[f.Source])
	}
	return estimate.Now(ctx, v, f.Source)
}

// newcomer is the estimate for somebody who comes to the queue now.
func (d *Door) newcomer(pasts *estimate.Pasts, row board.Queue, now time.Time) maybeEstimate {
	if pasts == nil {
		return maybeEstimate{}
	}
	line := estimate.Line{Ahead: row.Ahead, Head: row.HeadEntry}
	return estimatedOf(pasts.Newcomer(estimate.QueueID{Source: row.Source, Queue: row.Queue}, now, d.zoneOf(row.Source), line))
}

// remaining is the estimate for a ticket that waits, behind so many.
func (d *Door) remaining(pasts *estimate.Pasts, t board.Ticket, ahead int, now time.Time) maybeEstimate {
	if pasts == nil || t.Status != ticket.StatusWaiting {
		return maybeEstimate{}
	}
	return estimatedOf(pasts.Remaining(estimate.QueueID{Source: t.Source, Queue: t.Queue}, now, d.zoneOf(t.Source), int64(ahead)))
}

func estimatedOf(e estimate.Estimate, ok bool) maybeEstimate {
	if !ok {
		return maybeEstimate{}
	}
	wire := &estimated{WaitSeconds: e.Wait}
	if e.Ranged {
		wire.LowSeconds, wire.HighSeconds = &e.Low, &e.High
	}
	return maybeEstimate{wire}
}
