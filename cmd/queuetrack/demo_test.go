package main

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"queuetrack/migrations/dbtest"
)

// Half an hour of the simulated day, posted and folded while it is posted, ends in read models of which every
// invariant holds.
func TestDemosDayVerifies(t *testing.T) {
	t.Parallel()
	l, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := demoSources(l)
	if err != nil {
		t.Fatal(err)
	}
	pool := dbtest.New(t)
	p, err := newParts(config{Access: accessConfig{AuthNone: true}, Sources: sources}, pools{pool, pool, pool})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- newServer(p, slog.New(slog.DiscardHandler), time.Now).run(ctx, l) }()

	told, enough := context.WithCancel(ctx)
	defer enough()
	day := &serviceDay{
		app: &app{stdout: io.Discard}, options: demoOptions{seed: 2, past: 30 * time.Minute, quiet: true},
		parts: p, base: "http://" + l.Addr().String(), caughtUp: enough,
	}
	if err := day.run(told); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := p.runner(slog.New(slog.DiscardHandler), 0).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if day.posted.Load() < 100 {
		t.Errorf("posted %d deliveries", day.posted.Load())
	}
	checkEverything(t.Context(), t, p)
}
