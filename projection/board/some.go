package board

import (
	"context"
	"fmt"

	"queuetrack/projection"
)

// Some returns those of a source's tickets that are known, as they are now, in no order.
func Some(ctx context.Context, v *projection.View, source string, ids []string) ([]Ticket, error) {
	rows, err := v.Tx.Query(ctx, v.Set.SQL(`
		SELECT source, ticket, state
		FROM board_ticket_{set}
		WHERE source = $1 AND ticket = ANY($2)`), source, ids)
	tickets, err := collectTickets(rows, err)
	if err != nil {
		return nil, fmt.Errorf("read %d tickets of %s: %w", len(ids), source, err)
	}
	return tickets, nil
}
