package projection

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// byHand begins the owner's name of a shard that an operator's retry holds. Two of them wait for each other.
const byHand = "operator "

// seize takes the shard, whoever holds it, unless that is another operator: then it waits.
func (v *revival) seize(ctx context.Context) (*shard, error) {
	owner := byHand + newOwner()
	for {
		s := &shard{source: v.source, generation: v.generation, renewed: time.Now()}
		err := inTx(ctx, v.runner.pool, v.runner.cfg.Lease, func(tx pgx.Tx) error {
			if err := v.seizable(ctx, tx); err != nil {
				return err
			}
			return s.take(ctx, tx, owner, v.runner.cfg.Lease)
		})
		if err == nil {
			return s, nil
		}
		if !errors.Is(err, errTaken) {
			return nil, err
		}
		wait(ctx, nil, breath)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// seizable locks the shard's row, and tells why it is not to be had.
func (v *revival) seizable(ctx context.Context, tx pgx.Tx) error {
	var state, halted string
	var held bool
	err := tx.QueryRow(ctx, `
		SELECT coalesce(halted, ''), starts_with(owner, $3) AND lease_until >= statement_timestamp()
		FROM shard
		WHERE source = $1 AND generation = $2
		FOR UPDATE`, v.source, v.generation, byHand).Scan(&halted, &held)
	if err != nil {
		return err
	}
	// Whoever ends a generation's service, or drops it, moves its shards' epochs: what is read here holds until our own.
	err = tx.QueryRow(ctx, `
		SELECT state
		FROM generation
		WHERE generation = $1`, v.generation).Scan(&state)
	switch {
	case err != nil:
		return err
	case !v.stopped && state != "serving":
		return &NotNowError{"another generation serves by now, whose dead letters are its own: look at them"}
	case halted != "":
		return &NotNowError{"the projection is halted: " + halted}
	case held:
		return errTaken
	}
	return nil
}

// handBack is the last statement of a step: it says that rows have changed, and that the shard is to be had. errLost rolls
// all of the step back.
func (s *shard) handBack(ctx context.Context, tx pgx.Tx) error {
	tag, err := tx.Exec(ctx, `
		UPDATE shard
		SET epoch = epoch + 1, lease_until = '-infinity'
		WHERE source = $1 AND generation = $2 AND epoch = $3 AND position = $4`,
		s.source, s.generation, s.epoch, s.position)
	if err != nil {
		return fmt.Errorf("hand %s back: %w", s.source, err)
	}
	if tag.RowsAffected() == 0 {
		return errLost
	}
	return nil
}

// dismiss writes the decision down, unless a generation is in the making. Making one begins with a lock on the rows of
// all, so either it sees the decision or we see it.
func (t tables) dismiss(ctx context.Context, position int64, at time.Time) error {
	_, err := t.tx.Exec(ctx, `
		SELECT
		FROM generation
		WHERE state <> 'dropped'
		FOR SHARE`)
	if err != nil {
		return err
	}
	var making bool
	err = t.tx.QueryRow(ctx, `
		SELECT EXISTS (
			SELECT
			FROM generation
			WHERE state = 'building' OR state = 'previous' AND lease_until >= statement_timestamp())`).Scan(&making)
	if err != nil {
		return err
	}
	if making {
		return &NotNowError{"a rebuild or a rollback is under way, in which the event may well be folded: dismiss it after that, or give the rebuild up (rebuild --discard)"}
	}
	_, err = t.tx.Exec(ctx, `
		INSERT INTO dismissal (source, position, dismissed_at)
		VALUES ($1, $2, $3)
		ON CONFLICT (source, position) DO NOTHING`, t.source, position, at)
	return err
}

// exhume takes events out of the dead letters.
func (t tables) exhume(ctx context.Context, positions []int64) error {
	_, err := t.tx.Exec(ctx, `
		DELETE FROM dead_letter
		WHERE source = $1 AND generation = $2 AND position = ANY ($3)`, t.source, t.generation, positions)
	return err
}

// standBehind tells the rest of a ticket's queue what it waits behind now. Where no event failed, that is the first one
// of the rest itself.
func (t tables) standBehind(ctx context.Context, id string, q *queued) error {
	front, cause := q.stands()
	if id == "" || q.next() == 0 {
		return nil
	}
	_, err := t.tx.Exec(ctx, `
		UPDATE dead_letter
		SET behind = nullif($5, position),
			cause = CASE WHEN position = $5 THEN $6 ELSE $7 END
		WHERE source = $1 AND generation = $2 AND ticket = $3 AND position >= $4 AND behind IS DISTINCT FROM $5`,
		t.source, t.generation, id, q.next(), front, cause, waitsBehind(front))
	return err
}
