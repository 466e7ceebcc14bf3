package projection

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 5 * time.Second
	// tries is how many times in a lease a runner tries to claim what it is dealt and somebody else still holds.
	tries = 100
)

// trouble is what keeps one shard from being followed. An episode is logged when it begins and when it is over, not
// at each try.
type trouble struct {
	logger   *slog.Logger
	failures int
	halted   bool
}

// pause takes what ended the last try and returns how long to wait before the next.
func (t *trouble) pause(ctx context.Context, err error, lease time.Duration) time.Duration {
	switch {
	case errors.Is(err, errElsewhere): // there will be news
		return lease
	case errors.Is(err, errTaken): // its lease may run out, or be given back, at any moment
		return lease / tries
	case errors.Is(err, errLost):
		t.logger.InfoContext(ctx, "a shard was lost to another owner: what came too late was refused")
		return 0
	case errors.Is(err, errHalted):
		if !t.halted {
			t.logger.WarnContext(ctx, "the projection stays halted", "error", err)
		}
		t.halted = true
		return lease
	}
	if t.failures == 0 {
		t.logger.ErrorContext(ctx, "the projection can't go on; it keeps trying", "error", err)
	}
	t.failures++
	return min(lastBackoff, firstBackoff<<min(t.failures-1, 10))
}

// over ends the episode, if there was one.
func (t *trouble) over(ctx context.Context) {
	if t.failures > 0 {
		t.logger.InfoContext(ctx, "the projection goes on", "failures", t.failures)
	}
	t.failures, t.halted = 0, false
}
