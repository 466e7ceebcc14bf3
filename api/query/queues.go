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
	Location           *string       `json:"location" doc:"The location's name: in the configuration, else by the vendor; null: nobody says." example:"City Hall"`
	Waiting            int64         `json:"waiting" minimum:"0" doc:"Tickets that wait to be called."`
	Called             int64         `json:"called" minimum:"0" doc:"Tickets called, not yet at the desk or ended."`
	Serving            int64         `json:"serving" minimum:"0" doc:"Tickets at a desk, where the vendor reports the arrival."`
	OnHold             int64         `json:"on_hold" minimum:"0" doc:"Tickets postponed by an agent."`
	Booked             int64         `json:"booked" minimum:"0" doc:"Reservations that don't wait yet."`
	LongestWaitSeconds *int64        `json:"longest_wait_seconds" minimum:"0" doc:"Whole seconds that the one who waits longest has waited; null: nobody waits."`
	Estimate           maybeEstimate `json:"estimate"`
	ServedToday        *int64        `json:"served_today" minimum:"0" doc:"Visits to this queue that ended served since local midnight of the source. Null with as_of_position, which tells who stands in the queues."`
	LastEventAt        *time.Time    `json:"last_event_at" doc:"When the last event about the queue was received, as of now; null with as_of_position."`
}

// queueAnswer is one queue by itself.
type queueAnswer struct {
	QueueState
	When
	Positions map[string]int64 `json:"positions" doc:"How far each source's log was folded."`
}

type queuesInput struct {
	Source   string `query:"source" doc:"Only this source."`
	Location string `query:"location" doc:"Only queues at the location of this name."`
	Past
	Least
}

type queueInput struct {
	Source string `path:"source"`
	Queue  string `path:"queue" doc:"The vendor's id."`
	Past
	Least
}

func (d *Door) registerQueues(h huma.API) {
	get(d, h, operation{
		id: "list-queues", path: "/v1/queues", tag: tagQueues,
		summary: "Every queue with what stands in it",
		details: "All of them in one answer, ordered by source and queue, configured ones that nobody entered yet included. " +
			"The queue \"\" holds the tickets that the vendor placed in none; it is listed while there are any, and has no address of its own.",
	}, d.listQueues)
	get(d, h, operation{
		id: "get-queue", path: "/v1/queues/{source}/{queue}", tag: tagQueues, resource: true,
		summary: "One queue",
		details: "What stands in it, how long the one who waits longest has waited, and how long somebody who comes now has to wait.",
	}, d.getQueue)
	get(d, h, operation{
		id: "list-queue-tickets", path: "/v1/queues/{source}/{queue}/tickets", tag: tagQueues, resource: true,
		summary: "The open tickets of a queue, in queue order",
		details: "Priority descending, then the vendor's order or the entry, then position in the log.",
	}, d.listQueueTickets)
}

func (d *Door) listQueues(ctx context.Context, in *queuesInput) (answer Folded[QueueState], err error) {
	var p parser
	source := d.source(&p, in.Source)
	q := d.pastQuestion(&p, in.Least, in.Past, source)
	if err := p.err(); err != nil {
		return answer, err
	}
	err = d.answer(ctx, q, func(v *projection.View) error {
		answer.Positions, answer.When = d.positions(v), q.when()
		answer.Items, err = d.queues(ctx, v, board.Filter{Source: source}, q)
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
	q := d.pastQuestion(&p, in.Least, in.Past, in.Source)
	if err := p.err(); err != nil {
		return answer, err
	}
	err = d.answer(ctx, q, func(v *projection.View) error {
		answer.Positions, answer.When = d.positions(v), q.when()
		queues, err := d.queues(ctx, v, board.Filter{Source: in.Source, Queue: in.Queue}, q)
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
func (d *Door) queues(ctx context.Context, v *projection.View, f board.Filter, q *question) ([]QueueState, error) {
	rows, err := standing(ctx, v, f, q)
	if err != nil {
		return nil, err
	}
	called, err := d.namesOf(ctx, v, f.Source)
	if err != nil {
		return nil, err
	}
	served, err := d.served(ctx, v, q)
	if err != nil {
		return nil, err
	}
	estimates, err := d.estimates(ctx, v, f, q)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(d.complete(rows, f), func(row board.Queue) bool { return !q.covers(row.Source) })
	return convert(rows, func(row board.Queue) QueueState {
		state := queueStateOf(row, called, q.now(v, row.Source))
		state.Estimate = d.newcomer(estimates, row, q.now(v, row.Source))
		if served != nil {
			n := served[wait.QueueID{Source: row.Source, Queue: row.Queue}]
			state.ServedToday = &n
		}
		return state
	}), nil
}

// covers reports whether the answer tells of the source.
func (q *question) covers(source string) bool {
	_, named := q.told[source]
	return q.told == nil || named
}

// served counts by queue what was served on the day; nil: it is not counted.
func (d *Door) served(ctx context.Context, v *projection.View, q *question) (map[wait.QueueID]int64, error) {
	if q.told != nil {
		return nil, nil
	}
	return wait.ServedSince(ctx, v, d.midnights(v.Now), q.asOf)
}

// standing is what stands in the queues: now, at an instant from the spells, or as told by a position from the history.
func standing(ctx context.Context, v *projection.View, f board.Filter, q *question) ([]board.Queue, error) {
	if !q.asOf.IsZero() {
		return board.QueuesAt(ctx, v, f, q.asOf)
	}
	rows, err := board.Queues(ctx, v, f)
	if err != nil || q.told == nil {
		return rows, err
	}
	var stood []board.Queue
	for source, position := range q.told {
		there, err := standingAt(ctx, v, source, position)
		if err != nil {
			return nil, err
		}
		stood = append(stood, board.Count(there, q.then[source])...)
	}
	return emptied(rows, stood), nil
}

// emptied are the queues with what stood in them instead of what stands there now.
func emptied(rows, stood []board.Queue) []board.Queue {
	counts := make(map[wait.QueueID]board.Queue, len(stood))
	for _, q := range stood {
		counts[wait.QueueID{Source: q.Source, Queue: q.Queue}] = q
	}
	return convert(rows, func(row board.Queue) board.Queue {
		if q, ok := counts[wait.QueueID{Source: row.Source, Queue: row.Queue}]; ok {
			return q
		}
		return board.Queue{Source: row.Source, Queue: row.Queue}
	})
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
func queueStateOf(row board.Queue, called names, now time.Time) QueueState {
	q := QueueState{
		Source: row.Source, Queue: row.Queue,
		Name:     called.queue(row.Source, row.Queue),
		Location: optional(called.location(row.Source, row.Queue)),
		Waiting:  row.Waiting, Called: row.Called, Serving: row.Serving, OnHold: row.OnHold, Booked: row.Booked,
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
