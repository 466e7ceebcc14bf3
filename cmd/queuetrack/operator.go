package main

import (
	"context"
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
