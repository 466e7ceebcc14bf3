package projection

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// trust is for how long a view needs not ask whether its tables were cleared meanwhile: they are cleared clearAfter the
	// last switch at the earliest, and a view of what served before that switch is older than the switch.
	trust      = time.Second
	clearAfter = 2 * trust
	// Who still reads the tables has clearPatience to finish, and clearLock at a time to be waited for: what wants to read
	// them waits behind us.
	clearPatience = 15 * time.Second
	clearLock     = 100 * time.Millisecond
)

var (
	// ErrCleared means that a view took so long that a rebuild cleared its tables meanwhile. Asked again, it will be of the
	// generation that serves now.
	ErrCleared = errors.New("a rebuild dropped the generation while it was being read: ask again")
	// ErrInUse means that somebody reads the tables that are to be cleared.
	ErrInUse = errors.New("another session reads the tables of a generation that no longer serves (a dump, a long query): try again when it has ended")
)

// tables names all tables that a generation's set consists of, with {set}.
func (r *Runner) tables() []string {
	all := []string{"folded_{set}"}
	for _, m := range r.models {
		all = append(all, m.Tables()...)
	}
	return all
}

// clear takes out all that an earlier generation left in the set's tables, unless this one has begun to fill them.
//
// TRUNCATE shows a snapshot that is older than itself an empty table. Nobody's snapshot is, who finished within trust:
// see clearAfter. Whoever took longer looks, at the end, whether the generation has been dropped, which it was before.
func (j *job) clear(ctx context.Context) error {
	if j.phase != PhaseClearing {
		return nil
	}
	j.meter.enter(PhaseClearing)
	sources, err := j.everySource(ctx)
	if err != nil {
		return err
	}
	for _, name := range sources {
		if err := j.reset(ctx, name); err != nil {
			return fmt.Errorf("begin %s anew: %w", name, err)
		}
	}
	if err := j.outlast(ctx); err != nil {
		return err
	}
	if err := j.truncate(ctx); err != nil {
		return fmt.Errorf("clear the tables for generation %d: %w", j.generation, err)
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

// reset forgets how far this generation was, and all about those that have no rows any more.
func (j *job) reset(ctx context.Context, name string) error {
	err := j.inTx(ctx, func(tx pgx.Tx) error {
		var batch pgx.Batch
		batch.Queue(`DELETE FROM filled WHERE source = $1 AND generation <> $2`, name, j.before.Number)
		batch.Queue(`DELETE FROM dead_letter WHERE source = $1 AND generation <> $2`, name, j.before.Number)
		batch.Queue(`DELETE FROM shard WHERE source = $1 AND generation NOT IN ($2, $3)`, name, j.before.Number, j.generation)
		batch.Queue(`
			UPDATE shard
			SET position = 0, fill_to = $3, halted = NULL
			WHERE source = $1 AND generation = $2`, name, j.generation, j.tails[name])
		return tx.SendBatch(ctx, &batch).Close()
	})
	if err != nil {
		return err
	}
	for _, s := range j.shards {
		if s.source == name {
			s.position, s.fillTo = 0, new(j.tails[name])
		}
	}
	return nil
}

// outlast waits until clearAfter the last switch.
func (j *job) outlast(ctx context.Context) error {
	var seconds float64
	err := j.runner.pool.QueryRow(ctx, `
		SELECT CASE WHEN switched_at > statement_timestamp() - $2::interval
			THEN extract(epoch FROM switched_at + $2::interval - statement_timestamp())::float8 ELSE 0 END
		FROM generation
		WHERE generation = $1`, j.before.Number, clearAfter).Scan(&seconds)
	if err != nil {
		return fmt.Errorf("read the last switch: %w", err)
	}
	wait(ctx, nil, time.Duration(seconds*float64(time.Second)))
	return ctx.Err()
}

// truncate empties the tables as soon as nobody reads them.
func (j *job) truncate(ctx context.Context) error {
	statement := SetOf(j.generation).SQL(`TRUNCATE ` + strings.Join(j.runner.tables(), ", "))
	for until := time.Now().Add(clearPatience); ; {
		err := j.inTx(ctx, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, fmt.Sprintf(`SET LOCAL lock_timeout = %d`, clearLock.Milliseconds())); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, statement)
			return err
		})
		switch {
		case sqlState(err) != lockNotAvailable:
			return err
		case time.Now().After(until):
			return ErrInUse
		}
		wait(ctx, nil, clearLock)
	}
}

// lockNotAvailable is the state of a statement that met its lock_timeout.
const lockNotAvailable = "55P03"

// analyze tells the planner what the tables hold now, or the first readers would get the plans of empty ones. Where this is
// another role's to do, Postgres only warns.
func (j *job) analyze(ctx context.Context) error {
	return inTx(ctx, j.runner.pool, j.runner.cfg.Lease, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL default_statistics_target = 10`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, SetOf(j.generation).SQL(`ANALYZE `+strings.Join(j.runner.tables(), ", ")))
		return err
	})
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
	return j.session().inTx(ctx, j.runner.pool, j.runner.cfg.Lease, func(tx pgx.Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		return j.fence(ctx, tx)
	})
}
