package projection

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The states of a generation. There is at most one of each but dropped, and never one building beside a previous one: they would
// have the same tables.
const (
	building = "building" // being filled
	serving  = "serving"  // what readers see
	previous = "previous" // stopped at the last switch, kept to go back to
	dropped  = "dropped"  // its rows are gone; its number is never used again, since readers may have seen it
)

// Phase is what whoever works on a generation is doing.
type Phase string

// The phases of a rebuild, in their order; a rollback has the last three.
const (
	PhaseClearing  Phase = "clearing"  // takes out what an earlier generation left in the tables
	PhaseFilling   Phase = "filling"   // folds the log by ticket up to a fixed position
	PhaseFollowing Phase = "following" // folds what came since, in the log's order
	PhaseComparing Phase = "comparing" // holds the tickets against those that readers see
	PhaseSwitching Phase = "switching" // lets readers see it
)

var (
	// ErrRebuilding means that another process works on the generation: a rebuild or a rollback.
	ErrRebuilding = errors.New("another process rebuilds or rolls back now")
	// ErrTakenOver means that this process stood still, or was cut off, for longer than its lease, and another one went on
	// with the work. Nothing is lost.
	ErrTakenOver = errors.New("another process has taken this over: here it stood still, or was cut off, for longer than its lease")
	// ErrOtherFingerprint means that a generation was begun by another version of the code or with other settings: to go
	// on would mix two folds. Discard drops it.
	ErrOtherFingerprint = errors.New("an interrupted rebuild was begun by another version or with other settings: drop it with 'queuetrack rebuild --discard' first")
	// ErrNothingBuilding means that there is no interrupted rebuild.
	ErrNothingBuilding = errors.New("no rebuild has been begun")
	// ErrNoPrevious means that there is no generation to go back to.
	ErrNoPrevious = errors.New("there is no previous generation: one is kept from a rebuild's switch until the next rebuild begins")
	// ErrUnconfigured means that a source has a log that can't be read, since it is not configured.
	ErrUnconfigured = errors.New("a rebuild would lose the tickets of a source that is not configured: configure it again, a secret that no longer works will do")
)

// generation is a row of the table.
type generation struct {
	Number      int
	State       string
	Fingerprint string
	Owner       string
	Epoch       int64
	Phase       Phase
	Task        Task
	Left        float64 // seconds that its owner's lease still runs; 0: nobody works on it
}

const generationColumns = `generation, state, fingerprint, owner, epoch, phase, task,
	CASE WHEN lease_until > statement_timestamp() THEN extract(epoch FROM lease_until - statement_timestamp())::float8 ELSE 0 END`

// lockGenerations returns all generations that have rows by their states, and the highest number ever used, with their
// own rows locked: one process at a time decides about them.
func lockGenerations(ctx context.Context, tx pgx.Tx) (byState map[string]generation, highest int, err error) {
	rows, err := tx.Query(ctx, `
		SELECT `+generationColumns+`
		FROM generation
		ORDER BY generation
		FOR UPDATE`)
	if err != nil {
		return nil, 0, fmt.Errorf("lock the generations: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[generation])
	if err != nil {
		return nil, 0, fmt.Errorf("lock the generations: %w", err)
	}
	byState = map[string]generation{}
	for _, g := range all {
		highest = g.Number
		if g.State != dropped {
			byState[g.State] = g
		}
	}
	if _, ok := byState[serving]; !ok {
		return nil, 0, errNoGeneration
	}
	return byState, highest, nil
}

// beside returns the number of the generation that is filled beside g: the first unused one that lives in the other set.
func (g generation) beside(highest int) int {
	if n := highest + 1; SetOf(n) != SetOf(g.Number) {
		return n
	}
	return highest + 2
}

// tenure is a process's hold on a generation that doesn't serve: while the lease runs, nobody else fills that generation,
// drops it or switches to it. The epoch tells a holder of now from one of the past.
type tenure struct {
	generation int
	epoch      int64
	owner      string
	task       Task
	phase      Phase // in which it begins: where the one before was interrupted
}

// take makes the owner the generation's holder. errors.Is ErrRebuilding while another one's lease runs.
func (g generation) take(ctx context.Context, tx pgx.Tx, owner string, lease time.Duration) (tenure, error) {
	if g.Left > 0 {
		return tenure{}, &busyError{g}
	}
	t := tenure{generation: g.Number, owner: owner, task: g.Task, phase: g.Phase}
	err := tx.QueryRow(ctx, `
		UPDATE generation
		SET owner = $2, epoch = epoch + 1, lease_until = statement_timestamp() + $3::interval, phase = $4, rate = 0,
			task = $5, began_at = statement_timestamp(), ended_at = NULL, failure = ''
		WHERE generation = $1
		RETURNING epoch`, g.Number, owner, lease, g.Phase, g.Task).Scan(&t.epoch)
	if err != nil {
		return tenure{}, fmt.Errorf("take generation %d: %w", g.Number, err)
	}
	return t, t.session().evict(ctx, tx)
}

// renew prolongs the lease and tells everybody how the work is getting on.
func (t tenure) renew(ctx context.Context, pool *pgxpool.Pool, phase Phase, rate float64, lease time.Duration) error {
	tag, err := pool.Exec(ctx, `
		UPDATE generation
		SET lease_until = statement_timestamp() + $3::interval, phase = $4, rate = $5
		WHERE generation = $1 AND epoch = $2`, t.generation, t.epoch, lease, phase, rate)
	if err != nil {
		return fmt.Errorf("renew the lease of generation %d: %w", t.generation, err)
	}
	if tag.RowsAffected() == 0 {
		return errLost
	}
	return nil
}

// enter notes the phase that the work is in, for whoever goes on after an interruption.
func (t tenure) enter(ctx context.Context, tx pgx.Tx, phase Phase) error {
	if _, err := tx.Exec(ctx, `UPDATE generation SET phase = $3 WHERE generation = $1 AND epoch = $2`, t.generation, t.epoch, phase); err != nil {
		return fmt.Errorf("enter %s: %w", phase, err)
	}
	return nil
}

// release ends the lease, and tells everybody what the work failed for, if it did. The phase stays, for whoever goes on.
func (t tenure) release(ctx context.Context, pool *pgxpool.Pool, failure string) error {
	_, err := pool.Exec(ctx, `
		UPDATE generation
		SET lease_until = '-infinity', rate = 0, ended_at = statement_timestamp(), failure = $3
		WHERE generation = $1 AND epoch = $2`, t.generation, t.epoch, failure)
	if err != nil {
		return fmt.Errorf("release generation %d: %w", t.generation, err)
	}
	return nil
}

// fence is the last statement of a transaction that needs the tenure: whoever takes the generation over waits for the
// commit, or has moved the epoch before. errLost rolls all of it back.
func (t tenure) fence(ctx context.Context, tx pgx.Tx) error {
	tag, err := tx.Exec(ctx, `
		SELECT
		FROM generation
		WHERE generation = $1 AND epoch = $2
		FOR SHARE`, t.generation, t.epoch)
	if err != nil {
		return fmt.Errorf("keep generation %d: %w", t.generation, err)
	}
	if tag.RowsAffected() == 0 {
		return errLost
	}
	return nil
}

func (g generation) become(ctx context.Context, tx pgx.Tx, state string) error {
	if _, err := tx.Exec(ctx, `UPDATE generation SET state = $2 WHERE generation = $1`, g.Number, state); err != nil {
		return fmt.Errorf("make generation %d %s: %w", g.Number, state, err)
	}
	return nil
}
