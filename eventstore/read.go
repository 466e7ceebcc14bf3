package eventstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// pageBytes bounds the bodies of a page. A page has at least one event, however large.
const pageBytes = 16 << 20

// querier is the part of pools and transactions that reading needs.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Read returns the events of the source after a position, in order, at most limit. Contiguous: no holes.
//
// A page also ends before its bodies exceed 16 MiB, so it can be shorter than limit with more to come: only an empty
// page is the end.
func (l *Log) Read(ctx context.Context, source string, after int64, limit int) ([]Event, error) {
	return page(ctx, l.working, source, after, limit)
}

// page is one statement, so one snapshot: of a log without holes, it is without holes.
func page(ctx context.Context, q querier, source string, after int64, limit int) ([]Event, error) {
	rows, err := q.Query(ctx, `
		SELECT `+eventColumns+`
		  FROM (
		       SELECT e.*, sum(octet_length(e.body)) OVER (ORDER BY e.position ROWS UNBOUNDED PRECEDING) AS bytes
		         FROM event AS e
		        WHERE e.source = $1 AND e.position > $2
		        ORDER BY e.position
		        LIMIT $3) AS e
		 WHERE e.bytes <= $4 OR e.bytes = octet_length(e.body)
		 ORDER BY e.position`, source, after, limit, pageBytes)
	if err != nil {
		return nil, fmt.Errorf("read %s after %d: %w", source, after, err)
	}
	events, err := pgx.CollectRows(rows, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("read %s after %d: %w", source, after, err)
	}
	return events, nil
}

// List is Read without the bodies, which stay nil: for those who show the log. So its pages are full: a shorter one than
// limit is the last.
func (l *Log) List(ctx context.Context, source string, after int64, limit int) ([]Event, error) {
	rows, err := l.pool.Query(ctx, `
		SELECT `+listColumns+`
		  FROM event AS e
		 WHERE e.source = $1 AND e.position > $2
		 ORDER BY e.position
		 LIMIT $3`, source, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list %s after %d: %w", source, after, err)
	}
	events, err := pgx.CollectRows(rows, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("list %s after %d: %w", source, after, err)
	}
	return events, nil
}

// ListBodies is Read on the connections of those who ask: its pages, too, end before their bodies exceed 16 MiB.
func (l *Log) ListBodies(ctx context.Context, source string, after int64, limit int) ([]Event, error) {
	return page(ctx, l.pool, source, after, limit)
}

// ReadTickets calls each with the events up to a position of the tickets after one and through another, each ticket's
// together and in order, within the caller's transaction: what verify folds anew. The tickets come in the database's
// order. The events are streamed, so each can't use the transaction.
func ReadTickets(ctx context.Context, tx pgx.Tx, source, after, through string, upTo int64, each func(Event) error) error {
	rows, err := tx.Query(ctx, `
		SELECT `+eventColumns+`
		  FROM event AS e
		 WHERE e.source = $1 AND e.ticket > $2 AND e.ticket <= $3 AND e.position <= $4
		 ORDER BY e.ticket, e.position`, source, after, through, upTo)
	if err != nil {
		return fmt.Errorf("read tickets of %s after %q: %w", source, after, err)
	}
	defer rows.Close()
	for rows.Next() {
		e, err := scanEvent(rows)
		if err != nil {
			return fmt.Errorf("read tickets of %s after %q: %w", source, after, err)
		}
		if err := each(e); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read tickets of %s after %q: %w", source, after, err)
	}
	return nil
}

// Tail returns the position of the source's last event, 0 when it has none.
func (l *Log) Tail(ctx context.Context, source string) (int64, error) {
	tail, err := tailOf(ctx, l.working, source)
	if err != nil {
		return 0, fmt.Errorf("read the tail of %s: %w", source, err)
	}
	return tail, nil
}

func tailOf(ctx context.Context, q querier, source string) (tail int64, err error) {
	err = q.QueryRow(ctx, `
		SELECT e.position
		  FROM event AS e
		 WHERE e.source = $1
		 ORDER BY e.position DESC
		 LIMIT 1`, source).Scan(&tail)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return tail, err
}

// What scanEvent scans, with and without bodies.
const (
	eventColumns = plainColumns + `, e.body`
	listColumns  = plainColumns + `, NULL::bytea`
	plainColumns = `e.source, e.position, e.ticket, e.type, e.event_key, e.occurred_at, e.received_at, e.digest,
		       e.delivery_id, e.verified_by, e.quarantined, e.repeat_of`
)

func scanEvent(row pgx.CollectableRow) (Event, error) {
	var e Event
	var ticket, key, quarantined *string
	var occurred *time.Time
	var repeatOf *int64
	var digest []byte
	var id [16]byte
	err := row.Scan(&e.Source, &e.Position, &ticket, &e.Type, &key, &occurred, &e.ReceivedAt, &digest,
		&id, &e.VerifiedBy, &quarantined, &repeatOf, &e.Body)
	if err != nil {
		return Event{}, err
	}
	e.Ticket, e.EventKey, e.Quarantined = value(ticket), value(key), value(quarantined)
	e.OccurredAt, e.ReceivedAt = value(occurred).UTC(), e.ReceivedAt.UTC()
	e.RepeatOf, e.DeliveryID = value(repeatOf), uuid.UUID(id)
	copy(e.Digest[:], digest)
	return e, nil
}

// value is Go's "none" for the database's.
func value[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}
