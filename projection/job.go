package projection

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
)

// job is the work on one generation by its holder.
type job struct {
	tenure
	runner      *Runner
	before      generation // that serves meanwhile
	fingerprint string
	shards      []*shard         // by source
	tails       map[string]int64 // of all logs, when the work was taken up
	meter       meter
	differences Differences // from what serves meanwhile
}

// beginning decides what is to be done, with the generations locked, and takes hold of one.
type beginning func(ctx context.Context, tx pgx.Tx, owner string) (*job, error)

// hold takes hold of a generation, does the work, and gives it back, however that ends.
func (r *Rebuilder) hold(ctx context.Context, begin beginning, report func(Rebuilding), do func(context.Context, *job) error) (*job, error) {
	j, err := r.patient(ctx, begin)
	if err != nil {
		return nil, err
	}
	traced, span := j.meter.spans.begin(ctx, r.runner.cfg.Tracer, j.task, j.generation)
	working, stop := context.WithCancelCause(traced)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		j.watch(working, stop, report)
	}()
	err = do(working, j)
	if cause := context.Cause(working); err != nil && cause != nil {
		err = cause
	}
	stop(nil)
	<-watched
	if err != nil && j.lost(ctx, r.runner.pool) {
		err = ErrTakenOver
	}
	r.letGo(ctx, j, err)
	j.meter.spans.end(err)
	endSpan(span, err)
	return j, err
}

// letGo ends the lease. What could not be done stays to be gone on with. That ctx has ended is no failure.
func (r *Rebuilder) letGo(ctx context.Context, j *job, cause error) {
	failure := ""
	if cause != nil && ctx.Err() == nil {
		failure = strings.ToValidUTF8(strings.ReplaceAll(cause.Error(), "\x00", ""), "")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if err := j.release(ctx, r.runner.pool, failure); err != nil {
		r.runner.cfg.Logger.WarnContext(ctx, "the generation's lease was not given back; it runs out by itself", "error", err)
	}
}

// busyError is ErrRebuilding with what it takes to find out whether the other one lives.
type busyError struct {
	generation
}

func (e *busyError) Error() string {
	return fmt.Sprintf("%s: %s, generation %d, %s", ErrRebuilding, e.Owner, e.Number, e.Phase)
}

func (e *busyError) Unwrap() error { return ErrRebuilding }

// patient begins. Where the generation has a holder, it waits for the end of that one's lease: one that lives renews it
// long before, and is left to it.
func (r *Rebuilder) patient(ctx context.Context, begin beginning) (*job, error) {
	owner := newOwner()
	var ends time.Time // of the lease as first seen
	for {
		j, err := r.begin(ctx, begin, owner)
		var busy *busyError
		if !errors.As(err, &busy) {
			return j, err
		}
		left := time.Duration(busy.Left * float64(time.Second))
		if ends.IsZero() {
			ends = time.Now().Add(left)
		}
		if time.Now().Add(left).After(ends.Add(r.runner.cfg.Lease / 20)) {
			return nil, err
		}
		wait(ctx, nil, min(left+time.Millisecond, r.runner.cfg.Poll))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

func (r *Rebuilder) begin(ctx context.Context, begin beginning, owner string) (j *job, err error) {
	err = inTx(ctx, r.runner.pool, r.runner.cfg.Lease, func(tx pgx.Tx) error {
		j, err = begin(ctx, tx, owner)
		return err
	})
	return j, err
}

// beginRebuild finds an interrupted rebuild or begins the next one.
func (r *Rebuilder) beginRebuild(ctx context.Context, tx pgx.Tx, owner string) (*job, error) {
	all, highest, err := lockGenerations(ctx, tx)
	if err != nil {
		return nil, err
	}
	code := r.runner.cfg.Fingerprint.Code
	g, begun := all[building]
	if !begun {
		g = generation{Number: all[serving].beside(highest), State: building, Fingerprint: code, Phase: PhaseClearing}
		if err := g.insert(ctx, tx, all); err != nil {
			return nil, err
		}
	}
	g.Task = TaskRebuild
	j, err := r.take(ctx, tx, g, all[serving], owner)
	if err != nil {
		return nil, err
	}
	if err := j.same(ctx, tx); err != nil {
		return nil, err
	}
	return j, j.complete()
}

// same refuses to go on with what was begun with another fold.
func (j *job) same(ctx context.Context, tx pgx.Tx) error {
	differ, err := j.runner.cfg.Fingerprint.differences(ctx, tx)
	if err != nil {
		return fmt.Errorf("read what generation %d was folded with: %w", j.generation, err)
	}
	for key := range differ {
		if key.generation == j.generation {
			return ErrOtherFingerprint
		}
	}
	return nil
}

// insert begins the generation, in the tables of the previous one, which is none from now on.
func (g generation) insert(ctx context.Context, tx pgx.Tx, all map[string]generation) error {
	if p, ok := all[previous]; ok {
		if p.Left > 0 {
			return &busyError{p}
		}
		if err := p.become(ctx, tx, dropped); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO generation (generation, state, fingerprint, phase, created_at)
		VALUES ($1, $2, $3, $4, statement_timestamp())`, g.Number, g.State, g.Fingerprint, g.Phase)
	if err != nil {
		return fmt.Errorf("begin generation %d: %w", g.Number, err)
	}
	return nil
}

func (r *Rebuilder) beginRollback(ctx context.Context, tx pgx.Tx, owner string) (*job, error) {
	all, _, err := lockGenerations(ctx, tx)
	if err != nil {
		return nil, err
	}
	g, ok := all[previous]
	if !ok {
		return nil, ErrNoPrevious
	}
	g.Phase, g.Task = PhaseFollowing, TaskRollback
	j, err := r.take(ctx, tx, g, all[serving], owner)
	if err != nil {
		return nil, err
	}
	return j, j.complete()
}

// beginDiscard takes hold of the interrupted rebuild.
func (r *Rebuilder) beginDiscard(ctx context.Context, tx pgx.Tx, owner string) (*job, error) {
	all, _, err := lockGenerations(ctx, tx)
	if err != nil {
		return nil, err
	}
	g, ok := all[building]
	if !ok {
		return nil, ErrNothingBuilding
	}
	g.Task = TaskDiscard
	g.Phase = PhaseClearing // should this be interrupted too, then nothing of it is taken for filled
	return r.take(ctx, tx, g, all[serving], owner)
}

// take takes hold of the generation and of its shards, and makes those that it has not got yet.
func (r *Rebuilder) take(ctx context.Context, tx pgx.Tx, g, before generation, owner string) (*job, error) {
	t, err := g.take(ctx, tx, owner, r.runner.cfg.Lease)
	if err != nil {
		return nil, err
	}
	heads, err := eventstore.Heads(ctx, tx, nil)
	if err != nil {
		return nil, err
	}
	j := &job{tenure: t, runner: r.runner, before: before, fingerprint: g.Fingerprint, tails: map[string]int64{}}
	j.meter.generation, j.meter.phase, j.meter.entered = g.Number, g.Phase, make(chan struct{}, 1)
	for _, h := range heads {
		j.tails[h.Source] = h.Tail
	}
	for _, name := range slices.Sorted(maps.Keys(r.runner.sources)) {
		s, err := j.takeShard(ctx, tx, name, owner)
		if err != nil {
			return nil, fmt.Errorf("take generation %d of %s: %w", g.Number, name, err)
		}
		j.shards = append(j.shards, s)
	}
	return j, nil
}

// complete refuses to leave a source behind.
func (j *job) complete() error {
	for _, name := range slices.Sorted(maps.Keys(j.tails)) {
		if j.tails[name] > 0 && j.runner.sources[name] == nil {
			return fmt.Errorf("%w: %s has %d events", ErrUnconfigured, name, j.tails[name])
		}
	}
	return nil
}

// takeShard makes the owner that of the source's shard, and moves its epoch: what an earlier holder has in flight is
// refused. A shard that it makes is to be filled up to the present tail.
func (j *job) takeShard(ctx context.Context, tx pgx.Tx, name, owner string) (*shard, error) {
	s := &shard{source: name, generation: j.generation, renewed: time.Now()}
	tag, err := tx.Exec(ctx, `
		INSERT INTO shard (source, generation, fill_to)
		VALUES ($1, $2, $3)
		ON CONFLICT (source, generation) DO NOTHING`, name, j.generation, j.tails[name])
	if err != nil {
		return nil, err
	}
	if tag.RowsAffected() == 1 {
		if err := j.runner.cfg.Fingerprint.record(ctx, tx, j.generation, name, 0); err != nil {
			return nil, err
		}
	}
	err = tx.QueryRow(ctx, `
		UPDATE shard
		SET owner = $3, epoch = epoch + 1, lease_until = statement_timestamp() + $4::interval
		WHERE source = $1 AND generation = $2
		RETURNING position, epoch, fill_to`, name, j.generation, owner, j.runner.cfg.Lease).Scan(&s.position, &s.epoch, &s.fillTo)
	if err != nil {
		return nil, err
	}
	return s, s.session().evict(ctx, tx)
}
