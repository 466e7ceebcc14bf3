package board

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

// Count returns the queues that these tickets stand in, as Queues would of the same ones, but for LastEventAt, which the
// tickets alone don't tell; in no order.
func Count(tickets []Ticket) []Queue {
	type key struct{ source, queue string }
	counts := map[key]*queueRow{}
	oldest := map[key]time.Time{}
	for _, t := range tickets {
		k := key{t.Source, t.Queue}
		if counts[k] == nil {
			counts[k] = &queueRow{}
		}
		counts[k].count(t.Status, 1)
		row, _ := ticketRowOf(t.Ticket, t.State)
		if entered := row.EnteredAt; t.Status == ticket.StatusWaiting && (oldest[k].IsZero() || entered.Before(oldest[k])) {
			oldest[k] = entered
		}
	}
	var queues []Queue
	for k, n := range counts {
		queues = append(queues, Queue{
			Source: k.source, Queue: k.queue, OldestEntry: oldest[k],
			Waiting: n.Waiting, Called: n.Called, Serving: n.Serving, OnHold: n.OnHold, Booked: n.Booked,
		})
	}
	return queues
}

// Order puts the tickets of a queue in queue order, as QueueTickets has it.
func Order(tickets []Ticket) {
	slices.SortFunc(tickets, func(a, b Ticket) int {
		x, _ := ticketRowOf(a.Ticket, a.State)
		y, _ := ticketRowOf(b.Ticket, b.State)
		return cmp.Or(
			cmp.Compare(y.Priority, x.Priority), x.OrderAt.Compare(y.OrderAt),
			cmp.Compare(x.OrderPosition, y.OrderPosition), cmp.Compare(x.Ticket, y.Ticket))
	})
}

// QueueTicketsAt returns the tickets that stood in a queue at an instant, from the spells, as known today, each as it was
// then ([ticket.State.At]); in queue order, of one status or of all open ones.
func QueueTicketsAt(ctx context.Context, v *projection.View, source, queue string, status ticket.Status, at time.Time) ([]Ticket, error) {
	rows, err := v.Tx.Query(ctx, v.Set.SQL(`
		SELECT t.source, t.ticket, t.state
		FROM (
			-- In two halves, each of which is one stretch of the index.
			SELECT ticket, queue, status
			FROM board_spell_{set}
			WHERE source = $1 AND from_at <= $4 AND to_at > $4
			UNION ALL
			SELECT ticket, queue, status
			FROM board_spell_{set}
			WHERE source = $1 AND from_at <= $4 AND to_at IS NULL) AS s
		JOIN board_ticket_{set} t ON t.source = $1 AND t.ticket = s.ticket
		WHERE s.queue = $2 AND ($3 = '' OR s.status = $3)`), source, queue, string(status), at)
	tickets, err := collectTickets(rows, err)
	if err != nil {
		return nil, fmt.Errorf("read tickets of queue %s of %s at %s: %w", queue, source, at.Format(time.RFC3339), err)
	}
	for i := range tickets {
		tickets[i].State = tickets[i].At(at)
	}
	// Where clocks ran backwards, a ticket's spells overlap, and the ticket was in one of them only.
	tickets = slices.DeleteFunc(tickets, func(t Ticket) bool {
		return t.Status == "" || t.Status.Ended() || t.Queue != queue || status != "" && t.Status != status
	})
	Order(tickets)
	return tickets, nil
}
