package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
)

// reloader replaces the secrets of a running server's sources by those that the configuration names now. It reads
// everything before it replaces anything: one mistake, and all stays as it was. What else has changed in the file waits
// for a restart.
type reloader struct {
	read    func() (config, error) // the settings anew, as at the start
	running config                 // the settings that the server started with
	live    liveSources
	logger  *slog.Logger
}

// run reloads at each signal until ctx ends. A signal that comes during a reload must be left in the channel, so that the
// last state of the files is always read: a buffer of one does that.
func (r *reloader) run(ctx context.Context, signals <-chan os.Signal) error {
	for {
		select {
		case <-signals:
			r.reload(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

func (r *reloader) reload(ctx context.Context) {
	next, err := r.read()
	if err == nil && next.File == "" {
		err = errors.New("there is no configuration file; name one with --config at the start")
	}
	var opened map[string]*withSecrets
	if err == nil {
		opened, err = r.open(next)
	}
	if err != nil {
		r.refuse(ctx, err)
		return
	}
	for name, one := range opened {
		r.live[name].signed.Store(one)
	}
	for _, s := range r.running.Sources {
		r.logger.InfoContext(ctx, "secrets are live", "source", s.Name, "secrets", r.live[s.Name].signed.Load().names)
	}
	if keys := r.running.restartFor(next); len(keys) > 0 {
		r.logger.WarnContext(ctx, "not applied: these settings have changed and need a restart", "keys", keys)
	}
	r.logger.InfoContext(ctx, "configuration read again", "file", next.File)
}

// open makes the running sources with the secrets of next. A source that is gone from the file, or has become another
// vendor's, keeps its secrets until the restart.
func (r *reloader) open(next config) (map[string]*withSecrets, error) {
	opened := map[string]*withSecrets{}
	for _, s := range r.running.Sources {
		entry, err := next.source(s.Name)
		if err != nil || entry.Kind != s.Kind {
			continue // restartFor tells
		}
		one, err := s.openWith(entry.Secrets)
		if err != nil {
			return nil, fmt.Errorf("replace the secrets of %s: %w", s.Name, err)
		}
		opened[s.Name] = one
	}
	return opened, nil
}

// refuse says why nothing was changed, each mistake with its place in a record of its own.
func (r *reloader) refuse(ctx context.Context, err error) {
	var found mistakes
	if !errors.As(err, &found) {
		r.logger.ErrorContext(ctx, "configuration not read again, everything stays as it was", "error", err)
		return
	}
	for _, m := range found {
		r.logger.ErrorContext(ctx, "mistake in the configuration", "where", m.Where, "what", m.What)
	}
	r.logger.ErrorContext(ctx, "configuration not read again, everything stays as it was", "mistakes", len(found))
}
