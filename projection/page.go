package projection

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"queuetrack/eventstore"
)

// page is a part of a shard's log, folded and not yet written.
type page struct {
	events []eventstore.Event // none: there is nothing new
	more   bool               // the log went on when it was read
	folded *folding
}

// next folds the shard's next page and returns how many events it scanned; 0 when there is nothing new. While the page is
// being written, the one after it is folded ahead, if there is one and ahead is not nil.
func (r *Runner) next(ctx context.Context, s *shard, ahead *ahead) (int, error) {
	p, err := ahead.take(ctx, func() (page, error) { return r.fold(ctx, s, s.position, nil) })
	if err != nil || len(p.events) == 0 {
		return 0, err
	}
	if p.more {
		ahead.begin(func(ctx context.Context) (page, error) { return r.fold(ctx, s, p.end(), p.folded) })
	}
	err = r.commit(ctx, s, p)
	if err != nil {
		ahead.drop()
	}
	if unstorable(err) {
		err = r.sift(ctx, s, p.events)
	}
	if err != nil {
		return 0, err
	}
	return len(p.events), nil
}

func (p page) end() int64 { return p.events[len(p.events)-1].Position }

// sift goes through a page an event at a time, after the database refused to keep what one of them says (our checks know
// of no such value, a sender may): the culprit becomes a dead letter. Since no row depends on where pages end, that
// changes nothing else.
func (r *Runner) sift(ctx context.Context, s *shard, events []eventstore.Event) error {
	for i := range events {
		f := &folding{adapter: r.sources[s.source]}
		p := page{events: events[i : i+1], folded: f}
		if err := s.tables().load(ctx, r.pool, f, p.events, nil); err != nil {
			return err
		}
		f.event(events[i])
		err := r.commit(ctx, s, p)
		if unstorable(err) {
			p.folded = &folding{dead: map[string]int64{}}
			p.folded.bury(events[i], err)
			err = r.commit(ctx, s, p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *shard) tables() tables { return tables{generation: s.generation, source: s.source} }

// fold reads the log after a position and folds a page of it: onto the tickets as the page before left them, which may be on
// its way into the database, and else as they are there. No other process changes them: it would move the shard's epoch
// first, and then the page will be refused.
func (r *Runner) fold(ctx context.Context, s *shard, after int64, before *folding) (page, error) {
	until := time.Now().Add(r.cfg.Lease / pageShare)
	events, err := r.read(ctx, s, after, r.cfg.PageSize)
	if err != nil || len(events) == 0 {
		return page{}, err
	}
	f := &folding{adapter: r.sources[s.source]}
	if err := s.tables().load(ctx, r.pool, f, events, before); err != nil {
		return page{}, err
	}
	n := f.page(events, until)
	return page{events: events[:n], more: n < len(events) || n == r.cfg.PageSize, folded: f}, nil
}

// read returns the events of the shard's log after a position. The log is immutable, so this needs no transaction; but a
// page that does not begin right after the position, or has a hole, means that events are missing: folding on would lose
// them for ever.
func (r *Runner) read(ctx context.Context, s *shard, after int64, limit int) ([]eventstore.Event, error) {
	events, err := r.log.Read(ctx, s.source, after, limit)
	if err != nil {
		return nil, err
	}
	for i, e := range events {
		if want := after + int64(i) + 1; e.Position != want {
			return nil, r.halt(ctx, s, fmt.Sprintf("a hole in the log: after %d comes %d", want-1, e.Position))
		}
	}
	return events, nil
}

// commit writes all that a page did, together with the checkpoint behind it.
func (r *Runner) commit(ctx context.Context, s *shard, p page) error {
	asked := time.Now()
	err := s.session().inTx(ctx, r.pool, r.cfg.Lease, func(tx pgx.Tx) error {
		t := s.tables()
		t.tx = tx
		if err := r.write(ctx, t, p.folded); err != nil {
			return err
		}
		if !s.recorded {
			if err := r.cfg.Fingerprint.record(ctx, tx, s.generation, s.source, s.position); err != nil {
				return err
			}
		}
		return s.advance(ctx, tx, p.end(), r.cfg.Lease)
	})
	if err != nil {
		return s.orLost(ctx, r.pool, err)
	}
	s.position, s.renewed, s.recorded = p.end(), asked, true
	r.mourn(ctx, s, p.folded.letters)
	return nil
}

// write hands the changes to every read model, and keeps what the fold goes on from.
func (r *Runner) write(ctx context.Context, t tables, f *folding) error {
	if len(f.changes) > 0 {
		for _, m := range r.models {
			if err := m.Write(ctx, t.tx, t.set(), t.source, f.changes); err != nil {
				return err
			}
		}
	}
	if err := t.save(ctx, f); err != nil {
		return err
	}
	return t.bury(ctx, f.letters)
}

// settle has every read model bring up to date what depends on the order of a source's events.
func (r *Runner) settle(ctx context.Context, t tables) error {
	for _, m := range r.models {
		if err := m.Settle(ctx, t.tx, t.set(), t.source); err != nil {
			return err
		}
	}
	return nil
}

// mourn logs new dead letters, after the commit: before it they may still be rolled back.
func (r *Runner) mourn(ctx context.Context, s *shard, letters []letter) {
	for _, l := range letters {
		if l.Behind == 0 {
			r.cfg.Logger.ErrorContext(ctx, "an event can't be folded and became a dead letter; its ticket stands still",
				"source", s.source, "position", l.Position, "ticket", l.Ticket, "cause", l.Cause)
		}
	}
}

// unstorable reports whether the database refused a value: a data exception, a broken constraint, a value too long for
// an index. Trying again would not help.
func unstorable(err error) bool {
	switch class := sqlState(err)[:2]; class {
	case "22", "23", "54":
		return true
	}
	return false
}

// sqlState is the database's word for an error that it returned, "00000" for any other.
func sqlState(err error) string {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || len(refused.Code) < 5 {
		return "00000"
	}
	return refused.Code
}
