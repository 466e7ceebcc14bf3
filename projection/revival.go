package projection

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
)

// revival brings a ticket that stands still to life again. (Events about no ticket are revived one by one.)
//
// # Fencing
//
// The shard belongs to a runner in any process, which may be in the middle of a page right now: it has read that the
// ticket is dead, and will say so of the page's events. So a step is the work of an owner like any other, only that it
// doesn't ask. It takes the shard, lease or no lease: from then on the epoch refuses the page in flight. It reads the
// queue, which nobody else can change any more; folds; and gives the shard back in the transaction that writes the rows,
// with an epoch that has moved once more: whoever remembers (position, epoch) of a shard sees that rows have changed,
// though the position hasn't. The runner that lost the shard claims it anew.
//
// The rows are written before the shard's, as in a page, so the two don't wait for each other in a ring.
//
// What if we crash here: before the commit nothing has happened, but that the shard has an owner until its lease runs
// out. After the commit of one of several steps, the ticket stands at its next event.
type revival struct {
	runner     *Runner
	source     string
	generation int
	stopped    bool  // the generation is not the one that serves
	front      int64 // the dead letter; 0: the ticket goes on
	ticket     string
	drop       bool          // the front is not folded but dropped,
	dismissed  time.Time     // because of a decision at this time; zero: one of before
	limit      int           // events folded in a step
	patience   time.Duration // 0: until the end
	done       Retried
}

// run takes step after step. A first look comes before them, so that a mistaken request disturbs nobody.
func (v *revival) run(ctx context.Context) error {
	if v.runner.sources[v.source] == nil {
		return &NotNowError{"the source is not configured: nothing here can read its events"}
	}
	v.limit = v.runner.cfg.PageSize
	if err := v.look(ctx); err != nil {
		return err
	}
	for began, steps := time.Now(), 0; ; steps++ {
		before := time.Now()
		err := v.step(ctx)
		if steps > 0 && gone(err) { // another operator's retry went on where this one rested
			return nil
		}
		if err != nil || v.front == 0 {
			return err
		}
		wait(ctx, nil, max(breath, time.Since(before)))
		if ctx.Err() != nil || v.patience > 0 && time.Since(began) > v.patience {
			v.done.Stands, v.done.Cause, v.done.Unfinished = v.front, unfinished, true
			return nil
		}
	}
}

// look finds the generation and the dead letter in it.
func (v *revival) look(ctx context.Context) error {
	return snapshot(ctx, v.runner.pool, func(tx pgx.Tx) (err error) {
		if !v.stopped {
			view := &View{Tx: tx}
			if err := view.open(ctx); err != nil {
				return err
			}
			v.generation = view.Generation
		}
		v.ticket, err = v.tables(tx).front(ctx, v.front)
		return err
	})
}

func (v *revival) tables(tx pgx.Tx) tables {
	return tables{tx: tx, generation: v.generation, source: v.source}
}

// step folds the next events of the queue. Where the database refuses what one of them says, the step gets shorter until
// it has found which.
func (v *revival) step(ctx context.Context) error {
	for tried := 1; ; {
		err := v.attempt(ctx, nil)
		switch {
		case unstorable(err) && v.limit > 1:
			v.limit /= 2
		case unstorable(err):
			return v.attempt(ctx, err)
		case inTheWay(err) && tried < retryTries:
			tried++
		default:
			return err
		}
	}
}

// gone reports whether a position is no dead letter, or not any more.
func gone(err error) bool {
	var waits *WaitsBehindError
	return errors.Is(err, ErrNotDead) || errors.Is(err, ErrDismissed) || errors.As(err, &waits)
}

// inTheWay reports whether somebody else was, and may not be the next time.
func inTheWay(err error) bool {
	state := sqlState(err)
	return errors.Is(err, errLost) || state == "40001" || state == "40P01"
}

// attempt takes the shard and folds a step. With refused, the database's word on a step of one event, that event becomes
// the dead letter.
func (v *revival) attempt(ctx context.Context, refused error) error {
	s, err := v.seize(ctx)
	if err != nil {
		return err
	}
	q, err := v.queue(ctx)
	if err == nil {
		err = v.held(ctx, s, func(ctx context.Context) error {
			return s.session().inTx(ctx, v.runner.pool, v.runner.cfg.Lease, func(tx pgx.Tx) error { return v.refold(ctx, tx, s, q, refused) })
		})
	}
	if err != nil {
		v.runner.release(ctx, s)
		return err
	}
	v.went(ctx, s, q)
	return nil
}

// held does the work of a step while the shard's lease is renewed: to settle a source of many events takes longer than one.
func (v *revival) held(ctx context.Context, s *shard, work func(context.Context) error) error {
	renewing, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func(s shard) {
		defer close(ended)
		lease := v.runner.cfg.Lease
		for wait(renewing, nil, lease/3); renewing.Err() == nil; wait(renewing, nil, lease/3) {
			if s.renew(renewing, v.runner.pool, lease) != nil {
				return // what the step writes is refused then, unless it has ended
			}
		}
	}(*s)
	defer func() { stop(); <-ended }()
	return work(ctx)
}

// queued is the part of the ticket's queue that a step is about.
type queued struct {
	positions []int64 // those of events, and the next one if there is one
	events    []eventstore.Event
	folding   folding
	taken     int // how many events were gone through
}

// next is the first position that was not gone through; 0: there is none.
func (q *queued) next() int64 {
	if q.taken == len(q.positions) {
		return 0
	}
	return q.positions[q.taken]
}

// stands is the position that the ticket stands at after the step, and why; 0: it goes on.
func (q *queued) stands() (int64, string) {
	if len(q.folding.letters) > 0 {
		return q.folding.letters[0].Position, q.folding.letters[0].Cause
	}
	return q.next(), unfinished
}

// queue reads the next events. The shard is ours by now, so the queue stands as still as the log.
func (v *revival) queue(ctx context.Context) (*queued, error) {
	q := &queued{folding: folding{adapter: v.runner.sources[v.source]}}
	if err := v.look(ctx); err != nil {
		return nil, err
	}
	err := snapshot(ctx, v.runner.pool, func(tx pgx.Tx) (err error) {
		q.positions, err = v.tables(tx).behind(ctx, v.ticket, v.front, v.limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !v.drop {
		q.positions = append([]int64{v.front}, q.positions[:min(v.limit, len(q.positions))]...)
	}
	wanted := q.positions[:min(v.limit, len(q.positions))]
	if q.events, err = v.runner.log.At(ctx, v.source, wanted); err != nil {
		return nil, err
	}
	for i, e := range q.events {
		if e.Position != wanted[i] {
			return nil, fmt.Errorf("the log of %s has no position %d", v.source, wanted[i])
		}
	}
	if len(q.events) == 0 && len(wanted) > 0 {
		return nil, fmt.Errorf("the log of %s has no position %d", v.source, wanted[0])
	}
	return q, nil
}

// refold folds the events and writes all that they did, who stands or waits now, and the end of our ownership.
func (v *revival) refold(ctx context.Context, tx pgx.Tx, s *shard, q *queued, refused error) error {
	t := v.tables(tx)
	if !v.dismissed.IsZero() {
		if err := t.dismiss(ctx, v.front, v.dismissed); err != nil {
			return err
		}
	}
	f := &q.folding
	if len(q.events) > 0 {
		if err := t.load(ctx, tx, f, q.events, nil); err != nil {
			return err
		}
		clear(f.dead)
		q.taken = 1
		if refused != nil {
			f.buryAll(q.events[:1], refused)
		} else {
			q.taken = f.page(q.events, s.renewed.Add(v.runner.cfg.Lease/pageShare))
		}
	}
	if err := t.exhume(ctx, append([]int64{v.front}, q.positions[:q.taken]...)); err != nil {
		return err
	}
	if err := v.runner.write(ctx, t, f); err != nil {
		return err
	}
	if len(f.changes) > 0 { // behind the checkpoint
		if err := v.runner.settle(ctx, t); err != nil {
			return err
		}
	}
	if err := t.standBehind(ctx, v.ticket, q); err != nil {
		return err
	}
	if err := t.revived(ctx, v.ticket, s.position); err != nil {
		return err
	}
	return s.handBack(ctx, tx)
}

// went keeps what a step came to, after its commit.
func (v *revival) went(ctx context.Context, s *shard, q *queued) {
	v.done.Folded += int64(q.taken - len(q.folding.letters))
	asked := v.front
	v.front, _ = q.stands()
	v.drop, v.dismissed = false, time.Time{}
	if letters := q.folding.letters; len(letters) > 0 {
		v.done.Stands, v.done.Cause, v.front = letters[0].Position, letters[0].Cause, 0
		if letters[0].Position != asked {
			v.runner.mourn(ctx, s, letters)
		}
	}
}
