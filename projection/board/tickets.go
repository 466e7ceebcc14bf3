package board

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

// Ticket is one ticket with its key.
type Ticket struct {
	Source string
	Ticket string
	ticket.State
}

// TicketFilter chooses tickets; zero fields choose all. Created is half-open.
type TicketFilter struct {
	Source, Queue          string
	Status                 ticket.Status
	CreatedFrom, CreatedTo time.Time
	After                  *Key // the last one of the page before
	Limit                  int
}

// Key is a ticket's place in the order newest first.
type Key struct {
	CreatedAt      time.Time
	Source, Ticket string
}

// Key returns the ticket's own place in the order newest first.
func (t Ticket) Key() Key {
	row, _ := ticketRowOf(t.Ticket, t.State)
	return Key{row.CreatedAt, t.Source, t.Ticket}
}

// ErrUnknownTicket means that no event of the ticket has been folded.
var ErrUnknownTicket = errors.New("no such ticket")

// QueueTickets returns the open tickets of a queue in queue order (priority descending, then the vendor's order or the
// entry, then position), those of one status, or of all open ones where status is empty.
func QueueTickets(ctx context.Context, v *projection.View, source, queue string, status ticket.Status) ([]Ticket, error) {
	rows, err := v.Tx.Query(ctx, v.Set.SQL(`
		SELECT source, ticket, state
		FROM board_ticket_{set}
		WHERE source = $1 AND queue = $2 AND status IN (`+openStatuses+`)
			AND ($3 = '' OR status = $3)
		ORDER BY priority DESC, order_at, order_position, ticket`), source, queue, string(status))
	tickets, err := collectTickets(rows, err)
	if err != nil {
		return nil, fmt.Errorf("read tickets of queue %s of %s: %w", queue, source, err)
	}
	return tickets, nil
}

// Tickets returns tickets, newest first.
func Tickets(ctx context.Context, v *projection.View, f TicketFilter) ([]Ticket, error) {
	after := f.After
	if after == nil {
		after = &Key{}
	}
	rows, err := v.Tx.Query(ctx, v.Set.SQL(`
		SELECT source, ticket, state
		FROM board_ticket_{set}
		WHERE ($1 = '' OR source = $1)
			AND ($2 = '' OR queue = $2)
			AND ($3 = '' OR status = $3)
			AND created_at >= coalesce($4::timestamptz, '-infinity')
			AND created_at < coalesce($5::timestamptz, 'infinity')
			-- The first condition bounds the walk through the index, the second one says where in it the page begins.
			AND created_at <= coalesce($6::timestamptz, 'infinity')
			AND ($6::timestamptz IS NULL OR created_at < $6 OR (source, ticket) > ($7, $8))
		ORDER BY created_at DESC, source, ticket
		LIMIT $9`),
		f.Source, f.Queue, string(f.Status), projection.NullTime(f.CreatedFrom), projection.NullTime(f.CreatedTo),
		projection.NullTime(after.CreatedAt), after.Source, after.Ticket, f.Limit)
	tickets, err := collectTickets(rows, err)
	if err != nil {
		return nil, fmt.Errorf("read tickets: %w", err)
	}
	return tickets, nil
}

// Find returns one ticket as it is now. For a past instant: ticket.State.At.
func Find(ctx context.Context, v *projection.View, source, id string) (Ticket, error) {
	rows, err := v.Tx.Query(ctx, v.Set.SQL(`
		SELECT source, ticket, state
		FROM board_ticket_{set}
		WHERE source = $1 AND ticket = $2`), source, id)
	if err == nil {
		var t Ticket
		if t, err = pgx.CollectExactlyOneRow(rows, scanTicket); err == nil {
			return t, nil
		}
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return Ticket{}, ErrUnknownTicket
	}
	return Ticket{}, fmt.Errorf("read ticket %s of %s: %w", id, source, err)
}

func collectTickets(rows pgx.Rows, err error) ([]Ticket, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanTicket)
}

func scanTicket(row pgx.CollectableRow) (Ticket, error) {
	var t Ticket
	var state []byte
	if err := row.Scan(&t.Source, &t.Ticket, &state); err != nil {
		return Ticket{}, err
	}
	var err error
	t.State, err = projection.DecodeState(state)
	return t, err
}
