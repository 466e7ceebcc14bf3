package projection

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/eventstore/ticket"
)

// check compares one shard's rows with its log.
type check struct {
	*verifier
	tables
	adapter source.Source
	models  []Check
	state   string // of the generation
	upTo    int64
	report  func(eventstore.Violation)
	unread  int64 // events folded since the progress was told

	dismissed map[int64]bool // what is never folded,
	unmet     map[int64]bool // and what of it was not met yet
}

// shard checks what the shard's row says of itself.
func (c *check) shard(p Progress, tail int64) {
	if p.Position > tail {
		c.say(p.Position, "", "the checkpoint %d is ahead of the log's tail %d", p.Position, tail)
	}
	if p.Halted != "" {
		c.say(p.Position, "", "the projection is halted: %s", p.Halted)
	}
}

// rows folds the source's log to its checkpoint, a range of tickets at a time, and compares all rows.
func (c *check) rows(ctx context.Context, tx pgx.Tx) error {
	c.tx = tx
	if err := c.decisions(ctx); err != nil {
		return err
	}
	for _, m := range c.verifier.models {
		c.models = append(c.models, m.Check(tx, c.set(), c.source, c.report))
	}
	for after, more := "", true; more; {
		ids, err := eventstore.TicketsAfter(ctx, tx, c.source, after, verifyTickets, verifyEvents)
		if err != nil {
			return err
		}
		in := Range{After: after}
		if more = len(ids) > 0; more {
			in.Through = ids[len(ids)-1]
		}
		if err := c.tickets(ctx, in); err != nil {
			return err
		}
		after = in.Through
	}
	if err := c.ticketless(ctx); err != nil {
		return err
	}
	c.dismissals()
	for _, m := range c.models {
		if err := m.Finish(ctx); err != nil {
			return err
		}
	}
	return nil
}

// count has the progress told of what was folded since.
func (c *check) count(tickets int) {
	if c.state == serving {
		c.mu.Lock()
		c.done.Tickets += int64(tickets)
		c.mu.Unlock()
	}
	c.went(c.unread)
	c.unread = 0
}

// tickets folds the events of the range's tickets, and compares their rows.
func (c *check) tickets(ctx context.Context, in Range) error {
	letters, err := c.letters(ctx, in)
	if err != nil {
		return err
	}
	f := &folding{adapter: c.adapter, tickets: map[string]ticket.Ticket{}, dead: map[string]int64{}, dismissed: c.dismissed}
	if in.Through != "" { // behind the last ticket there is nothing to read
		err = eventstore.ReadTickets(ctx, c.tx, c.source, in.After, in.Through, c.upTo, func(e eventstore.Event) error {
			return c.fold(f, e, letters)
		})
		if err != nil {
			return err
		}
	}
	c.dead(f, letters)
	c.count(len(f.tickets))
	if err := c.folded(ctx, in, f); err != nil {
		return err
	}
	for _, m := range c.models {
		if err := m.Tickets(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// fold folds the event, unless it is a dead letter or waits behind one, and hands on what it changed.
func (c *check) fold(f *folding, e eventstore.Event, letters map[int64]letter) error {
	c.unread++
	l, dead := letters[e.Position]
	delete(letters, e.Position)
	if e.Quarantined == "" {
		delete(c.unmet, e.Position)
	}
	switch {
	case dead && c.dismissed[e.Position]:
		c.say(e.Position, e.Ticket, "dead_letter: row %d is of an event that was dismissed", e.Position)
		return nil
	case dead && l.Ticket == e.Ticket && e.Quarantined == "":
		return nil
	case dead:
		c.say(e.Position, e.Ticket, "dead_letter: row %d is of no event that can be dead", e.Position)
		return nil
	}
	f.event(e)
	for _, change := range f.changes {
		for _, m := range c.models {
			if err := m.Change(change); err != nil {
				return err
			}
		}
	}
	f.changes = f.changes[:0]
	return nil
}

// dead reports the dead letters that are left over, and those that the folding made.
func (c *check) dead(f *folding, letters map[int64]letter) {
	for _, position := range slices.Sorted(maps.Keys(letters)) {
		c.say(position, letters[position].Ticket, "dead_letter: row %d is too many: there is no such event of the ticket", position)
	}
	for _, l := range f.letters {
		if l.Behind == 0 {
			c.say(l.Position, l.Ticket, "the event can't be folded, and is no dead letter: %s", l.Cause)
		}
	}
}

func (c *check) say(position int64, id, what string, args ...any) {
	c.report(eventstore.Violation{Source: c.source, Position: position, Ticket: id, What: fmt.Sprintf(what, args...)})
}

// letters reads the dead letters of the range's tickets.
func (c *check) letters(ctx context.Context, in Range) (map[int64]letter, error) {
	query, args := in.SQL(fmt.Sprintf(`
		SELECT position, ticket, coalesce(behind, 0), cause
		FROM dead_letter
		WHERE generation = %d AND source = $1 AND`, c.generation), c.source)
	rows, err := c.tx.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read dead letters of %s: %w", c.source, err)
	}
	letters := map[int64]letter{}
	var l letter
	_, err = pgx.ForEachRow(rows, []any{&l.Position, &l.Ticket, &l.Behind, &l.Cause}, func() error {
		letters[l.Position] = l
		if l.Cause == "" {
			c.say(l.Position, l.Ticket, "dead_letter: row %d tells no cause", l.Position)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read dead letters of %s: %w", c.source, err)
	}
	c.standing(letters)
	return letters, nil
}

// standing checks that what waits behind a dead letter has one before it.
func (c *check) standing(letters map[int64]letter) {
	for position, l := range letters {
		if l.Behind == 0 {
			continue
		}
		if front, ok := letters[l.Behind]; !ok || front.Behind != 0 || front.Ticket != l.Ticket || l.Behind >= position {
			c.say(position, l.Ticket, "dead_letter: row %d waits behind %d, which is no dead letter", position, l.Behind)
		}
	}
}

// folded compares the runner's own rows.
func (c *check) folded(ctx context.Context, in Range, f *folding) error {
	want := make(map[RowKey]foldedRow, len(f.tickets))
	for id, t := range f.tickets {
		row, err := foldedRowOf(t)
		if err != nil {
			return fmt.Errorf("ticket %s: %w", id, err)
		}
		want[RowKey{Ticket: id}] = row
	}
	query, args := in.SQL(`
		SELECT ticket, status, facts, last_position, expires_from
		FROM folded_{set}
		WHERE source = $1 AND`, c.source)
	rows, err := c.tx.Query(ctx, c.set().SQL(query), args...)
	if err != nil {
		return fmt.Errorf("read folded tickets of %s: %w", c.source, err)
	}
	return Compare("folded", c.source, rows, scanFolded, want, c.report)
}

func scanFolded(row pgx.CollectableRow) (RowKey, foldedRow, error) {
	var key RowKey
	var r foldedRow
	var facts []byte
	err := row.Scan(&key.Ticket, &r.Status, &facts, &r.LastPosition, &r.ExpiresFrom)
	r.Facts, r.ExpiresFrom = string(facts), r.ExpiresFrom.UTC()
	return key, r, err
}

// ticketless takes the events about no ticket through the models, a page at a time.
func (c *check) ticketless(ctx context.Context) error {
	for after, more := int64(0), true; more; {
		events, err := eventstore.ReadTicketless(ctx, c.tx, c.source, after, c.upTo, verifyTicketless)
		if err != nil {
			return err
		}
		through := int64(math.MaxInt64)
		if more = len(events) == verifyTicketless; more {
			through = events[len(events)-1].Position
		}
		letters, err := c.ticketlessLetters(ctx, after, through)
		if err != nil {
			return err
		}
		f := &folding{adapter: c.adapter, dismissed: c.dismissed}
		for _, e := range events {
			if err := c.fold(f, e, letters); err != nil {
				return err
			}
		}
		c.dead(f, letters)
		c.count(0)
		after = through
	}
	return nil
}

// ticketlessLetters reads the dead letters among the events about no ticket after a position, up to another.
func (c *check) ticketlessLetters(ctx context.Context, after, through int64) (map[int64]letter, error) {
	rows, err := c.tx.Query(ctx, `
		SELECT position, cause
		FROM dead_letter
		WHERE source = $1 AND generation = $2 AND ticket = '' AND position > $3 AND position <= $4`,
		c.source, c.generation, after, through)
	if err != nil {
		return nil, fmt.Errorf("read dead letters of %s: %w", c.source, err)
	}
	letters := map[int64]letter{}
	var l letter
	_, err = pgx.ForEachRow(rows, []any{&l.Position, &l.Cause}, func() error {
		letters[l.Position] = l
		if l.Cause == "" {
			c.say(l.Position, "", "dead_letter: row %d tells no cause", l.Position)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read dead letters of %s: %w", c.source, err)
	}
	return letters, nil
}
