package board

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// Tables are the board's.
func (Model) Tables() []string {
	return []string{"board_ticket_{set}", "board_spell_{set}", "board_queue_{set}", "board_name_{set}"}
}

// filler fills the board with whole tickets.
type filler struct {
	set     projection.Set
	source  string
	tickets *projection.Copy
	spells  *projection.Copy
	sums    sums
}

// Fill begins to fill the tables of one source.
func (Model) Fill(set projection.Set, source string) projection.Filler {
	return &filler{
		set: set, source: source, sums: newSums(),
		tickets: projection.NewCopy(set, "board_ticket_{set}", "source", "ticket", "status", "queue", "created_at",
			"entered_at", "priority", "order_at", "order_position", "state"),
		spells: projection.NewCopy(set, "board_spell_{set}", "source", "ticket", "n", "status", "queue", "from_at", "to_at", "entered_at"),
	}
}

// Change takes the event into its queues' numbers, and what names it tells.
func (f *filler) Change(c projection.Change) error {
	f.sums.add(f.source, c)
	return nil
}

// Ticket gathers the ticket's row and its spells.
func (f *filler) Ticket(last projection.Change) error {
	row, state, ok, err := move{ticket: last.Ticket, after: last.After, stored: last.Stored}.row()
	if err != nil || !ok {
		return err
	}
	f.ticket(row, state)
	for i, spell := range spellRowsOf(last.After) {
		f.spell(last.Ticket, int32(i+1), spell)
	}
	return nil
}

func (f *filler) ticket(r ticketRow, state []byte) {
	c := f.tickets
	c.Row()
	c.Text(f.source)
	c.Text(r.Ticket)
	c.Text(r.Status)
	c.Text(r.Queue)
	c.Time(r.CreatedAt)
	c.Time(r.EnteredAt)
	c.Int4(r.Priority)
	c.Time(r.OrderAt)
	c.Int8(r.OrderPosition)
	c.Bytes(state)
}

func (f *filler) spell(id string, n int32, r spellRow) {
	c := f.spells
	c.Row()
	c.Text(f.source)
	c.Text(id)
	c.Int4(n)
	c.Text(r.Status)
	c.Text(r.Queue)
	c.Time(r.From)
	c.Time(r.To)
	c.Time(r.EnteredAt)
}

func (f *filler) Len() int { return f.tickets.Len() + f.spells.Len() }

// Flush copies the gathered tickets and spells.
func (f *filler) Flush(ctx context.Context, tx pgx.Tx) error {
	for _, c := range []*projection.Copy{f.tickets, f.spells} {
		if err := c.Flush(ctx, tx); err != nil {
			return fmt.Errorf("fill the board of %s: %w", f.source, err)
		}
	}
	return nil
}

// Sum adds up the queues and settles the names, in the order of their ids.
func (f *filler) Sum(ctx context.Context, tx pgx.Tx) error {
	var batch pgx.Batch
	queueQueues(&batch, f.set, f.source, f.sums.queues)
	queueNames(&batch, f.set, f.source, f.sums.names)
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("fill the queues of %s: %w", f.source, err)
	}
	return nil
}
