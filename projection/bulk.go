package projection

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
	"queuetrack/eventstore/ticket"
)

// bulk folds whole tickets, one after the other, and copies what they are in every table: one transaction's worth.
type bulk struct {
	folding
	tables
	events  int64
	fillers []Filler
	folded  *Copy
	ticket  string // that the events are about now
	last    Change // of that ticket; zero: none yet
}

// bulk begins a transaction's worth.
func (f *filling) bulk(tx pgx.Tx) *bulk {
	b := &bulk{
		folding: folding{adapter: f.adapter, tickets: map[string]ticket.Ticket{}, dead: map[string]int64{}, dismissed: f.dismissed},
		tables:  tables{tx: tx, generation: f.shard.generation, source: f.shard.source},
		folded:  NewCopy(SetOf(f.shard.generation), "folded_{set}", "source", "ticket", "status", "facts", "last_position", "expires_from"),
	}
	for _, m := range f.runner.models {
		b.fillers = append(b.fillers, m.Fill(b.set(), b.source))
	}
	return b
}

// take folds the next events, ordered by ticket and position.
func (b *bulk) take(ctx context.Context, events []eventstore.Event) error {
	for _, e := range events {
		if e.Ticket != b.ticket {
			if err := b.end(); err != nil {
				return err
			}
			b.ticket = e.Ticket
		}
		b.event(e)
		for _, c := range b.changes {
			for _, f := range b.fillers {
				if err := f.Change(c); err != nil {
					return err
				}
			}
			if c.Ticket != "" {
				b.last = c
			}
		}
		b.changes, b.events = b.changes[:0], b.events+1
		if b.heavy() {
			if err := b.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// end writes the rows of a ticket whose last event was taken.
func (b *bulk) end() error {
	if b.last.Ticket != "" {
		if err := b.keep(b.ticket); err != nil {
			return err
		}
		for _, f := range b.fillers {
			if err := f.Ticket(b.last); err != nil {
				return err
			}
		}
	}
	delete(b.tickets, b.ticket)
	delete(b.dead, b.ticket)
	b.last = Change{}
	return nil
}

// keep gathers the runner's own row of the ticket.
func (b *bulk) keep(id string) error {
	row, err := foldedRowOf(b.tickets[id])
	if err != nil {
		return fmt.Errorf("save ticket %s of %s: %w", id, b.source, err)
	}
	c := b.folded
	c.Row()
	c.Text(b.source)
	c.Text(id)
	c.Text(row.Status)
	c.Text(row.Facts)
	c.Int8(row.LastPosition)
	c.Time(row.ExpiresFrom)
	return nil
}

// heavy reports whether enough has been gathered.
func (b *bulk) heavy() bool {
	n := b.folded.Len()
	for _, f := range b.fillers {
		n += f.Len()
	}
	return n >= copyBytes || len(b.letters) >= DefaultPageSize
}

func (b *bulk) flush(ctx context.Context) error {
	if err := b.folded.Flush(ctx, b.tx); err != nil {
		return fmt.Errorf("copy folded tickets of %s: %w", b.source, err)
	}
	for _, f := range b.fillers {
		if err := f.Flush(ctx, b.tx); err != nil {
			return err
		}
	}
	letters := b.letters
	b.letters = nil
	return b.tables.bury(ctx, letters)
}

// finish writes the rest. What belongs to no one ticket comes last, for others wait for it.
func (b *bulk) finish(ctx context.Context) error {
	if err := b.end(); err != nil {
		return err
	}
	if err := b.flush(ctx); err != nil {
		return err
	}
	for _, f := range b.fillers {
		if err := f.Sum(ctx, b.tx); err != nil {
			return err
		}
	}
	return nil
}

// sift folds one event and writes what it did, or that it is a dead letter.
func (b *bulk) sift(ctx context.Context, r *Runner, e eventstore.Event) error {
	b.events++
	if e.Ticket != b.ticket {
		delete(b.tickets, b.ticket)
		delete(b.dead, b.ticket)
		b.ticket = e.Ticket
	}
	before, known := b.tickets[e.Ticket]
	err := pgx.BeginFunc(ctx, b.tx, func(savepoint pgx.Tx) error {
		b.event(e)
		t := b.tables
		t.tx = savepoint
		return r.write(ctx, t, &b.folding)
	})
	if unstorable(err) {
		delete(b.tickets, e.Ticket)
		if known {
			b.tickets[e.Ticket] = before
		}
		b.changes, b.letters = nil, nil
		b.folding.bury(e, err)
		err = b.tables.bury(ctx, b.letters)
	}
	b.changes, b.letters = nil, nil
	return err
}
