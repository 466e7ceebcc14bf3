package query

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/api"
	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
	"queuetrack/projection/board"
	"queuetrack/projection/estimate"
	"queuetrack/projection/history"
)

type queueTicketsInput struct {
	Source string `path:"source"`
	Queue  string `path:"queue" doc:"The vendor's id."`
	Status string `query:"status" enum:"booked,waiting,called,serving,on_hold" doc:"Only these; absent: all open ones."`
	Past
	Least
}

type ticketsInput struct {
	Source      string  `query:"source" doc:"Only this source."`
	Queue       string  `query:"queue" doc:"Only tickets that are in this queue, or ended in it."`
	Status      string  `query:"status" enum:"booked,waiting,called,serving,on_hold,served,cancelled,no_show,merged,expired" doc:"Only these; absent: open and ended ones."`
	CreatedFrom instant `query:"created_from" doc:"Created at or after."`
	CreatedTo   instant `query:"created_to" doc:"Created before."`
	Least
	Paged
}

type ticketInput struct {
	Source string `path:"source"`
	Ticket string `path:"ticket" doc:"The vendor's id."`
	Past
	Least
}

func (d *Door) registerTickets(h huma.API) {
	get(d, h, operation{
		id: "list-tickets", path: "/v1/tickets", tag: tagTickets,
		summary: "Tickets, newest first",
		details: "Open and ended ones, by when they were created. Filters add up.",
	}, d.listTickets)
	get(d, h, operation{
		id: "get-ticket", path: "/v1/tickets/{source}/{ticket}", tag: tagTickets, resource: true,
		summary: "One ticket",
		details: "Its state and times, and each stay in a queue (a segment) with its outcome. A return, a transfer and a reopening begin a new segment; a re-call does not.",
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
	q := d.pastQuestion(&p, in.Least, in.Past, in.Source)
	if err := p.err(); err != nil {
		return answer, err
	}
	err = d.answer(ctx, q, func(v *projection.View) error {
		answer.Positions, answer.When = d.positions(v), q.when()
		if err := d.requireQueue(ctx, v, in.Source, in.Queue); err != nil {
			return err
		}
		rows, err := queueTickets(ctx, v, in.Source, in.Queue, status, q)
		if err != nil {
			return err
		}
		estimates, err := d.estimates(ctx, v, board.Filter{Source: in.Source, Queue: in.Queue}, q)
		answer.Items = d.inQueue(rows, estimates, q.now(v, in.Source))
		return err
	})
	return answer, err
}

// queueTickets are the open tickets of a queue in its order: now, at an instant, or as told by a position.
func queueTickets(ctx context.Context, v *projection.View, source, queue string, status ticket.Status, q *question) ([]board.Ticket, error) {
	if !q.asOf.IsZero() {
		return board.QueueTicketsAt(ctx, v, source, queue, status, q.asOf)
	}
	if q.told == nil {
		return board.QueueTickets(ctx, v, source, queue, status)
	}
	rows, err := standingAt(ctx, v, source, q.told[source])
	rows = slices.DeleteFunc(rows, func(t board.Ticket) bool {
		return t.Queue != queue || status != "" && t.Status != status
	})
	board.Order(rows)
	return rows, err
}

// standingAt are all tickets of a source that stood in a queue by what had been told by a position, in no order.
func standingAt(ctx context.Context, v *projection.View, source string, position int64) ([]board.Ticket, error) {
	states, err := history.OpenAt(ctx, v, source, position)
	rows := make([]board.Ticket, 0, len(states))
	for id, state := range states {
		rows = append(rows, board.Ticket{Source: source, Ticket: id, State: state})
	}
	return rows, err
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

// inQueue counts who is how far from being called, and tells how long that takes.
func (d *Door) inQueue(rows []board.Ticket, estimates *estimate.Pasts, now time.Time) []ticketInQueue {
	waiting := 0
	return convert(rows, func(row board.Ticket) ticketInQueue {
		p := ticketInQueue{TicketState: ticketStateOf(row, now), Estimate: d.remaining(estimates, row, waiting, now)}
		if row.Status == ticket.StatusWaiting {
			waiting++
			turn := waiting
			p.Place = &turn
		}
		return p
	})
}

func (d *Door) listTickets(ctx context.Context, in *ticketsInput) (answer Folded[TicketState], err error) {
	var p parser
	f, asked := d.ticketFilter(ctx, &p, in)
	q := d.question(&p, in.Least)
	q.moves = true
	if err := p.err(); err != nil {
		return answer, err
	}
	err = d.answer(ctx, q, func(v *projection.View) error {
		answer.Positions = d.positions(v)
		rows, err := board.Tickets(ctx, v, f)
		if err != nil {
			return err
		}
		rows, answer.Next = trim(rows, asked, func(t board.Ticket) []string {
			key := t.Key()
			return []string{decimal(key.CreatedAt.UnixMicro()), key.Source, key.Ticket}
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
func (d *Door) ticketFilter(ctx context.Context, p *parser, in *ticketsInput) (board.TicketFilter, page) {
	asked := p.page(ctx, in.Paged, 3)
	f := board.TicketFilter{
		Source:      d.source(p, in.Source),
		Queue:       in.Queue,
		Status:      oneOf(p, "status", in.Status, "", ticket.Statuses),
		CreatedFrom: p.instant("created_from", in.CreatedFrom),
		CreatedTo:   p.instant("created_to", in.CreatedTo),
		Limit:       asked.limit + 1,
	}
	if !f.CreatedFrom.IsZero() && !f.CreatedTo.IsZero() && !f.CreatedFrom.Before(f.CreatedTo) {
		p.wrong("created_to", "created_to (%s) must be later than created_from (%s): the window is from created_from up to created_to, itself outside.", in.CreatedTo, in.CreatedFrom)
	}
	if asked.after != nil {
		f.After = &board.Key{CreatedAt: p.afterInstant(asked.after[0]), Source: asked.after[1], Ticket: asked.after[2]}
	}
	return f, asked
}

func (d *Door) getTicket(ctx context.Context, in *ticketInput) (answer ticketAnswer, err error) {
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
		t, err := ticketAt(ctx, v, in.Source, in.Ticket, q)
		answer.TicketState = ticketStateOf(t, q.now(v, in.Source))
		return err
	})
	return answer, err
}

// ticketAt is a ticket now, at an instant, or as told by a position; 404 when there was none yet.
func ticketAt(ctx context.Context, v *projection.View, source, id string, q *question) (board.Ticket, error) {
	t, err := findTicket(ctx, v, source, id)
	if err != nil {
		return t, err
	}
	if !q.asOf.IsZero() {
		if t.State = t.At(q.asOf); t.Status == "" {
			return t, api.NewProblem(api.KindUnknownTicket, "The ticket did not exist yet at that instant; ask without as_of, or for a later one.")
		}
	}
	if q.told != nil {
		t.State, err = history.At(ctx, v, source, id, q.told[source])
		if errors.Is(err, history.ErrUntold) {
			return t, api.NewProblem(api.KindUnknownTicket, "No event up to that position told of the ticket; ask without as_of_position, or for a later one.")
		}
	}
	return t, err
}

// findTicket answers 404 for a ticket that no event told of.
func findTicket(ctx context.Context, v *projection.View, source, id string) (board.Ticket, error) {
	t, err := board.Find(ctx, v, source, id)
	if errors.Is(err, board.ErrUnknownTicket) {
		return t, api.NewProblem(api.KindUnknownTicket, "No event of "+source+" has told of a ticket "+quote(id)+" yet; GET /v1/tickets?source="+source+" lists those that are known. For a webhook that was just answered, add min_position="+source+":POSITION with its position.")
	}
	return t, err
}
