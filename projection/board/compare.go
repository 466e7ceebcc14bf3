package board

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

var _ projection.Comparer = Model{}

// Differing counts the tickets that the two sets see differently. A ticket's state decides its rows in all tables but
// the history. One whose last event is behind the position in either set is left out: the sets needn't be equally far.
func (Model) Differing(ctx context.Context, tx pgx.Tx, source string, a, b projection.Set, upTo int64) (n int64, some []string, err error) {
	side := func(s projection.Set) string {
		return s.SQL(`(
			SELECT f.ticket, f.last_position, t.state
			FROM folded_{set} f
			LEFT JOIN board_ticket_{set} t ON t.source = f.source AND t.ticket = f.ticket
			WHERE f.source = $1)`)
	}
	err = tx.QueryRow(ctx, `
		SELECT count(*), coalesce((array_agg(ticket ORDER BY ticket))[1:5], '{}')
		FROM `+side(a)+` AS a
		FULL JOIN `+side(b)+` AS b USING (ticket)
		WHERE a.state IS DISTINCT FROM b.state AND greatest(a.last_position, b.last_position) <= $2`, source, upTo).Scan(&n, &some)
	if err != nil {
		return 0, nil, fmt.Errorf("compare the boards of %s: %w", source, err)
	}
	return n, some, nil
}
