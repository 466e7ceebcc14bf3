package projection

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// catchUpShards is how many sources CatchUp folds at a time: as many as a small pool can serve.
const catchUpShards = 4

// CatchUp folds everything that is in the log now, then returns: for tests, commands and the end of a demo. A shard that
// another owner holds is waited for; a halted one is an error.
func (r *Runner) CatchUp(ctx context.Context) error {
	owner := newOwner()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(catchUpShards)
	for name := range r.sources {
		group.Go(func() error { return r.catchUp(ctx, name, owner) })
	}
	return group.Wait()
}

func (r *Runner) catchUp(ctx context.Context, name, owner string) error {
	tail, err := r.log.Tail(ctx, name)
	if err != nil {
		return fmt.Errorf("catch up with %s: %w", name, err)
	}
	for {
		err := r.foldTo(ctx, name, owner, tail)
		if err == nil {
			return nil
		}
		if !errors.Is(err, errTaken) && !errors.Is(err, errLost) {
			return fmt.Errorf("catch up with %s: %w", name, err)
		}
		if done, err := r.passed(ctx, name, tail); err != nil || done {
			return err
		}
		wait(ctx, nil, r.cfg.Poll)
		if ctx.Err() != nil {
			return fmt.Errorf("catch up with %s: %w", name, ctx.Err())
		}
	}
}

// foldTo claims the shard, folds up to the position and gives the shard back.
func (r *Runner) foldTo(ctx context.Context, name, owner string, to int64) error {
	s, err := r.claim(ctx, name, owner)
	if err != nil {
		return err
	}
	defer r.release(ctx, s)
	ahead := newAhead(ctx)
	defer ahead.drop()
	for s.position < to {
		n, err := r.next(ctx, s, ahead)
		if err != nil {
			return err
		}
		if n == 0 { // the tail was read before: it can only have grown
			return r.halt(ctx, s, fmt.Sprintf("the log ends at %d, and had %d events before", s.position, to))
		}
	}
	return nil
}

// passed reports whether the shard's owner has brought it to the position.
func (r *Runner) passed(ctx context.Context, name string, to int64) (bool, error) {
	var position int64
	var halted *string
	err := r.pool.QueryRow(ctx, `
		SELECT s.position, s.halted
		FROM shard s
		JOIN generation g ON g.generation = s.generation
		WHERE g.state = 'serving' AND s.source = $1`, name).Scan(&position, &halted)
	switch {
	case errors.Is(err, pgx.ErrNoRows): // its first owner is just making it
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read the checkpoint of %s: %w", name, err)
	case halted != nil:
		return false, fmt.Errorf("%w: %s: %s", errHalted, name, *halted)
	}
	return position >= to, nil
}
