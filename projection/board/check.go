package board

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
	"queuetrack/projection"
)

// check compares the board's rows of one source with its log.
type check struct {
	tx     pgx.Tx
	set    projection.Set
	source string
	report func(eventstore.Violation)
	sums   sums  // what the changes so far demand of queues and names
	moves  moves // of the present range's tickets
}

// Check begins the comparison of one source's rows.
func (Model) Check(tx pgx.Tx, set projection.Set, source string, report func(eventstore.Violation)) projection.Check {
	return &check{tx: tx, set: set, source: source, report: report, sums: newSums(), moves: moves{index: map[string]int{}}}
}

// Change takes the names, and of changes with a ticket the queues and what is now true of it.
func (c *check) Change(change projection.Change) error {
	c.sums.add(c.source, change)
	c.moves.add(change)
	return nil
}

// Tickets compares the tickets' rows and their spells.
func (c *check) Tickets(ctx context.Context, in projection.Range) error {
	tickets := map[projection.RowKey]ticketRow{}
	spells := map[projection.RowKey]spellRow{}
	for _, m := range c.moves.all {
		row, stored, ok, err := m.row()
		if err != nil {
			return err
		}
		if row.State = string(stored); ok {
			tickets[projection.RowKey{Ticket: m.ticket}] = row
		}
		for i, row := range spellRowsOf(m.after) {
			spells[projection.RowKey{Ticket: m.ticket, N: int64(i + 1)}] = row
		}
	}
	c.moves = moves{index: map[string]int{}}
	if err := c.tickets(ctx, in, tickets); err != nil {
		return err
	}
	return c.spells(ctx, in, spells)
}

func (c *check) tickets(ctx context.Context, in projection.Range, want map[projection.RowKey]ticketRow) error {
	query, args := in.SQL(`
		SELECT ticket, status, queue, created_at, entered_at, priority, order_at, order_position, state
		FROM board_ticket_{set}
		WHERE source = $1 AND`, c.source)
	rows, err := c.tx.Query(ctx, c.set.SQL(query), args...)
	if err != nil {
		return fmt.Errorf("check the board of %s: %w", c.source, err)
	}
	return projection.Compare("board_ticket", c.source, rows, scanTicketRow, want, c.report)
}

func scanTicketRow(row pgx.CollectableRow) (projection.RowKey, ticketRow, error) {
	var r ticketRow
	var entered *time.Time
	var state []byte
	err := row.Scan(&r.Ticket, &r.Status, &r.Queue, &r.CreatedAt, &entered, &r.Priority, &r.OrderAt, &r.OrderPosition, &state)
	r.State = string(state)
	r.CreatedAt, r.OrderAt, r.EnteredAt = r.CreatedAt.UTC(), r.OrderAt.UTC(), projection.TimeOf(entered)
	return projection.RowKey{Ticket: r.Ticket}, r, err
}

func (c *check) spells(ctx context.Context, in projection.Range, want map[projection.RowKey]spellRow) error {
	query, args := in.SQL(`
		SELECT ticket, n, status, queue, from_at, to_at, entered_at
		FROM board_spell_{set}
		WHERE source = $1 AND`, c.source)
	rows, err := c.tx.Query(ctx, c.set.SQL(query), args...)
	if err != nil {
		return fmt.Errorf("check the spells of %s: %w", c.source, err)
	}
	return projection.Compare("board_spell", c.source, rows, scanSpellRow, want, c.report)
}

func scanSpellRow(row pgx.CollectableRow) (projection.RowKey, spellRow, error) {
	var key projection.RowKey
	var r spellRow
	var to, entered *time.Time
	err := row.Scan(&key.Ticket, &key.N, &r.Status, &r.Queue, &r.From, &to, &entered)
	r.From, r.To, r.EnteredAt = r.From.UTC(), projection.TimeOf(to), projection.TimeOf(entered)
	return key, r, err
}

// Finish compares queues and names, and counts what stands in each queue both ways: by tickets and by spells that last.
func (c *check) Finish(ctx context.Context) error {
	if err := c.queues(ctx); err != nil {
		return err
	}
	if err := c.names(ctx); err != nil {
		return err
	}
	return c.counts(ctx)
}

func (c *check) queues(ctx context.Context) error {
	rows, err := c.tx.Query(ctx, c.set.SQL(`
		SELECT queue, last_event_at, last_position, waiting, called, serving, on_hold, booked
		FROM board_queue_{set}
		WHERE source = $1`), c.source)
	if err != nil {
		return fmt.Errorf("check the queues of %s: %w", c.source, err)
	}
	want := map[projection.RowKey]queueRow{}
	for queue, q := range c.sums.queues {
		want[queueKey(queue)] = *q
	}
	return projection.Compare("board_queue", c.source, rows, scanQueueRow, want, c.report)
}

func scanQueueRow(row pgx.CollectableRow) (projection.RowKey, queueRow, error) {
	var queue string
	var q queueRow
	err := row.Scan(&queue, &q.LastEventAt, &q.LastPosition, &q.Waiting, &q.Called, &q.Serving, &q.OnHold, &q.Booked)
	q.LastEventAt = q.LastEventAt.UTC()
	return queueKey(queue), q, err
}

func queueKey(queue string) projection.RowKey { return projection.RowKey{ID: fmt.Sprintf("%q", queue)} }

func (c *check) names(ctx context.Context) error {
	rows, err := c.tx.Query(ctx, c.set.SQL(`
		SELECT kind, id, name, position
		FROM board_name_{set}
		WHERE source = $1`), c.source)
	if err != nil {
		return fmt.Errorf("check the names of %s: %w", c.source, err)
	}
	want := map[projection.RowKey]named{}
	for key, n := range c.sums.names {
		want[key.row()] = n
	}
	scan := func(row pgx.CollectableRow) (projection.RowKey, named, error) {
		key := nameKey{source: c.source}
		var n named
		err := row.Scan(&key.kind, &key.id, &n.Name, &n.Position)
		return key.row(), n, err
	}
	return projection.Compare("board_name", c.source, rows, scan, want, c.report)
}

func (k nameKey) row() projection.RowKey {
	return projection.RowKey{ID: fmt.Sprintf("%s %q", k.kind, k.id)}
}

// counts holds the present against the spells. With each row equal to the fold's, what differs is the fold's own: a
// ticket that stands somewhere without a spell that lasts, or the reverse.
func (c *check) counts(ctx context.Context) error {
	byTicket, err := c.count(ctx, `
		SELECT queue, status, count(*)
		FROM board_ticket_{set}
		WHERE source = $1 AND status IN (`+openStatuses+`)
		GROUP BY queue, status`)
	if err != nil {
		return err
	}
	bySpell, err := c.count(ctx, `
		SELECT queue, status, count(*)
		FROM board_spell_{set}
		WHERE source = $1 AND to_at IS NULL
		GROUP BY queue, status`)
	if err != nil {
		return err
	}
	places := slices.Concat(slices.Collect(maps.Keys(byTicket)), slices.Collect(maps.Keys(bySpell)))
	slices.Sort(places)
	for _, place := range slices.Compact(places) {
		if byTicket[place] != bySpell[place] {
			c.report(eventstore.Violation{Source: c.source, What: fmt.Sprintf(
				"board: %d tickets are %s, by their spells %d", byTicket[place], place, bySpell[place])})
		}
	}
	return nil
}

// count counts by place: a status and a queue, in words.
func (c *check) count(ctx context.Context, query string) (map[string]int64, error) {
	rows, err := c.tx.Query(ctx, c.set.SQL(query), c.source)
	if err != nil {
		return nil, fmt.Errorf("count the board of %s: %w", c.source, err)
	}
	counts := map[string]int64{}
	var queue, status string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&queue, &status, &n}, func() error {
		counts[fmt.Sprintf("%s in queue %q", status, queue)] = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count the board of %s: %w", c.source, err)
	}
	return counts, nil
}
