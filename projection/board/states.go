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

// Count returns the queues that these tickets stand in, as Queues would have of the same ones at an instant, but for
// LastEventAt, which the tickets alone don't tell; in no order.
func Count(tickets []Ticket, now time.Time) []Queue {
	type key struct{ source, queue string }
	queues := map[key]*Queue{}
	counts := map[key]*queueRow{}
	Order(tickets)
	for _, t := range tickets {
		k := key{t.Source, t.Queue}
		if queues[k] == nil {
			queues[k], counts[k] = &Queue{Source: t.Source, Queue: t.Queue}, &queueRow{}
		}
		counts[k].count(t.Status, 1)
		if t.Status == ticket.StatusWaiting {
			queues[k].wait(t, now)
		}
	}
	var all []Queue
	for k, q := range queues {
		n := counts[k]
		q.Waiting, q.Called, q.Serving, q.OnHold, q.Booked = n.Waiting, n.Called, n.Serving, n.OnHold, n.Booked
		all = append(all, *q)
	}
	return all
}

// wait takes in the next one who waits, in queue order.
func (q *Queue) wait(t Ticket, now time.Time) {
	row, _ := ticketRowOf(t.Ticket, t.State)
	if q.HeadEntry.IsZero() {
		q.HeadEntry = row.EnteredAt
	}
	if q.OldestEntry.IsZero() || row.EnteredAt.Before(q.OldestEntry) {
		q.OldestEntry = row.EnteredAt
	}
	if row.Priority > 0 || row.Priority == 0 && !row.OrderAt.After(now) {
		q.Ahead++
	}
}

// Order puts tickets in queue order, as QueueTickets has it.
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
