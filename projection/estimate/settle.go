package estimate

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// settlePage is how many moves are folded at a time.
const settlePage = 10_000

// Settle folds all moves of a source anew, in the order of their positions. Its memory is a page of moves, and what the
// queues have seen with who stands in them.
func (m Model) Settle(ctx context.Context, tx pgx.Tx, set projection.Set, source string) error {
	if err := m.settle(ctx, tx, set, source); err != nil {
		return fmt.Errorf("settle the estimates of %s: %w", source, err)
	}
	return nil
}

func (m Model) settle(ctx context.Context, tx pgx.Tx, set projection.Set, source string) error {
	for _, table := range m.Tables()[1:] {
		if _, err := tx.Exec(ctx, set.SQL(`DELETE FROM `+table+` WHERE source = $1`), source); err != nil {
			return err
		}
	}
	f := &folding{zone: m.zone(source), queues: map[string]*queue{}, others: &Others{}}
	err := eachMove(ctx, tx, set, source, func(moves []move) error {
		for _, m := range moves {
			f.apply(m)
		}
		err := copyFinished(set, source, f.finished).Flush(ctx, tx)
		f.finished = f.finished[:0]
		return err
	})
	if err != nil {
		return err
	}
	var batch pgx.Batch
	queuePasts(&batch, set, source, f.queues)
	queueLines(&batch, set, source, f.standing())
	return tx.SendBatch(ctx, &batch).Close()
}

// standing are the queues as if only those had been touched who stand in them: nothing else is stored.
func (f *folding) standing() map[string]*queue {
	for _, q := range f.queues {
		clear(q.touched)
		for s := range q.line.places {
			q.touched[s] = true
		}
	}
	return f.queues
}

// eachMove reads all moves of a source in the log's order, a page at a time.
func eachMove(ctx context.Context, tx pgx.Tx, set projection.Set, source string, f func([]move) error) error {
	next, err := moveCursor(ctx, tx, set, source)
	if err != nil {
		return err
	}
	for {
		moves, err := next()
		if err != nil || len(moves) == 0 {
			return err
		}
		if err := f(moves); err != nil {
			return err
		}
	}
}
