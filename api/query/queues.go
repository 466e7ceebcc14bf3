package query

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/api"
	"queuetrack/projection"
	"queuetrack/projection/board"
	"queuetrack/projection/wait"
)

// QueueState is what stands in one queue, on the wire.
type QueueState struct {
	Source             string        `json:"source" doc:"The configured source." example:"city"`
	Queue              string        `json:"queue" doc:"The vendor's id." example:"37338"`
	Name               string        `json:"name" doc:"What it is called: in the configuration, else by the vendor, else its id." example:"Passports"`
	Location           *string       `json:"location" doc:"Where it is." example:"City Hall"`
	Waiting            int64         `json:"waiting" minimum:"0" doc:"Tickets that wait to be called."`
	Called             int64         `json:"called" minimum:"0" doc:"Tickets called, not yet at the desk or ended."`
	Serving            int64         `json:"serving" minimum:"0" doc:"Tickets at a desk, where the vendor reports the arrival."`
	OnHold             int64         `json:"on_hold" minimum:"0" doc:"Tickets postponed by an agent."`
	Booked             int64         `json:"booked" minimum:"0" doc:"Reservations that don't wait yet."`
	LongestWaitSeconds *int64        `json:"longest_wait_seconds" minimum:"0" doc:"Of those waiting; null: nobody waits."`
	Estimate           maybeEstimate `json:"estimate"`
	ServedToday        int64         `json:"served_today" minimum:"0" doc:"Visits to this queue that ended served since local midnight of the source."`
	LastEventAt        *time.Time    `json:"last_event_at" doc:"When the last event about the queue was received, as of now."`
}

// estimate is how long someone who comes now will wait.
type estimate struct {
	WaitSeconds int64 `json:"wait_seconds" minimum:"0"`
	LowSeconds  int64 `json:"low_seconds" minimum:"0"`
	HighSeconds int64 `json:"high_seconds" minimum:"0"`
}

// maybeEstimate is null where nothing can be told.
type maybeEstimate struct{ *estimate }

// MarshalJSON implements json.Marshaler.
func (m maybeEstimate) MarshalJSON() ([]byte, error) { return marshal(m.estimate) }

// Schema implements huma.SchemaProvider.
func (maybeEstimate) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{
		Description: "What somebody who comes now has to expect; null: it can't be told.",
		AnyOf:       []*huma.Schema{r.Schema(typeOf[estimate](), true, "Estimate"), {Type: "null"}},
	}
}

// queueAnswer is one queue by itself.
type queueAnswer struct {
	QueueState
	Positions map[string]int64 `json:"positions" doc:"How far each source's log was folded."`
}

type queuesInput struct {
	Source   string  `query:"source" doc:"Only this source."`
	Location string  `query:"location" doc:"Only queues at the location of this name."`
	AsOf     instant `query:"as_of" doc:"What was true at that instant, as known today; absent: now."`
}

type queueInput struct {
	Source string  `path:"source"`
	Queue  string  `path:"queue" doc:"The vendor's id."`
	AsOf   instant `query:"as_of" doc:"What was true at that instant, as known today; absent: now."`
}

func (d *Door) registerQueues(h huma.API) {
	get(d, h, operation{
		id: "list-queues", path: "/v1/queues", tag: tagNow,
		summary: "Every queue with what stands in it",
		details: "All of them in one answer, ordered by source and queue, configured ones that nobody entered yet included. " +
			"The queue \"\" holds the tickets that the vendor placed in none; it is listed while there are any, and has no address of its own.",
	}, d.listQueues)
	get(d, h, operation{
		id: "get-queue", path: "/v1/queues/{source}/{queue}", tag: tagNow, resource: true,
		summary: "One queue",
	}, d.getQueue)
	get(d, h, operation{
		id: "list-queue-tickets", path: "/v1/queues/{source}/{queue}/tickets", tag: tagNow, resource: true,
		summary: "The open tickets of a queue, in queue order",
		details: "Priority descending, then the vendor's order or the entry, then position in the log.",
	}, d.listQueueTickets)
}

func (d *Door) listQueues(ctx context.Context, in *queuesInput) (answer Folded[QueueState], err error) {
	var p parser
	source, asOf := d.source(&p, in.Source), p.instant("as_of", in.AsOf)
	if err := p.err(); err != nil {
		return answer, err
	}
	err = d.view(ctx, asOf, func(v *projection.View) error {
		answer.Positions = d.positions(v)
		answer.Items, err = d.queues(ctx, v, board.Filter{Source: source}, asOf)
		return err
	})
	answer.Items = slices.DeleteFunc(answer.Items, func(q QueueState) bool {
		return in.Location != "" && (q.Location == nil || *q.Location != in.Location)
	})
	return answer, err
}

func (d *Door) getQueue(ctx context.Context, in *queueInput) (answer queueAnswer, err error) {
	if err := d.requireSource(in.Source); err != nil {
		return answer, err
	}
	var p parser
	asOf := p.instant("as_of", in.AsOf)
	if err := p.err(); err != nil {
		return answer, err
	}
	err = d.view(ctx, asOf, func(v *projection.View) error {
		answer.Positions = d.positions(v)
		queues, err := d.queues(ctx, v, board.Filter{Source: in.Source, Queue: in.Queue}, asOf)
		if err != nil {
			return err
		}
		if len(queues) == 0 {
			return unknownQueue(in.Source, in.Queue)
		}
		answer.QueueState = queues[0]
		return nil
	})
	return answer, err
}

func unknownQueue(source, queue string) error {
	return api.NewProblem(api.KindUnknownQueue, "No ticket of "+source+" was ever in a queue "+quote(queue)+
		", and the configuration has none of this id. GET /v1/queues?source="+source+" lists them.")
}

// queues answers for all queues of the filter, ordered by source and queue.
func (d *Door) queues(ctx context.Context, v *projection.View, f board.Filter, asOf time.Time) ([]QueueState, error) {
	rows, err := standing(ctx, v, f, asOf)
	if err != nil {
		return nil, err
	}
	called, err := d.namesOf(ctx, v, f.Source)
	if err != nil {
		return nil, err
	}
	served, err := wait.ServedSince(ctx, v, d.midnights(v.Now), asOf)
	if err != nil {
		return nil, err
	}
	return convert(d.complete(rows, f), func(row board.Queue) QueueState {
		return queueStateOf(row, called, served[wait.QueueID{Source: row.Source, Queue: row.Queue}], v.Now)
	}), nil
}

// standing is what stands in the queues: now, or at an instant from the spells.
func standing(ctx context.Context, v *projection.View, f board.Filter, asOf time.Time) ([]board.Queue, error) {
	if asOf.IsZero() {
		return board.Queues(ctx, v, f)
	}
	return board.QueuesAt(ctx, v, f, asOf)
}

// complete adds the configured queues that no ticket entered yet, leaves out sources that are no longer configured
// and the queue "" while nobody stands in it, and orders by source and queue.
func (d *Door) complete(rows []board.Queue, f board.Filter) []board.Queue {
	rows = slices.DeleteFunc(rows, func(row board.Queue) bool {
		return !d.known(row.Source) || row.Queue == "" && row.Waiting+row.Called+row.Serving+row.OnHold+row.Booked == 0
	})
	seen := make(map[wait.QueueID]bool, len(rows))
	for _, row := range rows {
		seen[wait.QueueID{Source: row.Source, Queue: row.Queue}] = true
	}
	for _, s := range d.sources {
		for id := range s.Queues {
			if (f.Source == "" || f.Source == s.Name) && (f.Queue == "" || f.Queue == id) && !seen[wait.QueueID{Source: s.Name, Queue: id}] {
				rows = append(rows, board.Queue{Source: s.Name, Queue: id})
			}
		}
	}
	slices.SortFunc(rows, func(a, b board.Queue) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Queue, b.Queue))
	})
	return rows
}

// queueStateOf puts a queue on the wire.
func queueStateOf(row board.Queue, called names, served int64, now time.Time) QueueState {
	q := QueueState{
		Source: row.Source, Queue: row.Queue,
		Name:     called.queue(row.Source, row.Queue),
		Location: optional(called.location(row.Source, row.Queue)),
		Waiting:  row.Waiting, Called: row.Called, Serving: row.Serving, OnHold: row.OnHold, Booked: row.Booked,
		ServedToday: served,
		LastEventAt: at(row.LastEventAt),
	}
	if !row.OldestEntry.IsZero() {
		longest := max(0, now.Unix()-row.OldestEntry.Unix())
		q.LongestWaitSeconds = &longest
	}
	return q
}

// midnights are each source's last local midnight before the instant.
func (d *Door) midnights(now time.Time) map[string]time.Time {
	since := make(map[string]time.Time, len(d.sources))
	for name, s := range d.sources {
		since[name] = midnight(now, s.Zone, 0)
	}
	return since
}

// midnight is the beginning of the local day that is some days after the one of t.
func midnight(t time.Time, zone *time.Location, days int) time.Time {
	local := t.In(zone)
	return time.Date(local.Year(), local.Month(), local.Day()+days, 0, 0, 0, 0, zone)
}
