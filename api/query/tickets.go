package query

import (
	"context"
	"errors"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/api"
	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
	"queuetrack/projection/board"
)

// TicketState is one ticket on the wire. It shows no names, phones or mail addresses: a visitor is known by the label.
type TicketState struct {
	Source         string     `json:"source" doc:"The configured source."`
	Ticket         string     `json:"ticket" doc:"The vendor's id."`
	Label          *string    `json:"label" doc:"What the screen shows." example:"A2"`
	Status         string     `json:"status" doc:"booked, waiting, called, serving or on_hold; ended: served, cancelled, no_show, merged or expired. May grow." example:"waiting"`
	Queue          *string    `json:"queue" doc:"The vendor's id of the queue it is in, or was last."`
	CreatedAt      *time.Time `json:"created_at"`
	WaitingSince   *time.Time `json:"waiting_since" doc:"Entry to the queue; null unless it waits."`
	CalledAt       *time.Time `json:"called_at" doc:"First call in the present queue: it ends the wait."`
	LastCalledAt   *time.Time `json:"last_called_at" doc:"Last call of all."`
	ServingSince   *time.Time `json:"serving_since" doc:"Arrival at the desk, where the vendor reports it."`
	EndedAt        *time.Time `json:"ended_at"`
	Desk           *string    `json:"desk" doc:"The vendor's id."`
	Agent          *string    `json:"agent" doc:"The vendor's id."`
	Calls          int        `json:"calls" minimum:"0" doc:"Calls and re-calls."`
	Returns        int        `json:"returns" minimum:"0" doc:"How often it was sent back to wait."`
	WaitSeconds    int64      `json:"wait_seconds" doc:"Time in waiting, over all segments, a running one included. Negative where the vendor's clock ran backwards."`
	ServiceSeconds *int64     `json:"service_seconds" doc:"Time in service of the served segments, without holds."`
	Flags          []string   `json:"flags" nullable:"false" doc:"What is doubtful about it."`
	Segments       []segment  `json:"segments" nullable:"false" doc:"One stay in one queue each, in order."`
}

// segment is one stay in one queue.
type segment struct {
	Queue          *string    `json:"queue"`
	EnteredAt      *time.Time `json:"entered_at"`
	CalledAt       *time.Time `json:"called_at"`
	LeftAt         *time.Time `json:"left_at"`
	Outcome        string     `json:"outcome" doc:"open, served, no_show, abandoned, cancelled, returned, transferred, expired or merged. May grow."`
	WaitSeconds    *int64     `json:"wait_seconds" doc:"Entry to first call, or to leaving without one; null while it waits."`
	ServiceSeconds *int64     `json:"service_seconds" doc:"Of a served segment."`
	Flags          []string   `json:"flags" nullable:"false"`
}

// ticketInQueue is an open ticket in its queue.
type ticketInQueue struct {
	TicketState
	Place    *int          `json:"place" minimum:"1" doc:"Its turn among those waiting in this queue; null unless it waits."`
	Estimate maybeEstimate `json:"estimate"`
}

// ticketAnswer is one ticket by itself.
type ticketAnswer struct {
	TicketState
	Positions map[string]int64 `json:"positions" doc:"How far each source's log was folded."`
}

type queueTicketsInput struct {
	Source string `path:"source"`
	Queue  string `path:"queue" doc:"The vendor's id."`
	Status string `query:"status" enum:"booked,waiting,called,serving,on_hold" doc:"Only these; absent: all open ones."`
}

type ticketsInput struct {
	Source      string  `query:"source" doc:"Only this source."`
	Queue       string  `query:"queue" doc:"Only tickets that are in this queue, or ended in it."`
	Status      string  `query:"status" enum:"booked,waiting,called,serving,on_hold,served,cancelled,no_show,merged,expired"`
	CreatedFrom instant `query:"created_from" doc:"Created at or after."`
	CreatedTo   instant `query:"created_to" doc:"Created before."`
	Paged
}

type ticketInput struct {
	Source string  `path:"source"`
	Ticket string  `path:"ticket" doc:"The vendor's id."`
	AsOf   instant `query:"as_of" doc:"What was true at that instant, as known today; absent: now."`
}

func (d *Door) registerTickets(h huma.API) {
	get(d, h, operation{
		id: "list-tickets", path: "/v1/tickets", tag: tagTickets,
		summary: "Tickets, newest first",
	}, d.listTickets)
	get(d, h, operation{
		id: "get-ticket", path: "/v1/tickets/{source}/{ticket}", tag: tagTickets, resource: true,
		summary: "One ticket",
	}, d.getTicket)
	get(d, h, operation{
		id: "get-ticket-history", path: "/v1/tickets/{source}/{ticket}/history", tag: tagTickets, resource: true,
		summary: "What happened to a ticket, event by event",
		details: "In the log's order: what each event said, and what was made of it.",
	}, d.getHistory)
}

// open are the statuses of tickets that are in a queue.
var open = []ticket.Status{
	ticket.StatusBooked, ticket.StatusWaiting, ticket.StatusCalled, ticket.StatusServing, ticket.StatusOnHold,
}

func (d *Door) listQueueTickets(ctx context.Context, in *queueTicketsInput) (answer Folded[ticketInQueue], err error) {
	if err := d.requireSource(in.Source); err != nil {
		return answer, err
	}
	var p parser
	status := oneOf(&p, "status", in.Status, "", open)
	if err := p.err(); err != nil {
		return answer, err
	}
	err = d.view(ctx, time.Time{}, func(v *projection.View) error {
		answer.Positions = d.positions(v)
		if err := d.requireQueue(ctx, v, in.Source, in.Queue); err != nil {
			return err
		}
		rows, err := board.QueueTickets(ctx, v, in.Source, in.Queue, status)
		answer.Items = inQueue(rows, v.Now)
		return err
	})
	return answer, err
}

// requireQueue answers 404 for a queue that is neither configured nor was ever entered.
func (d *Door) requireQueue(ctx context.Context, v *projection.View, source, id string) error {
	f := board.Filter{Source: source, Queue: id}
	rows, err := board.Queues(ctx, v, f)
	if err != nil {
		return err
	}
	if len(d.complete(rows, f)) == 0 {
		return unknownQueue(source, id)
	}
	return nil
}

// inQueue counts who is how far from being called.
func inQueue(rows []board.Ticket, now time.Time) []ticketInQueue {
	waiting := 0
	return convert(rows, func(row board.Ticket) ticketInQueue {
		p := ticketInQueue{TicketState: ticketStateOf(row, now)}
		if row.Status == ticket.StatusWaiting {
			waiting++
			turn := waiting
			p.Place = &turn
		}
		return p
	})
}

func (d *Door) listTickets(ctx context.Context, in *ticketsInput) (answer Folded[TicketState], err error) {
	f, asked, err := d.ticketFilter(ctx, in)
	if err != nil {
		return answer, err
	}
	err = d.view(ctx, time.Time{}, func(v *projection.View) error {
		answer.Positions = d.positions(v)
		rows, err := board.Tickets(ctx, v, f)
		if err != nil {
			return err
		}
		rows, answer.Next = trim(rows, asked, func(t board.Ticket) []string {
			key := t.Key()
			return []string{key.CreatedAt.UTC().Format(time.RFC3339Nano), key.Source, key.Ticket}
		})
		answer.Items = []TicketState{}
		for _, row := range rows {
			if d.known(row.Source) {
				answer.Items = append(answer.Items, ticketStateOf(row, v.Now))
			}
		}
		return nil
	})
	return answer, err
}

// ticketFilter reads the filters of a list of tickets.
func (d *Door) ticketFilter(ctx context.Context, in *ticketsInput) (board.TicketFilter, page, error) {
	var p parser
	asked := p.page(ctx, in.Paged, 3)
	f := board.TicketFilter{
		Source:      d.source(&p, in.Source),
		Queue:       in.Queue,
		Status:      oneOf(&p, "status", in.Status, "", ticket.Statuses),
		CreatedFrom: p.instant("created_from", in.CreatedFrom),
		CreatedTo:   p.instant("created_to", in.CreatedTo),
		Limit:       asked.limit + 1,
	}
	if !f.CreatedFrom.IsZero() && !f.CreatedTo.IsZero() && !f.CreatedFrom.Before(f.CreatedTo) {
		p.wrong("created_to", "created_to must be later than created_from.")
	}
	if asked.after != nil {
		created, ok := parseInstant(asked.after[0])
		if !ok {
			p.badCursor()
		}
		f.After = &board.Key{CreatedAt: created, Source: asked.after[1], Ticket: asked.after[2]}
	}
	return f, asked, p.err()
}

func (d *Door) getTicket(ctx context.Context, in *ticketInput) (answer ticketAnswer, err error) {
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
		t, err := findTicket(ctx, v, in.Source, in.Ticket)
		if err != nil {
			return err
		}
		if !asOf.IsZero() {
			if t.State = t.At(asOf); t.Status == "" {
				return api.NewProblem(api.KindUnknownTicket, "The ticket did not exist yet at that instant; ask without as_of, or for a later one.")
			}
		}
		answer.TicketState = ticketStateOf(t, v.Now)
		return nil
	})
	return answer, err
}

// findTicket answers 404 for a ticket that no event told of.
func findTicket(ctx context.Context, v *projection.View, source, id string) (board.Ticket, error) {
	t, err := board.Find(ctx, v, source, id)
	if errors.Is(err, board.ErrUnknownTicket) {
		return t, api.NewProblem(api.KindUnknownTicket, "No event of "+source+" has told of a ticket "+quote(id)+" yet; `positions` of other answers say how far its log is folded.")
	}
	return t, err
}

// ticketStateOf puts a ticket on the wire as it is at the instant.
func ticketStateOf(t board.Ticket, now time.Time) TicketState {
	v := TicketState{
		Source: t.Source, Ticket: t.Ticket,
		Label: optional(t.Label), Status: string(t.Status), Queue: optional(t.Queue),
		CreatedAt: at(t.CreatedAt), WaitingSince: at(t.WaitingSince), CalledAt: at(t.CalledAt),
		LastCalledAt: at(t.LastCalledAt()), ServingSince: at(t.ServingSince), EndedAt: at(t.EndedAt),
		Desk: optional(t.Desk), Agent: optional(t.Agent),
		Calls: len(t.Calls), Returns: len(t.Returns),
		WaitSeconds: t.WaitSeconds(now),
		Flags:       words(t.Flags),
		Segments:    convert(t.Segments, segmentOf),
	}
	if seconds, ok := t.ServiceSeconds(); ok {
		v.ServiceSeconds = &seconds
	}
	return v
}

func segmentOf(s ticket.Segment) segment {
	out := segment{
		Queue: optional(s.Queue), EnteredAt: at(s.EnteredAt), CalledAt: at(s.CalledAt), LeftAt: at(s.LeftAt),
		Outcome: string(s.Outcome), Flags: words(s.Flags),
	}
	if seconds, over := s.Wait(); over {
		out.WaitSeconds = &seconds
	}
	if seconds, ok := s.Service(); ok {
		out.ServiceSeconds = &seconds
	}
	return out
}
