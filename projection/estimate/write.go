package estimate

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// Write keeps the changes' moves and folds them onto what the queues had seen. Moves that come out of their turn are kept
// in their place all the same; what was folded is right again after Settle.
func (m Model) Write(ctx context.Context, tx pgx.Tx, set projection.Set, source string, changes []projection.Change) error {
	var moves []move
	for _, c := range changes {
		moves = append(moves, movesOf(c)...)
	}
	if len(moves) == 0 {
		return nil
	}
	f, err := load(ctx, tx, set, source, m.zone(source), moves)
	if err != nil {
		return fmt.Errorf("load the queues of %s: %w", source, err)
	}
	for _, m := range moves {
		f.apply(m)
	}
	var batch pgx.Batch
	queueMoves(&batch, set, source, moves)
	queuePasts(&batch, set, source, f.queues)
	queueLines(&batch, set, source, f.queues)
	queueFinished(&batch, set, source, f.finished)
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("write the moves of %s: %w", source, err)
	}
	return nil
}

// load reads the queues that the moves are about, with who stands in them.
func load(ctx context.Context, tx pgx.Tx, set projection.Set, source string, zone *time.Location, moves []move) (*folding, error) {
	f := &folding{zone: zone, queues: map[string]*queue{}}
	var ids []string
	for _, m := range moves {
		if f.queues[m.Queue] == nil {
			f.queue(m.Queue)
			ids = append(ids, m.Queue)
		}
	}
	var batch pgx.Batch
	batch.Queue(set.SQL(`
		SELECT queue, past
		FROM estimate_queue_{set}
		WHERE source = $1 AND queue = ANY($2)`), source, ids).Query(func(rows pgx.Rows) error {
		return eachPast(rows, func(id string, p Past) { f.queues[id].Past = p })
	})
	batch.Queue(set.SQL(`
		SELECT queue, `+lineColumns+`
		FROM estimate_line_{set}
		WHERE source = $1 AND queue = ANY($2)`), source, ids).Query(f.loadLines)
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, err
	}
	return f, f.loadOthers(ctx, tx, set, source)
}

// loadOthers reads what all queues of the source have seen, if one of those at hand has seen too little.
func (f *folding) loadOthers(ctx context.Context, tx pgx.Tx, set projection.Set, source string) error {
	needed := false
	for _, q := range f.queues {
		_, enough := q.Waits.ratios()
		needed = needed || !enough
	}
	if !needed {
		return nil
	}
	pasts, err := pastsOf(ctx, tx, set, source)
	if err == nil {
		f.others = othersOf(pasts)
	}
	return err
}

// pastsOf reads what each queue of a source has seen.
func pastsOf(ctx context.Context, tx pgx.Tx, set projection.Set, source string) (map[string]*Past, error) {
	rows, err := tx.Query(ctx, set.SQL(`
		SELECT queue, past
		FROM estimate_queue_{set}
		WHERE source = $1`), source)
	if err != nil {
		return nil, err
	}
	pasts := map[string]*Past{}
	return pasts, eachPast(rows, func(id string, p Past) { pasts[id] = &p })
}

func eachPast(rows pgx.Rows, f func(queue string, p Past)) error {
	var id string
	var stored []byte
	_, err := pgx.ForEachRow(rows, []any{&id, &stored}, func() error {
		var p Past
		if err := p.decode(stored); err != nil {
			return fmt.Errorf("queue %s: %w", id, err)
		}
		f(id, p)
		return nil
	})
	return err
}

func (f *folding) loadLines(rows pgx.Rows) error {
	defer rows.Close()
	for rows.Next() {
		id, w, err := scanWaiting(rows)
		if err != nil {
			return err
		}
		f.queues[id].line.join(w)
	}
	return rows.Err()
}
