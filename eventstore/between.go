package eventstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// TicketsBetween returns, within the caller's transaction, the ids of the tickets that events with after < position ≤
// through are about, each once, in no order. Quarantined events count: the caller finds that they did nothing.
func TicketsBetween(ctx context.Context, tx pgx.Tx, source string, after, through int64) ([]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT DISTINCT ticket
		FROM event
		WHERE source = $1 AND position > $2 AND position <= $3 AND ticket IS NOT NULL`, source, after, through)
	if err != nil {
		return nil, fmt.Errorf("list tickets of %s after position %d: %w", source, after, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list tickets of %s after position %d: %w", source, after, err)
	}
	return ids, nil
}
