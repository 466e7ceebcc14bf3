package eventstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Place is a place in a source's log read by ticket: an event, by its ticket and position. The zero Place is before all.
type Place struct {
	Ticket   string
	Position int64
}

// byTicketLimit bounds one statement of ReadByTicket, so that no snapshot stays open for longer than it takes.
const byTicketLimit = 20000

// ReadByTicket calls each with the events about tickets, each ticket's together and in order, the tickets in the
// database's order: those after a place whose ticket is not after through (empty: all) and whose position is at most
// upTo. What a rebuild reads: digest, key and delivery id stay empty. The events are streamed, so memory is each's; they
// come from one statement after the other, which makes no difference to a log that never changes up to upTo.
func ReadByTicket(ctx context.Context, pool *pgxpool.Pool, source string, after Place, through string, upTo int64, each func(Event) error) error {
	for {
		last, n, err := readByTicket(ctx, pool, source, after, through, upTo, each)
		if err != nil {
			return err
		}
		if n < byTicketLimit {
			return nil
		}
		after = last
	}
}

// readByTicket is one statement of it. The planner, which knows little of a table that has just grown, must not think of
// sorting the whole log each time.
func readByTicket(ctx context.Context, pool *pgxpool.Pool, source string, after Place, through string, upTo int64, each func(Event) error) (last Place, n int, err error) {
	options := pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, pool, options, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off`); err != nil {
			return fmt.Errorf("read %s by ticket: %w", source, err)
		}
		args := []any{source, after.Ticket, after.Position, upTo, byTicketLimit}
		end := ""
		if through != "" { // as a condition of its own, so that it bounds the walk through the index
			end, args = "AND e.ticket <= $6", append(args, through)
		}
		rows, err := tx.Query(ctx, `
			SELECT e.position, e.ticket, e.type, e.occurred_at, e.received_at, e.body, e.verified_by, e.quarantined, e.repeat_of
			  FROM event AS e
			 WHERE e.source = $1 AND e.ticket >= $2 AND (e.ticket, e.position) > ($2, $3) AND e.position <= $4 `+end+`
			 ORDER BY e.ticket, e.position
			 LIMIT $5`, args...)
		if err != nil {
			return fmt.Errorf("read %s by ticket: %w", source, err)
		}
		defer rows.Close()
		b := byTicket{source: source, words: map[string]string{}}
		for rows.Next() {
			e, err := b.scan(rows)
			if err != nil {
				return fmt.Errorf("read %s by ticket: %w", source, err)
			}
			last, n = Place{e.Ticket, e.Position}, n+1
			if err := each(e); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("read %s by ticket: %w", source, err)
		}
		return nil
	})
	return last, n, err
}

// byTicket scans rows whose texts mostly are those of the row before: a ticket's events come together, and there are few
// types and secrets.
type byTicket struct {
	source string
	ticket string
	words  map[string]string
}

// wordsKept bounds the memory of types: they are the vendor's to choose.
const wordsKept = 1000

func (b *byTicket) scan(row pgx.Rows) (Event, error) {
	e := Event{Source: b.source}
	var ticket, eventType, verifiedBy pgtype.DriverBytes
	var occurred *time.Time
	var quarantined *string
	var repeatOf *int64
	err := row.Scan(&e.Position, &ticket, &eventType, &occurred, &e.ReceivedAt, &e.Body, &verifiedBy, &quarantined, &repeatOf)
	if b.ticket != string(ticket) {
		b.ticket = string(ticket)
	}
	e.Ticket, e.Type, e.VerifiedBy = b.ticket, b.word(eventType), b.word(verifiedBy)
	e.OccurredAt, e.ReceivedAt = value(occurred).UTC(), e.ReceivedAt.UTC()
	e.Quarantined, e.RepeatOf = value(quarantined), value(repeatOf)
	return e, err
}

func (b *byTicket) word(text []byte) string {
	if word, ok := b.words[string(text)]; ok {
		return word
	}
	word := string(text)
	if len(b.words) < wordsKept {
		b.words[word] = word
	}
	return word
}
