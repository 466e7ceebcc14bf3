package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"queuetrack/projection"
)

// How long a rebuild in the background waits before it tries again: for the end of another process's work, and after a
// failure, the second twice as long as the first and so on.
const (
	driftBusy      = 10 * time.Second
	driftRetry     = 10 * time.Second
	driftRetryMost = 10 * time.Minute
)

// onDrift says at serve's start what the read models were folded with and differs from what this process folds with, and
// may rebuild them, in the background. It comes to an end: a fingerprint rebuilds by itself until it has had a generation
// of its own, and never again (projection.Drift.Served). So two versions that run side by side, as in a deployment that
// rolls, don't take turns.
type onDrift struct {
	drift   func(context.Context) (projection.Drift, error)
	rebuild func(context.Context, func(projection.Rebuilding)) (projection.Rebuilt, error) // nil: only say it
	discard func(context.Context) error
	logger  *slog.Logger
	pause   func(context.Context, time.Duration) // until then, or until the context ends
}

// onDrift returns what serve does about drift.
func (s *server) onDrift() *onDrift {
	d := &onDrift{drift: s.parts.reader.Drift, logger: s.logger, pause: pause}
	if s.rebuild {
		d.rebuild, d.discard = s.rebuilds.Rebuild, s.rebuilds.Discard
	}
	return d
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// run returns nil when nothing is left to do or ctx has ended. What was folded until then stays, and the next start goes on
// from there.
func (o *onDrift) run(ctx context.Context) error {
	retry := driftRetry
	for {
		done, err := o.once(ctx)
		wait := driftBusy
		switch {
		case done || ctx.Err() != nil:
			return nil
		case errors.Is(err, projection.ErrRebuilding):
			o.logger.InfoContext(ctx, "the read models are being rebuilt already: waiting for it", "error", err)
		case err != nil:
			wait, retry = retry, min(2*retry, driftRetryMost)
			o.logger.WarnContext(ctx, "the read models' drift was not mended, and is tried again", "in", wait, "error", err)
		default:
			wait = 0
		}
		o.pause(ctx, wait)
	}
}

// once looks whether anything differs, and does one thing about it. Done: there is nothing to come back for.
func (o *onDrift) once(ctx context.Context) (done bool, err error) {
	d, err := o.drift(ctx)
	if err != nil || !d.Any() {
		return err == nil, err
	}
	if o.rebuild == nil || d.Served {
		o.logger.WarnContext(ctx, "the read models were folded by another version or with other settings: a rebuild is due",
			"generation", d.Generation, "code", d.Code, "settings", d.Settings, "advice", d.Advice())
		return true, nil
	}
	o.logger.InfoContext(ctx, "the read models were folded by another version or with other settings: rebuilding them",
		"generation", d.Generation, "code", d.Code, "settings", d.Settings)
	rebuilt, err := o.rebuild(ctx, logRebuilding(ctx, o.logger))
	switch {
	case errors.Is(err, projection.ErrOtherFingerprint):
		return false, o.drop(ctx)
	case errors.Is(err, projection.ErrUnconfigured): // nothing but a restart brings the source
		o.logger.ErrorContext(ctx, "the read models can't be rebuilt", "error", err)
		return true, nil
	case err != nil:
		return false, err
	}
	logRebuilt(ctx, o.logger, rebuilt)
	return false, nil // look again: another version may have folded a part of it meanwhile
}

// drop takes out what another version has half built, so that ours can be.
func (o *onDrift) drop(ctx context.Context) error {
	o.logger.InfoContext(ctx, "dropping an interrupted rebuild of another version")
	err := o.discard(ctx)
	if errors.Is(err, projection.ErrNothingBuilding) { // somebody else was faster
		return nil
	}
	return err
}
