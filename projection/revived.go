package projection

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// revived notes that events of the ticket were folded after their turn: rows have changed that no later position tells of.
// at is the checkpoint then. It belongs into the transaction that writes those rows.
func (t tables) revived(ctx context.Context, ticket string, at int64) error {
	if ticket == "" {
		return nil
	}
	_, err := t.tx.Exec(ctx, `
		INSERT INTO revived AS r (source, ticket, position)
		VALUES ($1, $2, $3)
		ON CONFLICT (source, ticket) DO UPDATE SET
			position = greatest(r.position, excluded.position)`, t.source, ticket, at)
	if err != nil {
		return fmt.Errorf("note that ticket %s of %s was revived: %w", ticket, t.source, err)
	}
	return nil
}

// Revived returns the tickets some of whose events were folded after their turn (a dead letter was retried or dismissed),
// while the checkpoint was from ≤ position ≤ through: whoever had seen everything through from may not have seen that.
func (v *View) Revived(ctx context.Context, source string, from, through int64) ([]string, error) {
	rows, err := v.Tx.Query(ctx, `
		SELECT ticket
		FROM revived
		WHERE source = $1 AND position BETWEEN $2 AND $3`, source, from, through)
	if err != nil {
		return nil, fmt.Errorf("list revived tickets of %s: %w", source, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list revived tickets of %s: %w", source, err)
	}
	return ids, nil
}
