package projection

import (
	"context"
	"errors"
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

// What a look for one dead letter may find instead; WaitsBehindError is another.
var (
	ErrNotDead   = errors.New("the event is no dead letter")
	ErrDismissed = errors.New("the event was dismissed")
)

// WaitsBehindError means that nothing is known against the event: it waits behind a dead letter of its ticket.
type WaitsBehindError struct{ Front int64 }

// Error implements error.
func (e *WaitsBehindError) Error() string {
	return fmt.Sprintf("the event waits behind the dead letter at position %d", e.Front)
}

// deadLetters selects dead letters as DeadLetter has them, of the serving generation.
const deadLetters = `
		SELECT d.source, d.position, d.ticket, d.cause,
			(SELECT count(*)
			FROM dead_letter b
			WHERE b.source = d.source AND b.generation = d.generation AND b.ticket = d.ticket AND b.behind = d.position)
		FROM dead_letter d
		JOIN generation g ON g.generation = d.generation
		WHERE g.state = 'serving' AND d.behind IS NULL`

// DeadLetters returns dead letters after a (source, position), ordered so, at most limit; source "" means all.
func (r *Reader) DeadLetters(ctx context.Context, source, afterSource string, after int64, limit int) ([]DeadLetter, error) {
	rows, err := r.pool.Query(ctx, deadLetters+`
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

// DeadLetter returns one dead letter and the positions of the first events that wait behind it, at most limit. Else
// ErrNotDead, ErrDismissed, or a *WaitsBehindError for an event that waits itself.
func (r *Reader) DeadLetter(ctx context.Context, source string, position int64, limit int) (d DeadLetter, behind []int64, err error) {
	err = snapshot(ctx, r.pool, func(tx pgx.Tx) error {
		v := &View{Tx: tx}
		if err := v.open(ctx); err != nil {
			return err
		}
		t := tables{tx: tx, generation: v.Generation, source: source}
		if _, err := t.front(ctx, position); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, deadLetters+` AND d.source = $1 AND d.position = $2`, source, position)
		if err != nil {
			return err
		}
		if d, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[DeadLetter]); err != nil {
			return err
		}
		behind, err = t.behind(ctx, d.Ticket, position, limit)
		return err
	})
	if err != nil {
		return DeadLetter{}, nil, fmt.Errorf("read dead letter %d of %s: %w", position, source, err)
	}
	return d, behind, nil
}

// front returns the ticket of the dead letter at a position; else why it is none.
func (t tables) front(ctx context.Context, position int64) (id string, err error) {
	var behind int64
	err = t.tx.QueryRow(ctx, `
		SELECT ticket, coalesce(behind, 0)
		FROM dead_letter
		WHERE source = $1 AND generation = $2 AND position = $3`, t.source, t.generation, position).Scan(&id, &behind)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", t.notDead(ctx, position)
	case err != nil:
		return "", err
	case behind != 0:
		return "", &WaitsBehindError{behind}
	}
	return id, nil
}

func (t tables) notDead(ctx context.Context, position int64) error {
	var dismissed bool
	err := t.tx.QueryRow(ctx, `
		SELECT EXISTS (
			SELECT
			FROM dismissal
			WHERE source = $1 AND position = $2)`, t.source, position).Scan(&dismissed)
	switch {
	case err != nil:
		return err
	case dismissed:
		return ErrDismissed
	}
	return ErrNotDead
}

// behind returns the positions of the first events that wait behind a ticket's dead letter, in order, at most limit.
func (t tables) behind(ctx context.Context, id string, front int64, limit int) ([]int64, error) {
	rows, err := t.tx.Query(ctx, `
		SELECT position
		FROM dead_letter
		WHERE source = $1 AND generation = $2 AND ticket = $3 AND behind = $4
		ORDER BY position
		LIMIT $5`, t.source, t.generation, id, front, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}
