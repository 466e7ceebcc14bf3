package main

import (
	"context"
	"log/slog"
	"time"

	"queuetrack/api/ingest"
	"queuetrack/projection"
)

// operator does what a person asks for, by a command or over REST.
type operator struct {
	*ingest.Retrier
	parts *parts
	now   func() time.Time
}

func (p *parts) operator(now func() time.Time) operator {
	return operator{Retrier: ingest.NewRetrier(p.log, p.sources), parts: p, now: now}
}

// CloseTicket ends an open ticket, and returns the position of the event that does.
func (o operator) CloseTicket(ctx context.Context, source, ticket, reason string) (int64, error) {
	receipt, err := projection.Close(ctx, o.parts.pools.working, o.parts.log, source, ticket, reason, o.now())
	return receipt.Position, err
}

// RetryDeadLetter folds a dead letter and what waits behind it.
func (o operator) RetryDeadLetter(ctx context.Context, source string, position int64) (projection.Retried, error) {
	return o.runner().Retry(ctx, source, position)
}

// DismissDeadLetter decides that a dead letter is never folded.
func (o operator) DismissDeadLetter(ctx context.Context, source string, position int64) (projection.Retried, error) {
	return o.runner().Dismiss(ctx, source, position, o.now())
}

// runner says nothing in the log: what came of it is the answer.
func (o operator) runner() *projection.Runner {
	return o.parts.runner(slog.New(slog.DiscardHandler), 0)
}
