package projection

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
	"queuetrack/eventstore/ticket"
)

// tables are one generation's rows of one source that belong to the runner itself: folded tickets and dead letters.
type tables struct {
	tx         pgx.Tx
	generation int
	source     string
}

func (t tables) set() Set { return SetOf(t.generation) }

// ticketsOf names the tickets that the events are about, each once.
func ticketsOf(events []eventstore.Event) []string {
	seen := map[string]bool{}
	var ids []string
	for _, e := range events {
		if e.Ticket != "" && !seen[e.Ticket] {
			seen[e.Ticket] = true
			ids = append(ids, e.Ticket)
		}
	}
	return ids
}

// batcher is a pool or a transaction.
type batcher interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// load fills the folding with what these events, in their order, are folded onto, in one round trip: the tickets as they
// were left, which of them stand still, and which of the events are dismissed. What the folding before knows, if there is
// one, is newer than what is stored. Tickets whose facts are too heavy together with the ones before stay behind, withheld.
func (t tables) load(ctx context.Context, db batcher, f *folding, events []eventstore.Event, before *folding) error {
	ids := ticketsOf(events)
	f.tickets, f.dead, f.withheld = make(map[string]ticket.Ticket, len(ids)), map[string]int64{}, map[string]bool{}
	if before != nil {
		ids = slices.DeleteFunc(ids, func(id string) bool { return f.inherit(before, id) })
	}
	var batch pgx.Batch
	batch.Queue(dismissedBetween, t.source, events[0].Position, events[len(events)-1].Position).Query(f.loadDismissed)
	batch.Queue(t.set().SQL(`
		SELECT i.ticket,
			CASE WHEN i.n = 1 OR sum(octet_length(f.facts)) OVER (ORDER BY i.n) <= $3 THEN f.facts END
		FROM unnest($2::text[]) WITH ORDINALITY AS i (ticket, n),
			-- OFFSET 0: each by its key, also by a plan that was made when the table was empty.
			LATERAL (
				SELECT facts
				FROM folded_{set}
				WHERE source = $1 AND ticket = i.ticket
				OFFSET 0) AS f`), t.source, ids, pageWeight).Query(f.loadTickets)
	batch.Queue(`
		SELECT ticket, min(position)
		FROM dead_letter
		WHERE source = $1 AND generation = $2 AND ticket = ANY($3) AND behind IS NULL
		GROUP BY ticket`, t.source, t.generation, ids).Query(f.loadDead)
	if err := db.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("load folded tickets of %s: %w", t.source, err)
	}
	return nil
}

// inherit takes over what another folding knows of a ticket, and reports whether that makes it needless to load it.
func (f *folding) inherit(before *folding, id string) bool {
	if dead, ok := before.dead[id]; ok {
		f.dead[id] = dead
	}
	t, known := before.tickets[id]
	if known {
		f.tickets[id] = t
	}
	return known
}

// dismissedBetween finds what an operator decided never to fold: mostly nothing.
const dismissedBetween = `
		SELECT position
		FROM dismissal
		WHERE source = $1 AND position BETWEEN $2 AND $3`

func (f *folding) loadDismissed(rows pgx.Rows) error {
	var position int64
	_, err := pgx.ForEachRow(rows, []any{&position}, func() error {
		f.dismiss(position)
		return nil
	})
	return err
}

func (f *folding) loadTickets(rows pgx.Rows) error {
	var id string
	var facts []byte
	_, err := pgx.ForEachRow(rows, []any{&id, &facts}, func() error {
		if facts == nil {
			f.withheld[id] = true
			return nil
		}
		var t ticket.Ticket
		if err := t.UnmarshalBinary(facts); err != nil {
			return fmt.Errorf("ticket %s: %w", id, err)
		}
		f.tickets[id] = t
		return nil
	})
	return err
}

func (f *folding) loadDead(rows pgx.Rows) error {
	var id string
	var position int64
	_, err := pgx.ForEachRow(rows, []any{&id, &position}, func() error {
		f.dead[id] = position
		return nil
	})
	return err
}

// foldedRow is a row of folded_{set}.
type foldedRow struct {
	Status       string
	Facts        string
	LastPosition int64
	ExpiresFrom  time.Time
}

func foldedRowOf(t ticket.Ticket) (foldedRow, error) {
	facts, err := t.MarshalBinary()
	if err != nil {
		return foldedRow{}, err
	}
	return foldedRow{string(t.Status), string(facts), t.LastPosition, StoredTime(t.ExpiresFrom())}, nil
}

// save writes the tickets that the changes touched, as the last of them left each.
func (t tables) save(ctx context.Context, f *folding) error {
	var ids, statuses []string
	var facts [][]byte
	var positions []int64
	var expiries []time.Time
	saved := map[string]bool{}
	for _, c := range f.changes {
		if c.Ticket == "" || saved[c.Ticket] {
			continue
		}
		saved[c.Ticket] = true
		row, err := foldedRowOf(f.tickets[c.Ticket])
		if err != nil {
			return fmt.Errorf("save ticket %s of %s: %w", c.Ticket, t.source, err)
		}
		ids, statuses, facts = append(ids, c.Ticket), append(statuses, row.Status), append(facts, []byte(row.Facts))
		positions, expiries = append(positions, row.LastPosition), append(expiries, row.ExpiresFrom)
	}
	if len(ids) == 0 {
		return nil
	}
	_, err := t.tx.Exec(ctx, t.set().SQL(`
		INSERT INTO folded_{set} AS f (source, ticket, status, facts, last_position, expires_from)
		SELECT $1, *
		FROM unnest($2::text[], $3::text[], $4::bytea[], $5::bigint[], $6::timestamptz[])
		ON CONFLICT (source, ticket) DO UPDATE SET
			status = excluded.status,
			facts = excluded.facts,
			last_position = excluded.last_position,
			expires_from = excluded.expires_from`),
		t.source, ids, statuses, facts, positions, expiries)
	if err != nil {
		return fmt.Errorf("save folded tickets of %s: %w", t.source, err)
	}
	return nil
}

// bury writes the dead letters and what waits behind them.
func (t tables) bury(ctx context.Context, letters []letter) error {
	if len(letters) == 0 {
		return nil
	}
	var positions, behind []int64
	var ids, causes []string
	for _, l := range letters {
		positions, behind = append(positions, l.Position), append(behind, l.Behind)
		ids, causes = append(ids, l.Ticket), append(causes, l.Cause)
	}
	_, err := t.tx.Exec(ctx, `
		INSERT INTO dead_letter (source, generation, position, ticket, behind, cause)
		SELECT $1, $2, l.position, l.ticket, nullif(l.behind, 0), l.cause
		FROM unnest($3::bigint[], $4::text[], $5::bigint[], $6::text[]) AS l (position, ticket, behind, cause)`,
		t.source, t.generation, positions, ids, behind, causes)
	if err != nil {
		return fmt.Errorf("bury dead letters of %s: %w", t.source, err)
	}
	return nil
}
