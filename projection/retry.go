package projection

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Retried is what came of a retry or a dismissal.
type Retried struct {
	Folded int64 // events: the dead letter, unless it was dismissed, and what waited behind it

	// Stands is the position of the ticket's dead letter by now, one of those that waited: it can't be folded either, for
	// this Cause. 0: the ticket goes on.
	Stands int64
	Cause  string

	Unfinished bool // nothing is known against Stands: there was no more time, and a retry of it goes on from there
	Already    bool // it had been dismissed before; nothing was done
}

// StillDeadError means that an event can't be folded yet.
type StillDeadError struct{ Cause string }

// Error implements error.
func (e *StillDeadError) Error() string { return "it still can't be folded: " + e.Cause }

// NotNowError means that neither the event nor the request is wrong, only the moment.
type NotNowError struct{ Reason string }

// Error implements error.
func (e *NotNowError) Error() string { return e.Reason }

const (
	// retryPatience is how long a Retry or Dismiss goes on: well within what a request may take.
	retryPatience = 10 * time.Second
	// retryTries is how often a step is begun anew after a deadlock, or after its lease ran out.
	retryTries = 5
	// unfinished is the cause of a dead letter that is one only because those before it were folded and it wasn't yet.
	unfinished = "not tried again yet: a retry of its ticket is under way, or was interrupted; retry it"
)

// Retry decodes and folds a dead letter of the serving generation, and all that waits behind it in the log's order, by
// this process's adapters. Their rows are those that they would have got in their place: the ticket stood still, so its
// own order is kept, and what belongs to no one ticket is sums and maxima by position.
//
// Up to a page's worth is one transaction; what is more comes in steps of one each, between which the ticket stands at
// the first event not folded yet, and the shard's owner has its turn. Each step tells the rest of the queue what it waits
// behind now, so a queue of n events costs n²/page of these short writes: thousands are no matter, millions would be.
//
// An event that still can't be folded is a *StillDeadError: nothing has changed but its cause. Should a later one of the
// queue fail, that one is the ticket's dead letter from then on. Else ErrNotDead, ErrDismissed, a *WaitsBehindError that
// names the one to retry, or a *NotNowError.
func (r *Runner) Retry(ctx context.Context, source string, position int64) (Retried, error) {
	v := revival{runner: r, source: source, front: position, patience: retryPatience}
	err := v.run(ctx)
	if err == nil && v.done.Stands == position {
		err = &StillDeadError{v.done.Cause}
	}
	if err != nil {
		return Retried{}, fmt.Errorf("retry position %d of %s: %w", position, source, err)
	}
	return v.done, nil
}

// Dismiss decides that a dead letter of the serving generation is never folded: its ticket goes on without it. What waits
// behind it is folded as by Retry, and one of that may become a dead letter in turn.
//
// The decision is final, and no generation's: every fold passes over the event from now on, that of a rebuild too, and
// [Verify] demands that it did. (The log keeps the event. Who deletes its row in dismissal, and rebuilds, has it folded.)
// While a generation is being built or gone back to, nothing can be dismissed, a *NotNowError: its folds in flight don't
// know of it, and the event may well be sound by what is being built.
//
// Dismissing twice is Already, and no error. Otherwise the errors are Retry's.
func (r *Runner) Dismiss(ctx context.Context, source string, position int64, now time.Time) (Retried, error) {
	v := revival{runner: r, source: source, front: position, patience: retryPatience, drop: true, dismissed: now}
	err := v.run(ctx)
	if errors.Is(err, ErrDismissed) {
		return Retried{Already: true}, nil
	}
	if err != nil {
		return Retried{}, fmt.Errorf("dismiss position %d of %s: %w", position, source, err)
	}
	return v.done, nil
}

// honour takes what was dismissed out of the dead letters of a generation that doesn't serve: for one that stopped before,
// when it is gone back to. Its tickets go on as by Dismiss. What is dismissed but was folded there, by an adapter that
// could read it, stays folded: Verify reports that, and a rebuild mends it.
//
// Nothing may be dismissed meanwhile: the caller holds the generation's lease.
func (r *Runner) honour(ctx context.Context, generation int) error {
	for source := range r.sources {
		for {
			front, err := r.unhonoured(ctx, generation, source)
			if err != nil {
				return fmt.Errorf("honour the dismissals of %s: %w", source, err)
			}
			if front == 0 {
				break
			}
			v := revival{runner: r, source: source, generation: generation, stopped: true, front: front, drop: true}
			if err := v.run(ctx); err != nil {
				return fmt.Errorf("honour the dismissal of position %d of %s: %w", front, source, err)
			}
		}
	}
	return nil
}

// unhonoured returns the first dead letter of the generation that was dismissed; 0: there is none. Dismissed events that
// only wait are passed over when their turn comes; until then their rows are as if they had never been.
func (r *Runner) unhonoured(ctx context.Context, generation int, source string) (front int64, err error) {
	err = inTx(ctx, r.pool, r.cfg.Lease, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			DELETE FROM dead_letter AS d
			USING dismissal x
			WHERE d.source = $1 AND d.generation = $2 AND d.behind IS NOT NULL AND x.source = $1 AND x.position = d.position`,
			source, generation)
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `
			SELECT coalesce(min(d.position), 0)
			FROM dead_letter d
			JOIN dismissal x ON x.source = d.source AND x.position = d.position
			WHERE d.source = $1 AND d.generation = $2`, source, generation).Scan(&front)
	})
	return front, err
}
