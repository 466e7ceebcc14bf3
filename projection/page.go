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

// next folds the shard's next events and returns how many it scanned; 0 when there is nothing new. Mostly they are one
// page, and several when they are heavy.
func (r *Runner) next(ctx context.Context, s *shard) (int, error) {
	events, err := r.read(ctx, s, r.cfg.PageSize)
	if err != nil {
		return 0, err
	}
	for rest := events; len(rest) > 0; {
		n, err := r.commit(ctx, s, rest, nil)
		if unstorable(err) {
			err = r.sift(ctx, s, rest[:n])
		}
		if err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return len(events), nil
}

// sift goes through a page an event at a time, after the database refused to keep what one of them says (our checks know
// of no such value, a sender may): the culprit becomes a dead letter. Since no row depends on where pages end, that
// changes nothing else.
func (r *Runner) sift(ctx context.Context, s *shard, events []eventstore.Event) error {
	for i := range events {
		one := events[i : i+1]
		_, err := r.commit(ctx, s, one, nil)
		if unstorable(err) {
			_, err = r.commit(ctx, s, one, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// read returns the next events of the shard's log. The log is immutable, so this needs no transaction; but a page that
// does not begin right after the checkpoint, or has a hole, means that events are missing: folding on would lose them
// for ever.
func (r *Runner) read(ctx context.Context, s *shard, limit int) ([]eventstore.Event, error) {
	events, err := r.log.Read(ctx, s.source, s.position, limit)
	if err != nil {
		return nil, err
	}
	for i, e := range events {
		if want := s.position + int64(i) + 1; e.Position != want {
			return nil, r.halt(ctx, s, fmt.Sprintf("a hole in the log: after %d comes %d", want-1, e.Position))
		}
	}
	return events, nil
}

// commit folds a page of the events and writes all that they did, together with the checkpoint behind them. It returns
// how many that are, also when they can't be kept. With refused, all become dead letters for that cause instead.
func (r *Runner) commit(ctx context.Context, s *shard, events []eventstore.Event, refused error) (int, error) {
	n := len(events)
	f := &folding{adapter: r.sources[s.source]}
	asked := time.Now()
	err := s.session().inTx(ctx, r.pool, r.cfg.Lease, func(tx pgx.Tx) error {
		t := tables{tx: tx, generation: s.generation, source: s.source}
		if err := t.load(ctx, f, events); err != nil {
			return err
		}
		if refused != nil {
			f.buryAll(events, refused)
		} else {
			n = f.page(events, asked.Add(r.cfg.Lease/pageShare))
		}
		if err := r.write(ctx, t, f); err != nil {
			return err
		}
		if !s.recorded {
			if err := r.cfg.Fingerprint.record(ctx, tx, s.generation, s.source, s.position); err != nil {
				return err
			}
		}
		return s.advance(ctx, tx, events[n-1].Position, r.cfg.Lease)
	})
	if err != nil {
		return n, s.orLost(ctx, r.pool, err)
	}
	s.position, s.renewed, s.recorded = events[n-1].Position, asked, true
	r.mourn(ctx, s, f.letters)
	return n, nil
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
