package eventstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Head is how far a source's log goes, seen from a position in it.
type Head struct {
	Source         string
	Tail           int64
	NextReceivedAt time.Time // of the event after the position; zero: there is none
}

// Heads returns, within the caller's transaction, the head of every source that has a log, ordered by source. from gives
// the positions to look from; 0 for those that it leaves out.
func Heads(ctx context.Context, tx pgx.Tx, from map[string]int64) ([]Head, error) {
	var sources []string
	var positions []int64
	for source, position := range from {
		sources, positions = append(sources, source), append(positions, position)
	}
	rows, err := tx.Query(ctx, `
		SELECT h.source, coalesce(last.position, 0), next.received_at
		FROM log_head h
		LEFT JOIN unnest($1::text[], $2::bigint[]) AS f (source, position) ON f.source = h.source
		LEFT JOIN LATERAL (
			SELECT e.position
			FROM event e
			WHERE e.source = h.source
			ORDER BY e.position DESC
			LIMIT 1) AS last ON true
		LEFT JOIN event next ON next.source = h.source AND next.position = coalesce(f.position, 0) + 1
		ORDER BY h.source`, sources, positions)
	if err != nil {
		return nil, fmt.Errorf("read the logs' heads: %w", err)
	}
	heads, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Head, error) {
		var h Head
		var next *time.Time
		err := row.Scan(&h.Source, &h.Tail, &next)
		h.NextReceivedAt = value(next).UTC()
		return h, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the logs' heads: %w", err)
	}
	return heads, nil
}

// TicketsAfter returns the ids of a source's tickets after one, in the database's order, at most limit and no more than
// have so many events together (but one, however many it has): a walk over all of them in constant memory, within the
// caller's transaction. Only an empty list is the end.
func TicketsAfter(ctx context.Context, tx pgx.Tx, source, after string, limit, events int) ([]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT t.ticket
		FROM (
			SELECT c.ticket, c.events, sum(c.events) OVER (ORDER BY c.ticket) AS together
			FROM (
				SELECT ticket, count(*) AS events
				FROM event
				WHERE source = $1 AND ticket > $2
				GROUP BY ticket
				ORDER BY ticket
				LIMIT $3) AS c) AS t
		WHERE t.together <= $4 OR t.together = t.events
		ORDER BY t.ticket`, source, after, limit, events)
	if err != nil {
		return nil, fmt.Errorf("list tickets of %s: %w", source, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list tickets of %s: %w", source, err)
	}
	return ids, nil
}

// ReadTicketless returns events about no ticket, without the quarantined ones, after a position and up to another, in
// order, at most limit, within the caller's transaction.
func ReadTicketless(ctx context.Context, tx pgx.Tx, source string, after, upTo int64, limit int) ([]Event, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+eventColumns+`
		  FROM event AS e
		 WHERE e.source = $1 AND e.position > $2 AND e.position <= $3 AND e.ticket IS NULL AND e.quarantined IS NULL
		 ORDER BY e.position
		 LIMIT $4`, source, after, upTo, limit)
	if err != nil {
		return nil, fmt.Errorf("read ticketless events of %s: %w", source, err)
	}
	events, err := pgx.CollectRows(rows, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("read ticketless events of %s: %w", source, err)
	}
	return events, nil
}
