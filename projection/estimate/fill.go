package estimate

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// moveColumns are those of estimate_move_{set} after its source, in the order in which moves are written.
var moveColumns = []string{
	"ticket", "position", "n", "segment", "kind", "queue", "at", "priority", "order_at", "order_position", "wait_seconds",
}

// filler gathers the moves of whole tickets. What follows from their order comes later, in Settle.
type filler struct {
	source string
	moves  *projection.Copy
}

// Fill begins to fill the tables of one source.
func (Model) Fill(set projection.Set, source string) projection.Filler {
	return &filler{source, projection.NewCopy(set, "estimate_move_{set}", append([]string{"source"}, moveColumns...)...)}
}

// Change gathers the event's moves.
func (f *filler) Change(c projection.Change) error {
	for _, m := range movesOf(c) {
		row := f.moves
		row.Row()
		row.Text(f.source)
		row.Text(m.Ticket)
		row.Int8(m.Position)
		row.Int4(m.N)
		row.Int4(m.Segment)
		row.Text(string(m.Kind))
		row.Text(m.Queue)
		row.Time(m.At)
		row.Int4(m.Priority)
		row.Time(m.OrderAt)
		row.Int8(m.OrderPosition)
		copySeconds(row, m.Wait)
	}
	return nil
}

func copySeconds(c *projection.Copy, n int64) {
	if n == none {
		c.Null()
		return
	}
	c.Int8(n)
}

// Ticket has nothing to add.
func (f *filler) Ticket(projection.Change) error { return nil }

func (f *filler) Len() int { return f.moves.Len() }

// Flush copies the gathered moves.
func (f *filler) Flush(ctx context.Context, tx pgx.Tx) error {
	if err := f.moves.Flush(ctx, tx); err != nil {
		return fmt.Errorf("fill the moves of %s: %w", f.source, err)
	}
	return nil
}

// Sum has nothing to add: no row is shared by tickets.
func (f *filler) Sum(context.Context, pgx.Tx) error { return nil }
