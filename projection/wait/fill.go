package wait

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// Tables are that of the segments, and that of what interrupted their waits.
func (Model) Tables() []string {
	return []string{"wait_segment_{set}", "wait_hold_{set}"}
}

// filler fills the rows of whole tickets.
type filler struct {
	source   string
	segments *projection.Copy
	holds    *projection.Copy
}

// Fill begins to fill the tables for one source.
func (Model) Fill(set projection.Set, source string) projection.Filler {
	return &filler{
		source: source,
		segments: projection.NewCopy(set, "wait_segment_{set}", "source", "ticket", "n", "queue", "desk", "agent",
			"entered_at", "called_at", "left_at", "outcome", "wait_seconds", "service_seconds", "self_registered", "recalls"),
		holds: projection.NewCopy(set, "wait_hold_{set}", "source", "ticket", "n", "segment", "from_at", "to_at"),
	}
}

// Change has nothing to do: segments follow from where the ticket ends up.
func (*filler) Change(projection.Change) error { return nil }

// Ticket gathers the ticket's rows.
func (f *filler) Ticket(last projection.Change) error {
	for i, r := range segmentRowsOf(last.After) {
		c := f.segments
		c.Row()
		c.Text(f.source)
		c.Text(last.Ticket)
		c.Int4(int32(i + 1))
		c.Text(r.Queue)
		c.Text(r.Desk)
		c.Text(r.Agent)
		c.Time(r.EnteredAt)
		c.Time(r.CalledAt)
		c.Time(r.LeftAt)
		c.Text(r.Outcome)
		tellSeconds(c, r.WaitSeconds)
		tellSeconds(c, r.ServiceSeconds)
		c.Bool(r.SelfRegistered)
		c.Int4(int32(r.Recalls))
	}
	for i, r := range holdRowsOf(last.After) {
		c := f.holds
		c.Row()
		c.Text(f.source)
		c.Text(last.Ticket)
		c.Int4(int32(i + 1))
		c.Int4(int32(r.Segment))
		c.Time(r.FromAt)
		c.Time(r.ToAt)
	}
	return nil
}

func tellSeconds(c *projection.Copy, n int64) {
	if n == none {
		c.Null()
		return
	}
	c.Int8(n)
}

func (f *filler) Len() int { return f.segments.Len() + f.holds.Len() }

// Flush copies what was gathered.
func (f *filler) Flush(ctx context.Context, tx pgx.Tx) error {
	if err := f.segments.Flush(ctx, tx); err != nil {
		return fmt.Errorf("fill the segments of %s: %w", f.source, err)
	}
	if err := f.holds.Flush(ctx, tx); err != nil {
		return fmt.Errorf("fill the holds of %s: %w", f.source, err)
	}
	return nil
}

// Sum has nothing to add.
func (*filler) Sum(context.Context, pgx.Tx) error { return nil }
