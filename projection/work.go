package projection

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
)

// Task is what a [Rebuilder] does to a generation.
type Task string

// The tasks.
const (
	TaskRebuild  Task = "rebuild"
	TaskRollback Task = "rollback"
	TaskDiscard  Task = "discard"
)

// WorkState is what became of a task.
type WorkState string

// The states of a task.
const (
	WorkNone        WorkState = "none"        // there never was one
	WorkRunning     WorkState = "running"     // a process is at it
	WorkInterrupted WorkState = "interrupted" // it stopped, or was killed: begun again, it goes on
	WorkFailed      WorkState = "failed"      // it could not go on; Failure says why. Begun again, it goes on
	WorkDone        WorkState = "done"
)

// Work is the last task, by whichever process.
type Work struct {
	State WorkState
	Task  Task
	// How far it is, while it runs or can be gone on with; else only the Generation is told.
	Rebuilding

	Owner   string    // of the process that is at it; empty: none is
	BeganAt time.Time // when its last process began, or went on; by the database's clock
	EndedAt time.Time // when that one stopped; zero: it is at it, or was killed
	Failure string

	Differences Differences // of a rebuild or a rollback that is done, to what served before
}

// unfinished reports whether there is something to go on with.
func (w *Work) unfinished() bool {
	return w.State == WorkRunning || w.State == WorkInterrupted || w.State == WorkFailed
}

// Rebuilding returns the last rebuild, rollback or discard, and how far it is, whichever process is or was at it. It is
// counted afresh; only the rate is its owner's word, a second old at most.
func (r *Reader) Rebuilding(ctx context.Context) (w Work, err error) {
	err = snapshot(ctx, r.pool, func(tx pgx.Tx) error {
		if w, err = lastWork(ctx, tx); err != nil || !w.unfinished() {
			return err
		}
		return w.count(ctx, tx)
	})
	if err != nil {
		return Work{}, fmt.Errorf("read the last rebuild: %w", err)
	}
	return w, nil
}

// lastWork reads what the generation tells that was worked on last.
func lastWork(ctx context.Context, tx pgx.Tx) (w Work, err error) {
	var state string
	var alive bool
	var ended *time.Time
	err = tx.QueryRow(ctx, `
		SELECT generation, state, task, phase, began_at, ended_at, failure, coalesce(differing, 0), coalesce(differing_some, '{}'),
			lease_until > statement_timestamp(),
			CASE WHEN lease_until > statement_timestamp() THEN owner ELSE '' END,
			CASE WHEN lease_until > statement_timestamp() THEN rate ELSE 0 END
		FROM generation
		WHERE began_at IS NOT NULL
		ORDER BY began_at DESC, generation DESC
		LIMIT 1`).Scan(&w.Generation, &state, &w.Task, &w.Phase, &w.BeganAt, &ended, &w.Failure, &w.Differences.Tickets, &w.Differences.Some,
		&alive, &w.Owner, &w.Rate)
	if errors.Is(err, pgx.ErrNoRows) {
		return Work{State: WorkNone}, nil
	}
	if w.BeganAt = w.BeganAt.UTC(); ended != nil {
		w.EndedAt = ended.UTC()
	}
	switch {
	case state == serving, state == dropped: // as its task wanted it; the lease may still have to be given back
		w.State, w.Owner, w.Phase, w.Rate = WorkDone, "", "", 0
	case alive:
		w.State = WorkRunning
	case w.Failure != "":
		w.State = WorkFailed
	default:
		w.State = WorkInterrupted
	}
	return w, err
}

// count adds up what is folded and what there is, as the meter of its owner does.
func (w *Work) count(ctx context.Context, tx pgx.Tx) error {
	err := tx.QueryRow(ctx, `
		SELECT coalesce(sum(CASE WHEN s.fill_to IS NULL THEN s.position ELSE f.events END), 0)::bigint
		FROM shard s
		CROSS JOIN LATERAL (
			SELECT coalesce(sum(events), 0) AS events
			FROM filled
			WHERE source = s.source AND generation = s.generation) AS f
		WHERE s.generation = $1`, w.Generation).Scan(&w.Events)
	if err != nil {
		return err
	}
	heads, err := eventstore.Heads(ctx, tx, nil)
	for _, h := range heads {
		w.Total += h.Tail
	}
	w.Total = max(w.Total, w.Events)
	return err
}
