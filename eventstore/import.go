package eventstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// DivergedError means that events to restore are no continuation of what the log holds. Nothing of them was written.
type DivergedError struct {
	Source   string
	Position int64 // where the log holds another event, or none although a later one was to be restored
	Missing  bool  // none
}

func (e *DivergedError) Error() string {
	if e.Missing {
		return fmt.Sprintf("the log of %s does not reach position %d", e.Source, e.Position)
	}
	return fmt.Sprintf("the log of %s holds another event at position %d", e.Source, e.Position)
}

// restoreEvents inserts the events after a tail, if that is still where the log ends. It runs under the source's lock, as
// appendEvents does, and answers with the tail that it found.
const restoreEvents = `
WITH log AS MATERIALIZED (
    SELECT coalesce((SELECT e.position FROM event AS e WHERE e.source = $1 ORDER BY e.position DESC LIMIT 1), 0) AS tail
), inserted AS (
    INSERT INTO event AS e (source, position, ticket, type, event_key, occurred_at, received_at, body,
                            digest, delivery_id, verified_by, quarantined, repeat_of)
    SELECT $1, log.tail + d.ord, d.ticket, d.type, d.event_key, d.occurred_at, d.received_at, d.body,
           d.digest, d.delivery_id, d.verified_by, d.quarantined, d.repeat_of
      FROM log
     CROSS JOIN unnest($3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::bytea[],
                       $9::bytea[], $10::uuid[], $11::text[], $12::text[], $13::bigint[])
           WITH ORDINALITY AS d (ticket, type, event_key, occurred_at, received_at, body,
                  digest, delivery_id, verified_by, quarantined, repeat_of, ord)
     WHERE log.tail = $2
    RETURNING e.position
)
SELECT log.tail
  FROM log`

// Restore puts events back at the positions that they had, as they were, in one transaction under the lock that appends
// take: they come before what is appended meanwhile, or after it, and then are refused. They must be one source's, in
// order and without holes, and few: their bodies wait in memory, and appends wait for them.
//
// Those that the log holds already, the same in everything, are passed over; so what was interrupted goes on where it
// stood. It returns how many were written: all that were left, or none. A *DivergedError says that they don't continue
// what is there, ErrBusy that the log can't be written now.
func (l *Log) Restore(ctx context.Context, source string, events []Event) (int, error) {
	if len(events) == 0 {
		return 0, nil
	}
	for i := range events {
		if e := &events[i]; e.Source != source || e.Position != events[0].Position+int64(i) {
			return 0, fmt.Errorf("restore to %s: position %d of %s is no part of one stretch", source, e.Position, e.Source)
		}
	}
	began := time.Now()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		n, err := l.restore(ctx, source, events)
		var diverged *DivergedError
		switch {
		case err == nil:
			return n, nil
		case errors.As(err, &diverged):
			return 0, err
		case ctx.Err() != nil:
			return 0, fmt.Errorf("restore to %s: %w", source, ctx.Err())
		}
		switch kindOf(err) {
		case badData, lasting:
			return 0, fmt.Errorf("restore to %s from position %d: %w", source, events[0].Position, err)
		case passing, timedOut:
		}
		if time.Since(began) > retryTime || !sleep(ctx, pause) {
			return 0, fmt.Errorf("restore to %s: %w: %w", source, ErrBusy, err)
		}
	}
}

// restore tries once. A try whose commit's answer was lost is found by the next one, which has nothing left to write.
func (l *Log) restore(ctx context.Context, source string, events []Event) (int, error) {
	tail, err := tailOf(ctx, l.working, source)
	if err != nil {
		return 0, fmt.Errorf("read the tail: %w", err)
	}
	left, err := l.after(ctx, source, tail, events)
	if err != nil || len(left) == 0 {
		return 0, err
	}
	if err := l.makeHead(ctx, source); err != nil {
		return 0, err
	}
	args := columnsOf(entriesOf(left)).args(source, tail)
	found, err := transact(ctx, l, source, pgx.RowTo[int64], restoreEvents, args)
	if err != nil {
		return 0, err
	}
	if found[0] != tail { // somebody was quicker: is it what we were about to write?
		return l.restore(ctx, source, events)
	}
	l.metrics.appended(source, len(left))
	l.hints.appended(source)
	return len(left), nil
}

// after returns those of the events that come after the log's tail. The others must be those that the log holds.
func (l *Log) after(ctx context.Context, source string, tail int64, events []Event) ([]Event, error) {
	first := events[0].Position
	if first > tail+1 {
		return nil, &DivergedError{Source: source, Position: tail + 1, Missing: true}
	}
	known := min(tail-first+1, int64(len(events)))
	i := 0
	for held, err := range l.Walk(ctx, source, first-1, first-1+known) {
		if err != nil {
			return nil, err
		}
		if !held.Same(&events[i]) {
			return nil, &DivergedError{Source: source, Position: held.Position}
		}
		i++
	}
	return events[known:], nil
}

func entriesOf(events []Event) []entry {
	es := make([]entry, len(events))
	for i := range events {
		e := &events[i]
		es[i] = entry{digest: e.Digest, id: e.DeliveryID, Delivery: Delivery{
			Ticket: e.Ticket, Type: e.Type, EventKey: e.EventKey, OccurredAt: e.OccurredAt, ReceivedAt: e.ReceivedAt,
			Body: e.Body, VerifiedBy: e.VerifiedBy, Quarantined: e.Quarantined, RepeatOf: e.RepeatOf,
		}}
	}
	return es
}

// makeHead makes the row that is locked, unless it is there.
func (l *Log) makeHead(ctx context.Context, source string) error {
	if _, err := l.working.Exec(ctx, `INSERT INTO log_head (source) VALUES ($1) ON CONFLICT DO NOTHING`, source); err != nil {
		return fmt.Errorf("make the head of %s: %w", source, err)
	}
	return nil
}
