package projection

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// errBehind means that the generation has to fold more before readers may see it.
var errBehind = errors.New("the generation is behind the one that serves")

// switchTimeout bounds how long the serving generation's projectors are held up by one try.
const switchTimeout = 2 * time.Second

// honour makes good what was dismissed while the generation stood still. It moves the shards' epochs, so they are taken
// anew.
func (j *job) honour(ctx context.Context) error {
	if err := j.runner.honour(ctx, j.generation); err != nil {
		return err
	}
	return j.inTx(ctx, func(tx pgx.Tx) error {
		for i, s := range j.shards {
			taken, err := j.takeShard(ctx, tx, s.source, j.owner)
			if err != nil {
				return fmt.Errorf("take generation %d of %s: %w", j.generation, s.source, err)
			}
			j.shards[i] = taken
		}
		return nil
	})
}

// follow folds what the logs got meanwhile, until no shard is further behind than a page.
func (j *job) follow(ctx context.Context) error {
	j.meter.enter(PhaseFollowing)
	for {
		folded, err := j.catchUp(ctx)
		if err != nil || folded <= int64(j.runner.cfg.PageSize) {
			return err
		}
	}
}

// catchUp folds what the logs have now, and returns how many events that were.
func (j *job) catchUp(ctx context.Context) (int64, error) {
	var before, after, total int64
	group, folding := errgroup.WithContext(ctx)
	group.SetLimit(catchUpShards)
	for _, s := range j.shards {
		tail, err := j.runner.log.Tail(ctx, s.source)
		if err != nil {
			return 0, err
		}
		before, total = before+s.position, total+tail
		group.Go(func() error { return j.foldTo(folding, s, tail) })
	}
	j.meter.known(before, total)
	err := group.Wait()
	for _, s := range j.shards {
		after += s.position
	}
	return after - before, err
}

// foldTo folds page after page of the shard's log up to a position.
func (j *job) foldTo(ctx context.Context, s *shard, to int64) error {
	ahead := newAhead(ctx)
	defer ahead.drop()
	for s.position < to {
		n, err := j.runner.next(ctx, s, ahead)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("the log of %s ends at %d, and had %d events before", s.source, s.position, to)
		}
		j.meter.add(int64(n))
	}
	return nil
}

// switchOver lets readers see the generation, as soon as it is as far as the one that serves.
func (j *job) switchOver(ctx context.Context) error {
	j.meter.enter(PhaseSwitching)
	for {
		err := j.trySwitch(ctx)
		if !errors.Is(err, errBehind) {
			return err
		}
		if _, err := j.catchUp(ctx); err != nil {
			return err
		}
	}
}

// trySwitch switches in one transaction. It locks the serving shards' rows, so that their checkpoints stand still; has the
// generation fold what it lacks up to there, which is a page at most; and turns the two generations' states around.
// Readers are not held up: each of their snapshots lies before the commit, and shows the one, or after it, and shows the
// other, which is as far or further.
func (j *job) trySwitch(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, switchTimeout, errBehind)
	defer cancel()
	err := j.inTx(ctx, func(tx pgx.Tx) error {
		goals, lost, err := j.stopServing(ctx, tx)
		if err != nil {
			return err
		}
		if err := j.reach(ctx, goals); err != nil {
			return err
		}
		after := previous
		if lost { // and what the log lost is nothing to go back to
			after = dropped
		}
		if err := j.turn(ctx, tx, after); err != nil {
			return err
		}
		return j.handOver(ctx, tx, goals)
	})
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errBehind) {
		return cause
	}
	return err
}

// stopServing locks the serving generation's shards and returns how far each is: what readers may have seen. A
// checkpoint ahead of the log's tail, as after the restore of a backup, is no goal: what the log lost, readers lose too.
func (j *job) stopServing(ctx context.Context, tx pgx.Tx) (goals []int64, lost bool, err error) {
	goals = make([]int64, len(j.shards))
	for i, s := range j.shards {
		err := tx.QueryRow(ctx, `
			SELECT position
			FROM shard
			WHERE source = $1 AND generation = $2
			FOR UPDATE`, s.source, j.before.Number).Scan(&goals[i])
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return nil, false, fmt.Errorf("stop generation %d of %s: %w", j.before.Number, s.source, err)
		}
		tail, err := j.runner.log.Tail(ctx, s.source)
		if err != nil {
			return nil, false, err
		}
		lost = lost || goals[i] > tail
		goals[i] = min(goals[i], tail)
	}
	return goals, lost, nil
}

// reach folds up to the goals, unless that takes more than a page each.
func (j *job) reach(ctx context.Context, goals []int64) error {
	for i, s := range j.shards {
		if goals[i]-s.position > int64(j.runner.cfg.PageSize) {
			return errBehind
		}
	}
	for i, s := range j.shards {
		if err := j.foldTo(ctx, s, goals[i]); err != nil {
			return err
		}
	}
	return nil
}

// turn makes this generation the serving one, and the one that serves what it is to be after that, in steps that never
// leave two of a kind.
func (j *job) turn(ctx context.Context, tx pgx.Tx, after string) error {
	all, _, err := lockGenerations(ctx, tx)
	if err != nil {
		return err
	}
	if all[serving].Number != j.before.Number {
		return errLost
	}
	this := generation{Number: j.generation}
	if err := this.become(ctx, tx, building); err != nil {
		return err
	}
	if err := j.before.become(ctx, tx, after); err != nil {
		return err
	}
	if err := this.become(ctx, tx, serving); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		UPDATE generation
		SET switched_at = statement_timestamp(), differing = $2, differing_some = $3
		WHERE generation = $1`, j.generation, j.differences.Tickets, append([]string{}, j.differences.Some...))
	if err != nil {
		return fmt.Errorf("switch to generation %d: %w", j.generation, err)
	}
	return nil
}

// handOver lets every process claim the shards of what serves now, and refuses what is in flight for what served before.
func (j *job) handOver(ctx context.Context, tx pgx.Tx, goals []int64) error {
	for i, s := range j.shards {
		tag, err := tx.Exec(ctx, `
			UPDATE shard
			SET epoch = epoch + 1, owner = '', lease_until = '-infinity'
			WHERE source = $1 AND generation = $2 AND epoch = $3 AND position >= $4 AND halted IS NULL`,
			s.source, s.generation, s.epoch, goals[i])
		if err != nil {
			return fmt.Errorf("hand over %s: %w", s.source, err)
		}
		if tag.RowsAffected() == 0 {
			return errLost
		}
		_, err = tx.Exec(ctx, `
			UPDATE shard
			SET epoch = epoch + 1, owner = '', lease_until = '-infinity'
			WHERE source = $1 AND generation = $2`, s.source, j.before.Number)
		if err != nil {
			return fmt.Errorf("hand over %s: %w", s.source, err)
		}
	}
	return nil
}
