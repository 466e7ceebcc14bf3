package projection

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// errNoGeneration means that the schema was made, but not by its migrations.
var errNoGeneration = errors.New("no generation serves: run the migrations")

// Reader opens views. Safe for concurrent use.
type Reader struct {
	// Now is the readers' clock; set it before the first use, if at all. NewReader sets time.Now.
	Now func() time.Time
	// Fingerprint is of what this process folds with; set it before the first use, if at all. Drift is held against it.
	Fingerprint Fingerprint

	pool  *pgxpool.Pool
	looks looks
}

// View is one consistent look at the serving generation: a REPEATABLE READ READ ONLY transaction, the set of tables to
// read, and how far each source has been folded in them.
type View struct {
	Checkpoints

	Tx  pgx.Tx
	Set Set
	Now time.Time // the instant the answer is for, UTC
}

// NewReader returns a reader of the pool's database.
func NewReader(pool *pgxpool.Pool) *Reader { return &Reader{Now: time.Now, pool: pool} }

// View calls f with one consistent look at the serving generation; everything f reads belongs together.
//
// errors.Is ErrCleared, whatever f returned, when it took so long that two rebuilds got in between.
func (r *Reader) View(ctx context.Context, f func(*View) error) error {
	began := time.Now()
	v := &View{Now: r.Now().UTC()}
	err := snapshot(ctx, r.pool, func(tx pgx.Tx) error {
		v.Tx = tx
		if err := v.open(ctx); err != nil {
			return err
		}
		return f(v)
	})
	if time.Since(began) < trust {
		return err
	}
	if gone := stands(ctx, r.pool, v.Generation); gone != nil {
		return gone
	}
	return err
}

// stands returns ErrCleared when the generation has been dropped. Its rows go after that, so who has read them before
// has read them all.
func stands(ctx context.Context, pool *pgxpool.Pool, generation int) error {
	var state string
	err := pool.QueryRow(ctx, `SELECT state FROM generation WHERE generation = $1`, generation).Scan(&state)
	switch {
	case err != nil:
		return fmt.Errorf("read the state of generation %d: %w", generation, err)
	case state == dropped:
		return ErrCleared
	}
	return nil
}

// open reads the serving generation and its checkpoints. It is the transaction's first statement, so it takes the
// snapshot: a switch of generations happened before all that follows, or after.
func (v *View) open(ctx context.Context) (err error) {
	v.Checkpoints, err = checkpoints(ctx, v.Tx)
	v.Set = SetOf(v.Generation)
	return err
}

// snapshot runs f in one REPEATABLE READ READ ONLY transaction.
func snapshot(ctx context.Context, pool *pgxpool.Pool, f func(pgx.Tx) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return pgx.BeginTxFunc(ctx, pool, options, f)
}
