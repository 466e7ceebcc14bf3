package projection

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Table is a table of a read model.
type Table struct {
	Name     string // with {set}
	ByTicket bool   // its rows belong to tickets, and its key begins with source and ticket
}

// clearTickets is how many tickets' rows are taken out in one transaction.
const clearTickets = 1000

// tables are all tables that a generation's set consists of; that of the runner comes last, for clear finds by it what is
// left to do.
func (r *Runner) tables() []Table {
	var all []Table
	for _, m := range r.models {
		all = append(all, m.Tables()...)
	}
	return append(all, Table{"folded_{set}", true})
}

// clear takes out all rows of the generation's set of tables, in pages, unless they are the generation's own. DELETE and
// not TRUNCATE: a reader whose snapshot is older than the last switch goes on seeing the rows, and waits for nothing.
func (j *job) clear(ctx context.Context) error {
	if j.phase != PhaseClearing {
		return nil
	}
	j.meter.enter(PhaseClearing)
	sources, err := j.everySource(ctx)
	if err != nil {
		return err
	}
	cleared := false
	for _, name := range sources {
		if err := j.reset(ctx, name); err != nil {
			return err
		}
		some, err := j.clearSource(ctx, name)
		if err != nil {
			return fmt.Errorf("clear the tables of %s: %w", name, err)
		}
		cleared = cleared || some
	}
	if cleared { // or the dead rows would lie in the way of the new ones
		if err := j.maintain(ctx, "VACUUM"); err != nil {
			return err
		}
	}
	// From now on what is filled stays, whatever interrupts it.
	j.meter.enter(PhaseFilling)
	return j.inTx(ctx, func(tx pgx.Tx) error { return j.enter(ctx, tx, PhaseFilling) })
}

// everySource names all sources that may have rows.
func (j *job) everySource(ctx context.Context) ([]string, error) {
	rows, err := j.runner.pool.Query(ctx, `SELECT DISTINCT source FROM shard`)
	if err != nil {
		return nil, fmt.Errorf("list the shards: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list the shards: %w", err)
	}
	for name := range j.tails {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// reset forgets what was noted of this generation, and of those that have no rows any more.
func (j *job) reset(ctx context.Context, name string) error {
	return j.inTx(ctx, func(tx pgx.Tx) error {
		var batch pgx.Batch
		batch.Queue(`DELETE FROM filled WHERE source = $1 AND generation <> $2`, name, j.before.Number)
		batch.Queue(`DELETE FROM dead_letter WHERE source = $1 AND generation <> $2`, name, j.before.Number)
		batch.Queue(`DELETE FROM shard WHERE source = $1 AND generation NOT IN ($2, $3)`, name, j.before.Number, j.generation)
		batch.Queue(`UPDATE shard SET position = 0, fill_to = $3, halted = NULL WHERE source = $1 AND generation = $2`,
			name, j.generation, j.tails[name])
		if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
			return fmt.Errorf("begin %s anew: %w", name, err)
		}
		for _, s := range j.shards {
			if s.source == name {
				s.position, s.fillTo = 0, new(j.tails[name])
			}
		}
		return nil
	})
}

// clearSource takes out one source's rows, and reports whether there were any.
func (j *job) clearSource(ctx context.Context, name string) (some bool, err error) {
	var after string
	for more := true; more; {
		err := j.inTx(ctx, func(tx pgx.Tx) error {
			in, err := j.clearRange(ctx, tx, name, after)
			if err != nil {
				return err
			}
			n, err := j.clearRows(ctx, tx, name, in)
			some, more, after = some || n > 0, in.Through != "", in.Through
			return err
		})
		if err != nil {
			return some, err
		}
	}
	return some, nil
}

// clearRange is the next range of tickets.
func (j *job) clearRange(ctx context.Context, tx pgx.Tx, name, after string) (Range, error) {
	rows, err := tx.Query(ctx, SetOf(j.generation).SQL(`
		SELECT ticket
		FROM folded_{set}
		WHERE source = $1 AND ticket > $2
		ORDER BY ticket
		OFFSET $3
		LIMIT 1`), name, after, clearTickets)
	if err != nil {
		return Range{}, err
	}
	through, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(through) == 0 {
		return Range{After: after}, err
	}
	return Range{after, through[0]}, nil
}

// clearRows deletes the rows of the range, with the last one also those that belong to no ticket.
func (j *job) clearRows(ctx context.Context, tx pgx.Tx, name string, in Range) (int64, error) {
	var n int64
	for _, t := range j.runner.tables() {
		statement, args := `DELETE FROM `+t.Name+` WHERE source = $1`, []any{name}
		switch {
		case t.ByTicket:
			statement, args = in.SQL(statement+` AND`, name)
		case in.Through != "":
			continue
		}
		tag, err := tx.Exec(ctx, SetOf(j.generation).SQL(statement), args...)
		if err != nil {
			return 0, err
		}
		n += tag.RowsAffected()
	}
	return n, nil
}

// maintain runs a maintenance command, VACUUM or ANALYZE, on each of the set's tables. Postgres answers with a warning where
// this is another role's to do.
func (j *job) maintain(ctx context.Context, command string) error {
	for _, t := range j.runner.tables() {
		if _, err := j.runner.pool.Exec(ctx, SetOf(j.generation).SQL(command+` `+t.Name)); err != nil {
			return fmt.Errorf("%s %s: %w", command, t.Name, err)
		}
	}
	return nil
}

// drop gives the generation up, once its rows are gone.
func (j *job) drop(ctx context.Context) error {
	sources, err := j.everySource(ctx)
	if err != nil {
		return err
	}
	for _, name := range sources {
		if _, err := j.runner.pool.Exec(ctx, `DELETE FROM shard WHERE source = $1 AND generation = $2`, name, j.generation); err != nil {
			return fmt.Errorf("drop generation %d of %s: %w", j.generation, name, err)
		}
	}
	return j.inTx(ctx, func(tx pgx.Tx) error { return generation{Number: j.generation}.become(ctx, tx, dropped) })
}

// inTx runs f in a transaction that ends with a look at whether the generation is still ours.
func (j *job) inTx(ctx context.Context, f func(pgx.Tx) error) error {
	return inTx(ctx, j.runner.pool, j.runner.cfg.Lease, func(tx pgx.Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		return j.fence(ctx, tx)
	})
}
