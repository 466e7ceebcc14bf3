package history

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// columns are the new rows of a page, column by column.
type columns struct {
	tickets, types, transitions, details []string
	states                               [][]byte
	open                                 []bool
	positions                            []int64
	next, repeatOf                       []*int64
	occurred                             []*time.Time
	received                             []time.Time
}

func (c *columns) add(change projection.Change) error {
	r, err := rowOf(change)
	if err != nil {
		return err
	}
	c.tickets, c.positions, c.next = append(c.tickets, change.Ticket), append(c.positions, change.Event.Position), append(c.next, nil)
	c.types, c.transitions = append(c.types, r.Type), append(c.transitions, r.Transitions)
	c.details = append(c.details, r.Detail)
	c.states = append(c.states, change.Stored) // nil, and so NULL: as before
	c.open = append(c.open, r.Open)
	c.occurred, c.received = append(c.occurred, projection.NullTime(r.OccurredAt)), append(c.received, r.ReceivedAt)
	var repeat *int64
	if r.RepeatOf != 0 {
		repeat = &r.RepeatOf
	}
	c.repeatOf = append(c.repeatOf, repeat)
	return nil
}

// links are rows of earlier pages that now have a next one.
type links struct {
	tickets         []string
	positions, next []int64
}

// Write inserts a row for each change, and links the ticket's row before to it.
func (Model) Write(ctx context.Context, tx pgx.Tx, set projection.Set, source string, changes []projection.Change) error {
	var rows columns
	var old links
	last := map[string]int{} // the ticket's last row of this page
	for _, c := range changes {
		if c.Ticket == "" {
			continue
		}
		position := c.Event.Position
		if i, ok := last[c.Ticket]; ok {
			rows.next[i] = &position
		} else if c.Before.LastPosition != 0 {
			old.tickets = append(old.tickets, c.Ticket)
			old.positions, old.next = append(old.positions, c.Before.LastPosition), append(old.next, position)
		}
		last[c.Ticket] = len(rows.tickets)
		if err := rows.add(c); err != nil {
			return err
		}
	}
	if len(rows.tickets) == 0 {
		return nil
	}
	var batch pgx.Batch
	queueRows(&batch, set, source, rows)
	queueLinks(&batch, set, source, old)
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("write the history of %s: %w", source, err)
	}
	return nil
}

func queueRows(batch *pgx.Batch, set projection.Set, source string, c columns) {
	batch.Queue(set.SQL(`
		INSERT INTO history_{set}
			(source, ticket, position, next_position, type, transitions, occurred_at, received_at, repeat_of, detail, state,
			open)
		SELECT $1, h.ticket, h.position, h.next_position, h.type, string_to_array(h.transitions, ' '), h.occurred_at,
			h.received_at, h.repeat_of, h.detail::json, h.state, h.open
		FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[],
			$9::bigint[], $10::text[], $11::bytea[], $12::boolean[])
			AS h (ticket, position, next_position, type, transitions, occurred_at, received_at, repeat_of, detail, state, open)`),
		source, c.tickets, c.positions, c.next, c.types, c.transitions, c.occurred, c.received, c.repeatOf, c.details, c.states, c.open)
}

// queueLinks says what comes after rows that are there already. It is worded as an INSERT that always conflicts, for that
// goes to each row by its key, in any plan. An UPDATE that joins the list may be planned while nothing is known of the
// table, and then reads all of the source for each page.
func queueLinks(batch *pgx.Batch, set projection.Set, source string, l links) {
	if len(l.tickets) == 0 {
		return
	}
	batch.Queue(set.SQL(`
		INSERT INTO history_{set} (source, ticket, position, next_position, type, transitions, received_at, detail, open)
		SELECT $1, l.ticket, l.position, l.next, '', '{}', 'epoch', '{}', false
		FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS l (ticket, position, next)
		ON CONFLICT (source, ticket, position) DO UPDATE SET
			next_position = excluded.next_position`),
		source, l.tickets, l.positions, l.next)
}
