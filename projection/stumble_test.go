package projection_test

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
	"queuetrack/projection"
)

// stumbling is a read model whose writes fail until the outage is over.
type stumbling struct {
	nothing
	over bool
}

func (s *stumbling) Write(context.Context, pgx.Tx, projection.Set, string, []projection.Change) error {
	if !s.over {
		return errors.New("not now")
	}
	return nil
}

// gate is a read model that lets a test look while the first page is in the making.
type gate struct {
	nothing
	passed  atomic.Bool
	entered chan string   // receives the page's source
	leave   chan struct{} // lets it go on
}

func newGate() *gate { return &gate{entered: make(chan string), leave: make(chan struct{})} }

func (g *gate) Write(ctx context.Context, _ pgx.Tx, _ projection.Set, name string, _ []projection.Change) error {
	return g.pass(ctx, name)
}

// Fill is held up where the first rows are about to be committed.
func (g *gate) Fill(_ projection.Set, name string) projection.Filler {
	return gateFiller{gate: g, name: name}
}

type gateFiller struct {
	nothing
	gate *gate
	name string
}

func (f gateFiller) Sum(ctx context.Context, _ pgx.Tx) error { return f.gate.pass(ctx, f.name) }

func (g *gate) pass(ctx context.Context, name string) error {
	if g.passed.Swap(true) {
		return nil
	}
	select {
	case g.entered <- name:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-g.leave:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// nothing is a read model without rows.
type nothing struct{ projection.Unordered }

func (nothing) Tables() []string { return nil }

func (nothing) Fill(projection.Set, string) projection.Filler { return nothing{} }

func (nothing) Ticket(projection.Change) error { return nil }

func (nothing) Len() int { return 0 }

func (nothing) Flush(context.Context, pgx.Tx) error { return nil }

func (nothing) Sum(context.Context, pgx.Tx) error { return nil }

func (nothing) Write(context.Context, pgx.Tx, projection.Set, string, []projection.Change) error {
	return nil
}

func (nothing) Check(pgx.Tx, projection.Set, string, func(eventstore.Violation)) projection.Check {
	return nothing{}
}
func (nothing) Change(projection.Change) error                  { return nil }
func (nothing) Tickets(context.Context, projection.Range) error { return nil }
func (nothing) Finish(context.Context) error                    { return nil }

// flaky is a read model whose first writes fail.
type flaky struct {
	nothing
	left atomic.Int32
}

func newFlaky(failures int32) *flaky {
	f := &flaky{}
	f.left.Store(failures)
	return f
}

func (f *flaky) Write(context.Context, pgx.Tx, projection.Set, string, []projection.Change) error {
	if f.left.Add(-1) >= 0 {
		return errors.New("not now")
	}
	return nil
}
