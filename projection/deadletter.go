package projection

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// DeadLetter is an event that could not be decoded or folded, of the serving generation.
type DeadLetter struct {
	Source   string
	Position int64
	Ticket   string // empty: the event is about no ticket
	Cause    string
	Waiting  int64 // events that wait behind it
}

// DeadLetters returns dead letters after a (source, position), ordered so, at most limit; source "" means all.
func (r *Reader) DeadLetters(ctx context.Context, source, afterSource string, after int64, limit int) ([]DeadLetter, error) {
	rows, err := r.pool.Query(ctx, `
		SELECT d.source, d.position, d.ticket, d.cause,
			(SELECT count(*)
			FROM dead_letter b
			WHERE b.source = d.source AND b.generation = d.generation AND b.ticket = d.ticket AND b.behind = d.position)
		FROM dead_letter d
		JOIN generation g ON g.generation = d.generation
		WHERE g.state = 'serving' AND d.behind IS NULL
			AND ($1 = '' OR d.source = $1) AND (d.source, d.position) > ($2, $3)
		ORDER BY d.source, d.position
		LIMIT $4`, source, afterSource, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	letters, err := pgx.CollectRows(rows, pgx.RowToStructByPos[DeadLetter])
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	return letters, nil
}
