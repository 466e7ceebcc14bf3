package projection

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
)

// Rebuilder fills a generation from the logs beside the one that serves, and lets readers see it once it is as far. Any
// number of processes may have one; the database lets one of them work at a time. Safe for concurrent use.
type Rebuilder struct {
	runner *Runner
}

// NewRebuilder returns a rebuilder of these sources and read models. It uses up to GOMAXPROCS + 4 of the pool's connections
// at a time, and needs four.
func NewRebuilder(pool *pgxpool.Pool, log *eventstore.Log, sources map[string]source.Source, models []ReadModel, cfg Config) *Rebuilder {
	return &Rebuilder{NewRunner(pool, log, sources, models, cfg)}
}

// Rebuilt is what a rebuild or a rollback has led to.
type Rebuilt struct {
	Generation  int           // that serves now
	Before      int           // that served until then
	Events      int64         // that were folded for it
	Took        time.Duration // since this call
	Differences Differences
	Fingerprint string // of the code that began the generation
}

// Rebuild fills the next generation and switches to it; one that was interrupted goes on where it stopped. report, if any,
// is called a few times a second, by one goroutine. When ctx ends, what was done stays, and another Rebuild goes on
// from there: the cost of an interruption is a few thousand events.
//
// errors.Is ErrRebuilding, ErrTakenOver, ErrOtherFingerprint, ErrUnconfigured. Where another process is at work, it takes up to a
// lease to tell that from one that was killed.
func (r *Rebuilder) Rebuild(ctx context.Context, report func(Rebuilding)) (Rebuilt, error) {
	return r.work(ctx, r.beginRebuild, report)
}

// Rollback brings the previous generation to where the serving one is and switches back to it. The fold that goes on in it
// is that of this binary; what was folded before the switch away from it stays as it was.
//
// errors.Is ErrNoPrevious, ErrRebuilding, ErrTakenOver.
func (r *Rebuilder) Rollback(ctx context.Context, report func(Rebuilding)) (Rebuilt, error) {
	return r.work(ctx, r.beginRollback, report)
}

// Discard drops the generation of an interrupted rebuild. errors.Is ErrNothingBuilding, ErrRebuilding,
// ErrTakenOver.
func (r *Rebuilder) Discard(ctx context.Context) error {
	_, err := r.hold(ctx, r.beginDiscard, nil, func(ctx context.Context, j *job) error {
		if err := j.clear(ctx); err != nil {
			return err
		}
		return j.drop(ctx)
	})
	return err
}

// work makes the generation, follows the logs, and switches.
func (r *Rebuilder) work(ctx context.Context, begin beginning, report func(Rebuilding)) (Rebuilt, error) {
	began := time.Now()
	var rebuilt Rebuilt
	j, err := r.hold(ctx, begin, report, func(ctx context.Context, j *job) (err error) {
		if err := j.clear(ctx); err != nil {
			return err
		}
		if err := j.fill(ctx); err != nil {
			return err
		}
		if err := j.honour(ctx); err != nil {
			return err
		}
		if err := j.follow(ctx); err != nil {
			return err
		}
		if j.differences, err = j.look(ctx); err != nil {
			return err
		}
		return j.switchOver(ctx)
	})
	if err != nil {
		return Rebuilt{}, err
	}
	rebuilt.Generation, rebuilt.Before, rebuilt.Fingerprint = j.generation, j.before.Number, j.fingerprint
	rebuilt.Differences = j.differences
	_, rebuilt.Events = j.meter.read()
	rebuilt.Took = time.Since(began)
	return rebuilt, nil
}
