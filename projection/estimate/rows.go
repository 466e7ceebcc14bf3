package estimate

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// queueMoves inserts moves.
func queueMoves(batch *pgx.Batch, set projection.Set, source string, moves []move) {
	var tickets, kinds, queues []string
	var positions, orderPositions []int64
	var numbers, segments, priorities []int32
	var at, orderAt []time.Time
	var waits []*int64
	for _, m := range moves {
		tickets, kinds, queues = append(tickets, m.Ticket), append(kinds, string(m.Kind)), append(queues, m.Queue)
		positions, orderPositions = append(positions, m.Position), append(orderPositions, m.OrderPosition)
		numbers, segments, priorities = append(numbers, m.N), append(segments, m.Segment), append(priorities, m.Priority)
		at, orderAt, waits = append(at, m.At), append(orderAt, m.OrderAt), append(waits, nullSeconds(m.Wait))
	}
	batch.Queue(set.SQL(`
		INSERT INTO estimate_move_{set} (source, `+strings.Join(moveColumns, ", ")+`)
		SELECT $1, *
		FROM unnest($2::text[], $3::bigint[], $4::int[], $5::int[], $6::text[], $7::text[], $8::timestamptz[], $9::int[],
			$10::timestamptz[], $11::bigint[], $12::bigint[])`),
		source, tickets, positions, numbers, segments, kinds, queues, at, priorities, orderAt, orderPositions, waits)
}

// scanMove reads moveColumns.
func scanMove(row pgx.CollectableRow) (move, error) {
	var m move
	var wait *int64
	err := row.Scan(&m.Ticket, &m.Position, &m.N, &m.Segment, &m.Kind, &m.Queue, &m.At, &m.Priority, &m.OrderAt, &m.OrderPosition, &wait)
	m.At, m.OrderAt, m.Wait = m.At.UTC(), m.OrderAt.UTC(), orNone(wait)
	return m, err
}

// queuePasts writes what the touched queues have seen by now.
func queuePasts(batch *pgx.Batch, set projection.Set, source string, queues map[string]*queue) {
	var ids []string
	var pasts [][]byte
	for _, id := range slices.Sorted(maps.Keys(queues)) {
		if q := queues[id]; q.touched != nil {
			ids, pasts = append(ids, id), append(pasts, q.encode())
		}
	}
	batch.Queue(set.SQL(`
		INSERT INTO estimate_queue_{set} (source, queue, past)
		SELECT $1, *
		FROM unnest($2::text[], $3::bytea[])
		ON CONFLICT (source, queue) DO UPDATE SET past = excluded.past`), source, ids, pasts)
}

// lineColumns are those of estimate_line_{set} after its source and queue.
const lineColumns = `ticket, segment, entered_at, priority, order_at, order_position,
			ahead, queue_millis, wait_seconds, low_seconds, high_seconds, hourly_seconds, last_seconds`

func scanWaiting(row pgx.CollectableRow) (queue string, w waiting, err error) {
	var p [7]*int64
	err = row.Scan(&queue, &w.Ticket, &w.Segment, &w.EnteredAt, &w.Priority, &w.OrderAt, &w.OrderPosition,
		&p[0], &p[1], &p[2], &p[3], &p[4], &p[5], &p[6])
	w.EnteredAt, w.OrderAt = w.EnteredAt.UTC(), w.OrderAt.UTC()
	w.prediction = prediction{orNone(p[0]), orNone(p[1]), orNone(p[2]), orNone(p[3]), orNone(p[4]), orNone(p[5]), orNone(p[6])}
	return queue, w, err
}

// queueLines brings the lines up to date with who came, moved or went.
func queueLines(batch *pgx.Batch, set projection.Set, source string, queues map[string]*queue) {
	var gone, here lineRows
	for _, id := range slices.Sorted(maps.Keys(queues)) {
		q := queues[id]
		for _, s := range slices.SortedFunc(maps.Keys(q.touched), standing.compare) {
			if w, stands := q.line.places[s]; stands {
				here.add(id, w)
			} else {
				gone.key(id, s)
			}
		}
	}
	if len(gone.queues) > 0 {
		batch.Queue(set.SQL(`
			DELETE FROM estimate_line_{set} AS l
			USING unnest($2::text[], $3::text[], $4::int[]) AS g (queue, ticket, segment)
			WHERE l.source = $1 AND l.queue = g.queue AND l.ticket = g.ticket AND l.segment = g.segment`),
			source, gone.queues, gone.tickets, gone.segments)
	}
	if len(here.queues) > 0 {
		here.queue(batch, set, source)
	}
}

func (s standing) compare(other standing) int {
	if c := strings.Compare(s.Ticket, other.Ticket); c != 0 {
		return c
	}
	return int(s.Segment - other.Segment)
}

// lineRows are rows of estimate_line_{set}, column by column.
type lineRows struct {
	queues, tickets      []string
	segments, priorities []int32
	entered, orderAt     []time.Time
	orderPositions       []int64
	predictions          [7][]*int64
}

func (r *lineRows) key(queue string, s standing) {
	r.queues, r.tickets, r.segments = append(r.queues, queue), append(r.tickets, s.Ticket), append(r.segments, s.Segment)
}

func (r *lineRows) add(queue string, w waiting) {
	r.key(queue, w.standing)
	r.priorities, r.orderPositions = append(r.priorities, w.Priority), append(r.orderPositions, w.OrderPosition)
	r.entered, r.orderAt = append(r.entered, w.EnteredAt), append(r.orderAt, w.OrderAt)
	for i, n := range w.columns() {
		r.predictions[i] = append(r.predictions[i], nullSeconds(n))
	}
}

// columns are the prediction's values in the order of its columns.
func (p prediction) columns() [7]int64 {
	return [7]int64{p.Ahead, p.Queue, p.Wait, p.Low, p.High, p.Hourly, p.Last}
}

func (r *lineRows) queue(batch *pgx.Batch, set projection.Set, source string) {
	p := r.predictions
	batch.Queue(set.SQL(`
		INSERT INTO estimate_line_{set} (source, queue, `+lineColumns+`)
		SELECT $1, *
		FROM unnest($2::text[], $3::text[], $4::int[], $5::timestamptz[], $6::int[], $7::timestamptz[], $8::bigint[],
			$9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[])
		ON CONFLICT (source, queue, ticket, segment) DO UPDATE SET
			entered_at = excluded.entered_at,
			priority = excluded.priority,
			order_at = excluded.order_at,
			order_position = excluded.order_position,
			ahead = excluded.ahead,
			queue_millis = excluded.queue_millis,
			wait_seconds = excluded.wait_seconds,
			low_seconds = excluded.low_seconds,
			high_seconds = excluded.high_seconds,
			hourly_seconds = excluded.hourly_seconds,
			last_seconds = excluded.last_seconds`),
		source, r.queues, r.tickets, r.segments, r.entered, r.priorities, r.orderAt, r.orderPositions, p[0], p[1], p[2], p[3], p[4], p[5], p[6])
}

// finishedColumns are those of estimate_wait_{set} after its source.
var finishedColumns = []string{
	"position", "n", "queue", "entered_at",
	"ahead", "wait_seconds", "low_seconds", "high_seconds", "hourly_seconds", "last_seconds", "actual_seconds",
}

// columns are the values of finishedColumns after the first four.
func (w finished) columns() [7]int64 {
	return [7]int64{w.Ahead, w.Wait, w.Low, w.High, w.Hourly, w.Last, w.Actual}
}

// queueFinished inserts the rows of a page's finished waits; copyFinished copies those of many.
func queueFinished(batch *pgx.Batch, set projection.Set, source string, waits []finished) {
	if len(waits) == 0 {
		return
	}
	var positions []int64
	var numbers []int32
	var queues []string
	var entered []time.Time
	var values [7][]*int64
	for _, w := range waits {
		positions, numbers = append(positions, w.Position), append(numbers, w.N)
		queues, entered = append(queues, w.Queue), append(entered, w.EnteredAt)
		for i, n := range w.columns() {
			values[i] = append(values[i], nullSeconds(n))
		}
	}
	batch.Queue(set.SQL(`
		INSERT INTO estimate_wait_{set} (source, `+strings.Join(finishedColumns, ", ")+`)
		SELECT $1, *
		FROM unnest($2::bigint[], $3::int[], $4::text[], $5::timestamptz[],
			$6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[])`),
		source, positions, numbers, queues, entered, values[0], values[1], values[2], values[3], values[4], values[5], values[6])
}

func copyFinished(set projection.Set, source string, waits []finished) *projection.Copy {
	c := projection.NewCopy(set, "estimate_wait_{set}", append([]string{"source"}, finishedColumns...)...)
	for _, w := range waits {
		c.Row()
		c.Text(source)
		c.Int8(w.Position)
		c.Int4(w.N)
		c.Text(w.Queue)
		c.Time(w.EnteredAt)
		for _, n := range w.columns() {
			copySeconds(c, n)
		}
	}
	return c
}
