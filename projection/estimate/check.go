package estimate

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
	"queuetrack/projection"
)

// check compares the rows of one source with its log: the moves with the events, and all else with the moves.
type check struct {
	Model
	tx     pgx.Tx
	set    projection.Set
	source string
	report func(eventstore.Violation)
	moves  map[projection.RowKey]move // of the present range's tickets
}

// Check begins the comparison of one source's rows.
func (m Model) Check(tx pgx.Tx, set projection.Set, source string, report func(eventstore.Violation)) projection.Check {
	return &check{m, tx, set, source, report, map[projection.RowKey]move{}}
}

// Change notes the event's moves.
func (c *check) Change(change projection.Change) error {
	for _, m := range movesOf(change) {
		c.moves[m.key()] = m
	}
	return nil
}

func (m move) key() projection.RowKey {
	return projection.RowKey{Ticket: m.Ticket, N: m.Position, ID: strconv.Itoa(int(m.N))}
}

// Tickets compares the tickets' moves.
func (c *check) Tickets(ctx context.Context, in projection.Range) error {
	want := c.moves
	c.moves = map[projection.RowKey]move{}
	query, args := in.SQL(`
		SELECT ticket, position, n, segment, kind, queue, at, priority, order_at, order_position, wait_seconds
		FROM estimate_move_{set}
		WHERE source = $1 AND`, c.source)
	rows, err := c.tx.Query(ctx, c.set.SQL(query), args...)
	if err != nil {
		return fmt.Errorf("check the moves of %s: %w", c.source, err)
	}
	scan := func(row pgx.CollectableRow) (projection.RowKey, move, error) {
		m, err := scanMove(row)
		return m.key(), m, err
	}
	return projection.Compare("estimate_move", c.source, rows, scan, want, c.report)
}

// Finish folds the stored moves again, in the log's order, and compares all that follows from them. It keeps what the
// queues have seen and who stands in them.
func (c *check) Finish(ctx context.Context) error {
	f := &folding{zone: c.zone(c.source), queues: map[string]*queue{}, others: &Others{}}
	if err := c.finished(ctx, f); err != nil {
		return fmt.Errorf("check the finished waits of %s: %w", c.source, err)
	}
	if err := c.pasts(ctx, f); err != nil {
		return fmt.Errorf("check the pasts of %s: %w", c.source, err)
	}
	return c.lines(ctx, f)
}

// finished compares the finished waits on the way: both come in the log's order.
func (c *check) finished(ctx context.Context, f *folding) error {
	next, err := cursor(ctx, c.tx, "estimate_waits", c.set.SQL(`
		SELECT position, n, queue, entered_at, ahead, wait_seconds, low_seconds, high_seconds, hourly_seconds, last_seconds,
			actual_seconds
		FROM estimate_wait_{set}
		WHERE source = $1
		ORDER BY position, n`), c.source, scanFinished)
	if err != nil {
		return err
	}
	stored := &merge{next: next, say: c.say}
	err = eachMove(ctx, c.tx, c.set, c.source, func(moves []move) error {
		for _, m := range moves {
			f.apply(m)
		}
		err := stored.compare(f.finished)
		f.finished = f.finished[:0]
		return err
	})
	if err != nil {
		return err
	}
	return stored.end()
}

func scanFinished(row pgx.CollectableRow) (finished, error) {
	var w finished
	var low, high, hourly, last *int64
	p := unpredicted
	err := row.Scan(&w.Position, &w.N, &w.Queue, &w.EnteredAt, &p.Ahead, &p.Wait, &low, &high, &hourly, &last, &w.Actual)
	p.Low, p.High, p.Hourly, p.Last = orNone(low), orNone(high), orNone(hourly), orNone(last)
	w.EnteredAt, w.prediction = w.EnteredAt.UTC(), p
	return w, err
}

func (c *check) say(w finished, what string) {
	c.report(eventstore.Violation{Source: c.source, Position: w.Position, What: fmt.Sprintf("estimate_wait: row %d %d %s", w.Position, w.N, what)})
}

// merge holds stored rows against wanted ones, both in order.
type merge struct {
	next func() ([]finished, error)
	page []finished
	say  func(finished, string)
}

// peek is the next stored row; nil at the end.
func (m *merge) peek() (*finished, error) {
	if len(m.page) == 0 {
		var err error
		if m.page, err = m.next(); err != nil || len(m.page) == 0 {
			return nil, err
		}
	}
	return &m.page[0], nil
}

func (m *merge) compare(wanted []finished) error {
	for _, w := range wanted {
		w.prediction.Queue = none // is kept with who waits only
		for {
			stored, err := m.peek()
			if err != nil {
				return err
			}
			if stored == nil || w.before(*stored) {
				m.say(w, "is missing")
				break
			}
			m.page = m.page[1:]
			if stored.before(w) {
				m.say(*stored, "is too many: no such wait ended")
				continue
			}
			if *stored != w {
				m.say(w, fmt.Sprintf("differs from the moves: it is %+v, should be %+v", *stored, w))
			}
			break
		}
	}
	return nil
}

func (w finished) before(other finished) bool {
	return w.Position < other.Position || w.Position == other.Position && w.N < other.N
}

// end reports what is left over.
func (m *merge) end() error {
	for {
		stored, err := m.peek()
		if err != nil || stored == nil {
			return err
		}
		m.say(*stored, "is too many: no such wait ended")
		m.page = m.page[1:]
	}
}

// pastRow is a row of estimate_queue_{set}.
type pastRow struct{ Past string }

func (c *check) pasts(ctx context.Context, f *folding) error {
	rows, err := c.tx.Query(ctx, c.set.SQL(`
		SELECT queue, past
		FROM estimate_queue_{set}
		WHERE source = $1`), c.source)
	if err != nil {
		return err
	}
	want := map[projection.RowKey]pastRow{}
	for id, q := range f.queues {
		want[queueKey(id)] = pastRow{string(q.encode())}
	}
	scan := func(row pgx.CollectableRow) (projection.RowKey, pastRow, error) {
		var id string
		var past []byte
		err := row.Scan(&id, &past)
		return queueKey(id), pastRow{string(past)}, err
	}
	return projection.Compare("estimate_queue", c.source, rows, scan, want, c.report)
}

func queueKey(queue string) projection.RowKey { return projection.RowKey{ID: strconv.Quote(queue)} }

func (c *check) lines(ctx context.Context, f *folding) error {
	rows, err := c.tx.Query(ctx, c.set.SQL(`
		SELECT queue, `+lineColumns+`
		FROM estimate_line_{set}
		WHERE source = $1`), c.source)
	if err != nil {
		return fmt.Errorf("check the lines of %s: %w", c.source, err)
	}
	want := map[projection.RowKey]lineRow{}
	for id, q := range f.queues {
		for s, w := range q.line.places {
			want[lineKey(id, s)] = lineRowOf(w)
		}
	}
	scan := func(row pgx.CollectableRow) (projection.RowKey, lineRow, error) {
		id, w, err := scanWaiting(row)
		return lineKey(id, w.standing), lineRowOf(w), err
	}
	return projection.Compare("estimate_line", c.source, rows, scan, want, c.report)
}

func lineKey(queue string, s standing) projection.RowKey {
	return projection.RowKey{Ticket: s.Ticket, N: int64(s.Segment), ID: strconv.Quote(queue)}
}

// lineRow is a row of estimate_line_{set}, but for its key.
type lineRow struct {
	EnteredAt                                   time.Time
	Priority                                    int32
	OrderAt                                     time.Time
	OrderPosition                               int64
	Ahead, Queue, Wait, Low, High, Hourly, Last int64
}

func lineRowOf(w waiting) lineRow {
	p := w.prediction
	return lineRow{
		w.EnteredAt, w.Priority, w.OrderAt, w.OrderPosition,
		p.Ahead, p.Queue, p.Wait, p.Low, p.High, p.Hourly, p.Last,
	}
}
