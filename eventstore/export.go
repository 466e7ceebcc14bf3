package eventstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"
)

// ErrDamaged means that the log does not hold what it once answered for: a position is missing.
var ErrDamaged = errors.New("the log is damaged; `queuetrack verify` lists what is wrong")

// walkPage is how many events Walk reads at a time, unless their bodies end the page before.
const walkPage = 1000

// Tails returns the position of the last event of every source that has one. What is up to there never changes: to go
// through it later needs no snapshot.
func (l *Log) Tails(ctx context.Context) (map[string]int64, error) {
	var heads []Head
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, l.pool, snapshot, func(tx pgx.Tx) (err error) {
		heads, err = Heads(ctx, tx, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	tails := map[string]int64{}
	for _, h := range heads {
		if h.Tail > 0 {
			tails[h.Source] = h.Tail
		}
	}
	return tails, nil
}

// Walk goes through the events of a source after a position and up to another, all of which the log must have: a missing
// one ends it with ErrDamaged. It reads a page at a time, each in a snapshot of its own, so it may take hours without
// keeping the database from cleaning up. Two pages are in memory: while one is gone through, the next one is read.
func (l *Log) Walk(ctx context.Context, source string, after, through int64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		pages := l.pages(ctx, source, after, through)
		defer func() {
			stop()
			for range pages { // its reader ends before we do
			}
		}()
		for p := range pages {
			if p.err != nil {
				yield(Event{}, p.err)
				return
			}
			for i := range p.events {
				if !yield(p.events[i], nil) {
					return
				}
			}
		}
	}
}

// aPage is a page, or why there are no more.
type aPage struct {
	events []Event
	err    error
}

// pages reads ahead: one page waits while the one before it is gone through. It ends when all is read, or with ctx.
func (l *Log) pages(ctx context.Context, source string, after, through int64) <-chan aPage {
	pages := make(chan aPage)
	go func() {
		defer close(pages)
		for after < through {
			var p aPage
			p.events, p.err = l.stretch(ctx, source, after, through)
			select {
			case pages <- p:
			case <-ctx.Done():
				return
			}
			if p.err != nil {
				return
			}
			after += int64(len(p.events))
		}
	}()
	return pages
}

// stretch is the page after a position: without holes, not beyond the last position, and not empty.
func (l *Log) stretch(ctx context.Context, source string, after, through int64) ([]Event, error) {
	events, err := page(ctx, l.pool, source, after, int(min(walkPage, through-after)))
	if err != nil {
		return nil, err
	}
	for i := range events {
		if want := after + 1 + int64(i); events[i].Position != want {
			return nil, fmt.Errorf("read %s: position %d is missing: %w", source, want, ErrDamaged)
		}
	}
	if len(events) == 0 {
		return nil, fmt.Errorf("read %s: position %d is missing: %w", source, after+1, ErrDamaged)
	}
	return events, nil
}

// Same reports whether two events agree in everything. Delivery ids are random, so two logs that have one event in common
// have everything before it in common, too.
func (e *Event) Same(o *Event) bool {
	return e.Source == o.Source && e.Position == o.Position && e.Ticket == o.Ticket && e.Type == o.Type &&
		e.EventKey == o.EventKey && e.OccurredAt.Equal(o.OccurredAt) && e.ReceivedAt.Equal(o.ReceivedAt) &&
		e.Digest == o.Digest && e.DeliveryID == o.DeliveryID && e.VerifiedBy == o.VerifiedBy &&
		e.Quarantined == o.Quarantined && e.RepeatOf == o.RepeatOf && bytes.Equal(e.Body, o.Body)
}
