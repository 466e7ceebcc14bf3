package history

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// Tables is the history's one.
func (Model) Tables() []string {
	return []string{"history_{set}"}
}

// filler fills the history of whole tickets. A row waits for the next one of its ticket, which it links to.
type filler struct {
	source  string
	rows    *projection.Copy
	waiting projection.Change // zero: none
}

// Fill begins to fill the table for one source.
func (Model) Fill(set projection.Set, source string) projection.Filler {
	return &filler{source: source, rows: projection.NewCopy(set, "history_{set}", "source", "ticket", "position", "next_position",
		"type", "transitions", "occurred_at", "received_at", "repeat_of", "detail", "state", "open")}
}

// Change gathers the row of the ticket's change before.
func (f *filler) Change(c projection.Change) error {
	if c.Ticket == "" {
		return nil
	}
	if f.waiting.Ticket != "" {
		if err := f.row(f.waiting, c.Event.Position); err != nil {
			return err
		}
	}
	f.waiting = c
	return nil
}

// Ticket gathers the row of the ticket's last change.
func (f *filler) Ticket(last projection.Change) error {
	f.waiting = projection.Change{}
	return f.row(last, 0)
}

func (f *filler) row(change projection.Change, next int64) error {
	r, err := rowOf(change)
	if err != nil {
		return err
	}
	c := f.rows
	c.Row()
	c.Text(f.source)
	c.Text(change.Ticket)
	c.Int8(change.Event.Position)
	tellPosition(c, next)
	c.Text(r.Type)
	projection.CopyTexts(c, change.Transitions)
	c.Time(r.OccurredAt)
	c.Time(r.ReceivedAt)
	tellPosition(c, r.RepeatOf)
	c.Text(r.Detail)
	c.Bytes(change.Stored)
	c.Bool(r.Open)
	return nil
}

func tellPosition(c *projection.Copy, n int64) {
	if n == 0 {
		c.Null()
		return
	}
	c.Int8(n)
}

func (f *filler) Len() int { return f.rows.Len() }

// Flush copies the gathered rows.
func (f *filler) Flush(ctx context.Context, tx pgx.Tx) error {
	if err := f.rows.Flush(ctx, tx); err != nil {
		return fmt.Errorf("fill the history of %s: %w", f.source, err)
	}
	return nil
}

// Sum has nothing to add.
func (*filler) Sum(context.Context, pgx.Tx) error { return nil }
