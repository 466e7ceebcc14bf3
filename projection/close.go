package projection

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
	"queuetrack/eventstore/ticket"
)

// ErrNotOpen means that the ticket is unknown or has ended.
var ErrNotOpen = errors.New("no such open ticket")

// Close appends eventstore.TypeClosed for an open ticket: an operator's end of one that a lost webhook left open. Whether
// it is open is told by what has been folded; an event that is not folded yet voids the close. The ticket ends at the
// instant now.
func Close(ctx context.Context, pool *pgxpool.Pool, log *eventstore.Log, source, id, reason string, now time.Time) (eventstore.Receipt, error) {
	position, err := openTicket(ctx, pool, source, id)
	if err != nil {
		return eventstore.Receipt{}, fmt.Errorf("close ticket %s of %s: %w", id, source, err)
	}
	delivery, err := ownEvent(eventstore.TypeClosed, id, position, reason, now.UTC())
	if err != nil {
		return eventstore.Receipt{}, fmt.Errorf("close ticket %s of %s: %w", id, source, err)
	}
	receipt, err := log.Append(ctx, source, delivery)
	if err != nil {
		return eventstore.Receipt{}, fmt.Errorf("close ticket %s of %s: %w", id, source, err)
	}
	return receipt, nil
}

// openTicket returns the last position folded into an open ticket.
func openTicket(ctx context.Context, pool *pgxpool.Pool, source, id string) (int64, error) {
	var status ticket.Status
	var position int64
	err := snapshot(ctx, pool, func(tx pgx.Tx) error {
		v := &View{Tx: tx}
		if err := v.open(ctx); err != nil {
			return err
		}
		return tx.QueryRow(ctx, v.Set.SQL(`
			SELECT status, last_position
			FROM folded_{set}
			WHERE source = $1 AND ticket = $2`), source, id).Scan(&status, &position)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, ErrNotOpen
	}
	if err != nil {
		return 0, err
	}
	if status == "" || status.Ended() {
		return 0, ErrNotOpen
	}
	return position, nil
}
