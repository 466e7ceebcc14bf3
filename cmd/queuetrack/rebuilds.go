package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"queuetrack/projection"
)

// rebuilds works on generations within serve, in the background: one task at a time, whether an operator asks for it over
// REST or drift does. Between processes, the database sees to that. Safe for concurrent use.
type rebuilds struct {
	rebuilder *projection.Rebuilder
	logger    *slog.Logger
	life      context.Context // of what no caller waits for
	end       context.CancelFunc
	turn      chan struct{} // held by who is at work
}

func newRebuilds(r *projection.Rebuilder, logger *slog.Logger) *rebuilds {
	life, end := context.WithCancel(context.Background())
	return &rebuilds{rebuilder: r, logger: logger, life: life, end: end, turn: make(chan struct{}, 1)}
}

// Run returns when ctx has ended and nobody is at work any more. What is under way then is interrupted, and gone on with by
// whoever asks for it next.
func (b *rebuilds) Run(ctx context.Context) error {
	<-ctx.Done()
	b.end()
	b.turn <- struct{}{} // for good
	return nil
}

// take takes the turn; projection.ErrRebuilding when somebody has it.
func (b *rebuilds) take() error {
	select {
	case b.turn <- struct{}{}:
		return nil
	default:
		return projection.ErrRebuilding
	}
}

func (b *rebuilds) give() { <-b.turn }

// Rebuild is [projection.Rebuilder.Rebuild], when nothing else is at work here.
func (b *rebuilds) Rebuild(ctx context.Context, report func(projection.Rebuilding)) (projection.Rebuilt, error) {
	if err := b.take(); err != nil {
		return projection.Rebuilt{}, err
	}
	defer b.give()
	return b.rebuilder.Rebuild(ctx, report)
}

// Discard is [projection.Rebuilder.Discard], when nothing else is at work here.
func (b *rebuilds) Discard(ctx context.Context) error {
	if err := b.take(); err != nil {
		return err
	}
	defer b.give()
	return b.rebuilder.Discard(ctx)
}

// Begin implements query.Rebuilds.
func (b *rebuilds) Begin(ctx context.Context, task projection.Task) error {
	if err := b.take(); err != nil {
		return err
	}
	begun := make(chan struct{}, 1)
	ended := make(chan error, 1)
	go func() {
		defer b.give()
		ended <- b.work(task, begun)
	}()
	select {
	case <-begun:
		return nil
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// work does a task and logs what becomes of it. It tells once that the task is under way, which a discard never is: it is
// done, or it is not.
func (b *rebuilds) work(task projection.Task, begun chan<- struct{}) error {
	told := false
	logged := logRebuilding(b.life, b.logger)
	report := func(r projection.Rebuilding) {
		logged(r)
		if !told {
			told = true
			begun <- struct{}{}
		}
	}
	var rebuilt projection.Rebuilt
	var err error
	switch task {
	case projection.TaskRebuild:
		rebuilt, err = b.rebuilder.Rebuild(b.life, report)
	case projection.TaskRollback:
		rebuilt, err = b.rebuilder.Rollback(b.life, report)
	case projection.TaskDiscard:
		err = b.rebuilder.Discard(b.life)
	}
	switch {
	case err == nil && task != projection.TaskDiscard:
		logRebuilt(b.life, b.logger, rebuilt)
	case err != nil && told && !errors.Is(err, context.Canceled): // else whoever asked is told
		b.logger.ErrorContext(b.life, "the work on the read models stopped; asked for again, it goes on", "task", task, "error", err)
	}
	return err
}

// rebuildLogEvery is how often a running rebuild is told of in the log, besides at each phase.
const rebuildLogEvery = 30 * time.Second

// logRebuilding returns what logs each phase, and how far it is now and then.
func logRebuilding(ctx context.Context, logger *slog.Logger) func(projection.Rebuilding) {
	var phase projection.Phase
	var last time.Time
	return func(r projection.Rebuilding) {
		now := time.Now()
		if r.Phase == phase && now.Sub(last) < rebuildLogEvery {
			return
		}
		phase, last = r.Phase, now
		logger.InfoContext(ctx, "rebuilding the read models", "generation", r.Generation, "phase", r.Phase,
			"events", r.Events, "of", r.Total, "events_per_second", int64(r.Rate), "left", r.Left().Round(time.Second))
	}
}

func logRebuilt(ctx context.Context, logger *slog.Logger, r projection.Rebuilt) {
	logger.InfoContext(ctx, "the read models were rebuilt", "generation", r.Generation, "events", r.Events,
		"took", r.Took.Round(time.Millisecond), "differing_tickets", r.Differences.Tickets)
}
