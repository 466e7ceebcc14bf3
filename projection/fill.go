package projection

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
)

// A stretch of a log is filled in one transaction: so many events or bytes of bodies, and what is left of its last ticket.
const (
	stretchEvents = 16_000
	stretchBytes  = 12 << 20
	// It is handed on in pages.
	stretchPages = 4
	// copyBytes of rows are gathered before they are copied.
	copyBytes = 4 << 20
)

// Filler copies the rows of whole tickets into a generation that is being filled. The runner hands it the changes ordered
// by ticket and position, those about no ticket last, and says when a ticket's last one was handed over. Its memory is
// what it has gathered since the last Flush: Len bytes, and sums that grow with the number of queues.
type Filler interface {
	Change(c Change) error
	Ticket(last Change) error
	Len() int

	// Flush writes what was gathered; Sum, which comes last, what belongs to no one ticket. Several fillers of a source may be at work
	// at the same time, each with tickets of its own, so what they share must not depend on which of them comes first, and
	// must be locked in one order.
	Flush(ctx context.Context, tx pgx.Tx) error
	Sum(ctx context.Context, tx pgx.Tx) error
}

// fill fills the shards that have not followed the log yet: each up to the tail that it had when the generation began, by
// ticket, so that each ticket's rows are written once and not once an event. Workers fill stretches of tickets at the same
// time, each in a transaction that also notes the stretch in filled.
func (j *job) fill(ctx context.Context) error {
	if err := j.known(ctx); err != nil {
		return err
	}
	j.meter.enter(PhaseFilling)
	for _, s := range j.shards {
		if s.fillTo == nil {
			continue
		}
		if err := j.fillShard(ctx, s); err != nil {
			return fmt.Errorf("fill %s: %w", s.source, err)
		}
	}
	return nil
}

// known tells the meter what was done before.
func (j *job) known(ctx context.Context) error {
	var events, total int64
	for _, s := range j.shards {
		done := s.position
		if s.fillTo != nil {
			err := j.runner.pool.QueryRow(ctx, `
				SELECT coalesce(sum(events), 0)
				FROM filled
				WHERE source = $1 AND generation = $2`, s.source, s.generation).Scan(&done)
			if err != nil {
				return fmt.Errorf("read what is filled of %s: %w", s.source, err)
			}
		}
		events, total = events+done, total+j.tails[s.source]
	}
	j.meter.known(events, total)
	return nil
}

// fillShard fills what no stretch of before has filled, then lets the shard follow the log.
func (j *job) fillShard(ctx context.Context, s *shard) error {
	done, err := j.stretches(ctx, s)
	if err != nil {
		return err
	}
	f := &filling{job: j, shard: s, adapter: j.runner.sources[s.source]}
	if f.dismissed, err = j.dismissals(ctx, s.source); err != nil {
		return err
	}
	if err := f.tickets(ctx, done); err != nil {
		return err
	}
	for _, in := range f.refused {
		if err := f.sift(ctx, in); err != nil {
			return err
		}
	}
	if len(done) == 0 || done[0].Through != "" {
		if err := f.ticketless(ctx); err != nil {
			return err
		}
	}
	return j.filled(ctx, s)
}

// filled settles what depends on the order of tickets, and lets the shard follow the log from where it was filled to.
func (j *job) filled(ctx context.Context, s *shard) error {
	err := j.inTx(ctx, func(tx pgx.Tx) error {
		if err := j.runner.settle(ctx, tables{tx: tx, generation: s.generation, source: s.source}); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM filled WHERE source = $1 AND generation = $2`, s.source, s.generation); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			UPDATE shard
			SET position = fill_to, fill_to = NULL
			WHERE source = $1 AND generation = $2 AND epoch = $3`, s.source, s.generation, s.epoch)
		return err
	})
	if err == nil {
		s.position, s.fillTo = *s.fillTo, nil
	}
	return err
}

// filling is one shard on its way up to its fillTo. Safe for concurrent use.
type filling struct {
	*job
	shard     *shard
	adapter   source.Source
	dismissed map[int64]bool

	mu      sync.Mutex
	refused []Range // stretches with a value that the database does not take
}

// stretch is a run of tickets with their events. Its end is known when its pages have all been read.
type stretch struct {
	tickets Range // Through: valid once pages is closed
	pages   chan []eventstore.Event
}

// dismissals are all of a source. There are few, each was a person's doing; and while the generation is held, none is added.
func (j *job) dismissals(ctx context.Context, name string) (map[int64]bool, error) {
	rows, err := j.runner.pool.Query(ctx, dismissedBetween, name, 0, int64(math.MaxInt64))
	if err != nil {
		return nil, fmt.Errorf("read the dismissals: %w", err)
	}
	var f folding
	if err := f.loadDismissed(rows); err != nil {
		return nil, fmt.Errorf("read the dismissals: %w", err)
	}
	return f.dismissed, nil
}

// tickets has all stretches filled that are not done.
func (f *filling) tickets(ctx context.Context, done []Range) error {
	group, ctx := errgroup.WithContext(ctx)
	stretches := make(chan *stretch)
	for range runtime.GOMAXPROCS(0) + 2 { // one more than can run, since each also waits for Postgres
		group.Go(func() error { return f.work(ctx, stretches) })
	}
	group.Go(func() error {
		defer close(stretches)
		return f.read(ctx, done, stretches)
	})
	return group.Wait()
}

// stretches returns what has been filled, in order; the events about no ticket, which have no tickets' range, first.
func (j *job) stretches(ctx context.Context, s *shard) ([]Range, error) {
	rows, err := j.runner.pool.Query(ctx, `
		SELECT after, through
		FROM filled
		WHERE source = $1 AND generation = $2
		ORDER BY through`, s.source, s.generation)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Range])
}

// read hands out the stretches of the log that lie between those that are done.
func (f *filling) read(ctx context.Context, done []Range, stretches chan<- *stretch) error {
	after := ""
	for _, d := range done {
		if d.After > after {
			if err := f.readRange(ctx, Range{after, d.After}, stretches); err != nil {
				return err
			}
		}
		after = d.Through
	}
	return f.readRange(ctx, Range{After: after}, stretches)
}

// readRange cuts the log of the tickets in a range into stretches, and hands each out when its first page has been read.
func (f *filling) readRange(ctx context.Context, in Range, stretches chan<- *stretch) error {
	c := cutter{out: stretches, after: in.After}
	from := eventstore.Place{Ticket: in.After, Position: math.MaxInt64}
	err := eventstore.ReadByTicket(ctx, f.runner.pool, f.shard.source, from, in.Through, *f.shard.fillTo, func(e eventstore.Event) error {
		return c.event(ctx, e)
	})
	if err != nil {
		return err
	}
	return c.cut(ctx)
}

// cutter cuts events that come by ticket into stretches.
type cutter struct {
	out   chan<- *stretch
	open  *stretch // handed out, and not yet at its end
	page  []eventstore.Event
	bytes int
	pages int    // handed out of this stretch
	after string // the last ticket of the stretch before
	last  string // the ticket of the last event
}

func (c *cutter) event(ctx context.Context, e eventstore.Event) error {
	if len(c.page) >= stretchEvents/stretchPages || c.bytes >= stretchBytes/stretchPages {
		if err := c.flush(ctx); err != nil {
			return err
		}
	}
	if c.pages >= stretchPages && e.Ticket != c.last {
		if err := c.cut(ctx); err != nil {
			return err
		}
	}
	c.page, c.bytes, c.last = append(c.page, e), c.bytes+len(e.Body), e.Ticket
	return nil
}

// flush hands out the page: as the first of a stretch, or as the next.
func (c *cutter) flush(ctx context.Context) error {
	if c.open == nil {
		c.open = &stretch{tickets: Range{After: c.after}, pages: make(chan []eventstore.Event, stretchPages)}
		c.open.pages <- c.page
		select {
		case c.out <- c.open:
		case <-ctx.Done():
			return ctx.Err()
		}
	} else {
		select {
		case c.open.pages <- c.page:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	c.page, c.bytes, c.pages = nil, 0, c.pages+1
	return nil
}

// cut ends the stretch behind the last event.
func (c *cutter) cut(ctx context.Context) error {
	if len(c.page) > 0 {
		if err := c.flush(ctx); err != nil {
			return err
		}
	}
	if c.open != nil {
		c.open.tickets.Through = c.last
		close(c.open.pages)
		c.open, c.pages, c.after = nil, 0, c.last
	}
	return nil
}

// work fills stretches, one after the other. While the door is crowded it rests between them, as the projectors do.
func (f *filling) work(ctx context.Context, stretches <-chan *stretch) error {
	for s := range stretches {
		began := time.Now()
		err := f.fill(ctx, s)
		if unstorable(err) {
			for range s.pages { // its end is known when all of it was read
			}
			f.refuse(s.tickets)
			err = nil
		}
		if err != nil {
			return err
		}
		yield(ctx, time.Since(began), func() bool { return f.runner.log.Crowded(f.shard.source) })
	}
	return nil
}

// fill folds a stretch and copies its rows.
func (f *filling) fill(ctx context.Context, s *stretch) error {
	return f.stretch(ctx, func(b *bulk) (Range, error) {
		for {
			select {
			case page, ok := <-s.pages:
				if !ok {
					return s.tickets, nil
				}
				if err := b.take(ctx, page); err != nil {
					return Range{}, err
				}
			case <-ctx.Done():
				return Range{}, ctx.Err()
			}
		}
	})
}

// refuse keeps a stretch for sift.
func (f *filling) refuse(in Range) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refused = append(f.refused, in)
}

// sift fills a stretch an event at a time, after the database refused a value in it: the culprit becomes a dead letter, as
// it does when it is folded in the log's order. One at a time, since it holds on to the rows that stretches share.
func (f *filling) sift(ctx context.Context, in Range) error {
	from := eventstore.Place{Ticket: in.After, Position: math.MaxInt64}
	return f.stretch(ctx, func(b *bulk) (Range, error) {
		err := eventstore.ReadByTicket(ctx, f.runner.pool, f.shard.source, from, in.Through, *f.shard.fillTo, func(e eventstore.Event) error {
			return b.sift(ctx, f.runner, e)
		})
		return in, err
	})
}

// ticketless folds the events about no ticket, which tell names.
func (f *filling) ticketless(ctx context.Context) error {
	return f.stretch(ctx, func(b *bulk) (Range, error) {
		for after, more := int64(0), true; more; {
			page, err := eventstore.ReadTicketless(ctx, b.tx, f.shard.source, after, *f.shard.fillTo, DefaultPageSize)
			if err != nil {
				return Range{}, err
			}
			if more = len(page) > 0; more {
				after = page[len(page)-1].Position
			}
			if err := b.take(ctx, page); err != nil {
				return Range{}, err
			}
		}
		// The rest of the log, too, is behind us: what is quarantined and about no ticket.
		err := b.tx.QueryRow(ctx, `
			SELECT $3 - coalesce(sum(events), 0)
			FROM filled
			WHERE source = $1 AND generation = $2`, f.shard.source, f.shard.generation, *f.shard.fillTo).Scan(&b.events)
		return Range{}, err
	})
}

// stretch runs one transaction of the filling. That it is noted as filled is what makes its effect happen once; that the
// commit need not reach the disk before the next one begins loses nothing: both are lost together, or neither.
func (f *filling) stretch(ctx context.Context, take func(*bulk) (Range, error)) error {
	var events int64
	err := f.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL synchronous_commit = off`); err != nil {
			return err
		}
		b := f.bulk(tx)
		tickets, err := take(b)
		if err != nil {
			return err
		}
		if err := b.finish(ctx); err != nil {
			return err
		}
		events = b.events
		_, err = tx.Exec(ctx, `
			INSERT INTO filled (source, generation, after, through, events)
			VALUES ($1, $2, $3, $4, $5)`, f.shard.source, f.shard.generation, tickets.After, tickets.Through, events)
		return err
	})
	if err == nil {
		f.meter.add(events)
	}
	return err
}
