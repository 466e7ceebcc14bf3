package projection

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A shard is one source's log on its way into one generation. Who holds its lease may move its checkpoint; the epoch,
// which moves with each claim, tells a holder of now from one of the past.
type shard struct {
	source     string
	generation int
	position   int64 // the checkpoint: scanned through
	epoch      int64
	renewed    time.Time // when this process last asked for its lease
	recorded   bool      // what this process folds with is noted
	fillTo     *int64    // up to where it is being filled; nil: it follows the log
}

var (
	// errElsewhere means that the shard is another process's share.
	errElsewhere = errors.New("the shard is another process's share")
	// errTaken means that another owner holds the shard.
	errTaken = errors.New("the shard has an owner")
	// errLost means that another owner took the shard over: whatever was in the transaction is rolled back.
	errLost = errors.New("the shard has another owner by now")
	// errHalted means that the shard stopped for a reason that a person must look at.
	errHalted = errors.New("the shard is halted")
)

// claim takes the source's shard of the serving generation, and makes it if it isn't there yet. errTaken when its
// lease runs, or somebody is taking it or switching generations just now; errHalted when it stopped.
func claim(ctx context.Context, pool *pgxpool.Pool, source, owner string, lease time.Duration) (*shard, error) {
	s := &shard{source: source, renewed: time.Now()}
	err := inTx(ctx, pool, lease, func(tx pgx.Tx) error {
		if err := s.ensure(ctx, tx); err != nil {
			return err
		}
		free, err := s.free(ctx, tx, owner)
		if err == nil && free {
			free, err = s.served(ctx, tx)
		}
		if err != nil {
			return err
		}
		if !free {
			return errTaken
		}
		if err := s.take(ctx, tx, owner, lease); err != nil {
			return err
		}
		return s.session().evict(ctx, tx)
	})
	if errors.Is(err, errTaken) || errors.Is(err, errHalted) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("claim %s: %w", source, err)
	}
	return s, nil
}

// servingGeneration is the one that readers see, and the code that it was begun with.
func servingGeneration(ctx context.Context, db querier) (generation int, code string, err error) {
	err = db.QueryRow(ctx, `
		SELECT generation, fingerprint
		FROM generation
		WHERE state = 'serving'`).Scan(&generation, &code)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, "", errNoGeneration
	}
	return generation, code, err
}

// ensure reads the serving generation and makes the shard's row.
func (s *shard) ensure(ctx context.Context, tx pgx.Tx) error {
	var err error
	if s.generation, _, err = servingGeneration(ctx, tx); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO shard (source, generation)
		VALUES ($1, $2)
		ON CONFLICT (source, generation) DO NOTHING`, s.source, s.generation)
	return err
}

// free locks the shard's row and tells whether the owner may have it: its lease ran out, or is the owner's own, from
// before it lost its connection (the new epoch refuses what it left in flight). SKIP LOCKED: nobody queues up behind a
// claim, or behind the last commit of a slow owner.
//
// The clock is the database's, in all statements on leases: statement_timestamp, which unlike clock_timestamp is
// stable, so that a distributed Postgres takes it in an UPDATE too.
func (s *shard) free(ctx context.Context, tx pgx.Tx, owner string) (free bool, err error) {
	var halted *string
	err = tx.QueryRow(ctx, `
		SELECT halted, owner = $3 OR lease_until < statement_timestamp()
		FROM shard
		WHERE source = $1 AND generation = $2
		FOR UPDATE SKIP LOCKED`, s.source, s.generation, owner).Scan(&halted, &free)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case halted != nil:
		return false, fmt.Errorf("%w: %s: %s", errHalted, s.source, *halted)
	}
	return free, nil
}

// served reports whether the generation still serves, and keeps it so until the claim is committed: a switch may have come
// between reading which one does and locking the shard's row. A switch turns the states of the generations first, and
// moves the epochs of their shards then: so either it came before, which is seen here, or it waits for the claim, and
// then refuses all that its owner does. That holds for a source's first claim too, whose row the switch has not locked.
// SKIP LOCKED: a claim, which holds a shard's row, never waits for a switch, which may be waiting for that.
func (s *shard) served(ctx context.Context, tx pgx.Tx) (bool, error) {
	tag, err := tx.Exec(ctx, `
		SELECT
		FROM generation
		WHERE generation = $1 AND state = 'serving'
		FOR SHARE SKIP LOCKED`, s.generation)
	return tag.RowsAffected() == 1, err
}

// take gives the locked row to an owner, whose epoch is a new one.
func (s *shard) take(ctx context.Context, tx pgx.Tx, owner string, lease time.Duration) error {
	return tx.QueryRow(ctx, `
		UPDATE shard
		SET owner = $3, epoch = epoch + 1, lease_until = statement_timestamp() + $4::interval
		WHERE source = $1 AND generation = $2
		RETURNING position, epoch`,
		s.source, s.generation, owner, lease).Scan(&s.position, &s.epoch)
}

// advance moves the checkpoint, in the transaction that wrote what the events up to it did. It is the transaction's last
// statement, so the row is locked for as long as a commit takes. errLost rolls all of it back.
func (s *shard) advance(ctx context.Context, tx pgx.Tx, to int64, lease time.Duration) error {
	tag, err := tx.Exec(ctx, `
		UPDATE shard
		SET position = $5, lease_until = statement_timestamp() + $6::interval
		WHERE source = $1 AND generation = $2 AND epoch = $3 AND position = $4`,
		s.source, s.generation, s.epoch, s.position, to, lease)
	if err != nil {
		return fmt.Errorf("move the checkpoint of %s to %d: %w", s.source, to, err)
	}
	if tag.RowsAffected() == 0 {
		return errLost
	}
	return nil
}

// renew prolongs the lease of a shard that has nothing to do.
func (s *shard) renew(ctx context.Context, pool *pgxpool.Pool, lease time.Duration) error {
	asked := time.Now()
	tag, err := pool.Exec(ctx, `
		UPDATE shard
		SET lease_until = statement_timestamp() + $4::interval
		WHERE source = $1 AND generation = $2 AND epoch = $3`,
		s.source, s.generation, s.epoch, lease)
	if err != nil {
		return fmt.Errorf("renew the lease of %s: %w", s.source, err)
	}
	if tag.RowsAffected() == 0 {
		return errLost
	}
	s.renewed = asked
	return nil
}

// release ends the lease, so that the next owner need not wait for it to run out. Nothing is lost if it fails.
func (s *shard) release(ctx context.Context, pool *pgxpool.Pool) error {
	_, err := pool.Exec(ctx, `
		UPDATE shard
		SET lease_until = '-infinity'
		WHERE source = $1 AND generation = $2 AND epoch = $3`,
		s.source, s.generation, s.epoch)
	if err != nil {
		return fmt.Errorf("release %s: %w", s.source, err)
	}
	return nil
}

// halt stops the shard: nobody claims it any more, until a generation without its cause is filled and switched to. That
// the cause seems gone changes nothing: when the log has grown past a checkpoint that was ahead of its tail, other events
// have the positions that were folded. It returns errHalted with the reason.
func (s *shard) halt(ctx context.Context, pool *pgxpool.Pool, reason string) error {
	tag, err := pool.Exec(ctx, `
		UPDATE shard
		SET halted = $4, lease_until = '-infinity'
		WHERE source = $1 AND generation = $2 AND epoch = $3`,
		s.source, s.generation, s.epoch, reason)
	if err != nil {
		return fmt.Errorf("halt %s (%s): %w", s.source, reason, err)
	}
	if tag.RowsAffected() == 0 {
		return errLost
	}
	return fmt.Errorf("%w: %s: %s", errHalted, s.source, reason)
}

// inTx runs f in a READ COMMITTED transaction, whatever the database's default is. The server ends one that its process
// leaves idle for a lease's length: a process that froze between two statements keeps no row locked for longer.
func inTx(ctx context.Context, pool *pgxpool.Pool, lease time.Duration, f func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{BeginQuery: begin(lease)}, f)
}

func begin(lease time.Duration) string {
	return fmt.Sprintf(`
		BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
		SET LOCAL idle_in_transaction_session_timeout = %d`, max(lease.Milliseconds(), 1))
}
