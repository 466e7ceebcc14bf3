package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"queuetrack/migrations/localpg"
)

// A private Postgres that ended by itself is started again, so often within so long and after pauses that double: a
// minute of them, in all. Then serve ends with an error, and whoever looks after serve decides.
const (
	mostRestarts     = 8
	restartsWithin   = 10 * time.Minute
	firstRestartWait = 500 * time.Millisecond
)

var errRestarts = fmt.Errorf("the private Postgres ended by itself %d times within %v", mostRestarts+1, restartsWithin)

// restarts are the times at which a private Postgres was started again.
type restarts []time.Time

// next notes a restart, and returns how long to wait before it: the first comes at once. Not ok: there were too many.
func (r *restarts) next(now time.Time) (pause time.Duration, ok bool) {
	for len(*r) > 0 && now.Sub((*r)[0]) > restartsWithin {
		*r = (*r)[1:]
	}
	n := len(*r)
	if n >= mostRestarts {
		return 0, false
	}
	*r = append(*r, now)
	if n == 0 {
		return 0, true
	}
	return firstRestartWait << (n - 1), true
}

// watch keeps the private Postgres running until ctx ends: a server that was killed, or crashed, is started again on
// its cluster, where it recovers what was committed. Meanwhile the log is busy and the door says 503. It returns an
// error when starting again is of no use. It must not run at the same time as close.
func (d *database) watch(ctx context.Context) error {
	if d.private == nil {
		return nil
	}
	var done restarts
	for {
		select {
		case <-d.private.Done():
		case <-ctx.Done():
			return nil
		}
		ended := d.private.Err()
		d.logger.ErrorContext(ctx, "the private postgres ended by itself; it is started again", "error", ended)
		if err := d.restart(ctx, &done, ended); err != nil {
			return err
		}
	}
}

// restart returns when the server runs again, or ctx has ended.
func (d *database) restart(ctx context.Context, done *restarts, ended error) error {
	for {
		pause, ok := done.next(time.Now())
		if !ok {
			return fmt.Errorf("%w; the last time: %w", errRestarts, ended)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
		server, err := localpg.Start(ctx, d.config)
		switch {
		case err == nil:
			d.private = server
			d.logger.InfoContext(ctx, "private postgres started again", "version", server.Version())
			return nil
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, localpg.ErrNoBinaries), errors.Is(err, localpg.ErrVersion), errors.Is(err, localpg.ErrDataDir):
			return fmt.Errorf("start the private Postgres again: %w", err) // a person has to mend this
		}
		// No room on the disk, or a command that came between us and has the data folder for a moment: this may pass.
		d.logger.ErrorContext(ctx, "the private postgres does not start; it is tried again", "error", err)
		ended = err
	}
}
