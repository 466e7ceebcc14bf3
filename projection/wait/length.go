package wait

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// lengths adds up how many waited when. Each lane's length is followed from change to change, in the order of time, and
// counted into the buckets that it goes through: in memory that grows with the places, and not with the log.
func (p period) lengths(ctx context.Context, v *projection.View, m *measured) error {
	begin, end := seconds0(p.From), seconds0(p.To)
	if now := seconds0(v.Now); now.Before(end) {
		end = now
	}
	s := sweep{period: p, m: m, begin: begin.Unix(), end: max(begin.Unix(), end.Unix()), lanes: map[lane]*queue{}}
	m.elapsed = s.elapsed()
	if !begin.Before(end) {
		return nil
	}
	rows, err := p.query(ctx, v, p.changes(), waitingArgs(begin, end))
	if err != nil {
		return err
	}
	var at, change int64
	where := new(lane)
	scans := []any{&at, &change}
	for _, c := range p.laneColumns() {
		scans = append(scans, c.field(where))
	}
	_, err = pgx.ForEachRow(rows, scans, func() error {
		s.change(p.named(*where), at, change)
		return nil
	})
	if err != nil {
		return err
	}
	for l, q := range s.lanes {
		s.advance(l, q, s.end)
	}
	return nil
}

// changes are all steps of the lanes' lengths, in the order of time.
func (p period) changes() string {
	columns := p.laneColumns()
	return `
		WITH ` + p.waiting(``) + `,
		step AS (
			SELECT source, queue, entered_at AS at, 1 AS change FROM waiting WHERE until IS NULL OR until > entered_at
			UNION ALL
			SELECT source, queue, until, -1 FROM waiting WHERE until > entered_at AND until < @end
			UNION ALL
			SELECT source, queue, from_at, -1 FROM held
			UNION ALL
			SELECT source, queue, to_at, 1 FROM held WHERE to_at < @end
		)
		SELECT ` + list(`extract(epoch FROM s.at)::bigint AS at, s.change::bigint`, columns, laneColumn.computed) + `
		FROM step AS s` + p.join() + `
		ORDER BY s.at`
}

// seconds0 is the first whole second that is not before t: whether something that happens on whole seconds comes before
// the one or before the other is the same.
func seconds0(t time.Time) time.Time {
	if whole := t.Truncate(time.Second); whole.Before(t) {
		return whole.Add(time.Second)
	}
	return t
}

// queue is a lane's length as far as it has been followed.
type queue struct {
	length int64
	since  int64 // seconds of the Unix clock, as all instants here
}

// sweep goes through time.
type sweep struct {
	period
	m          *measured
	begin, end int64
	lanes      map[lane]*queue
}

// change follows a lane to the instant at which its length changes.
func (s *sweep) change(l lane, at, by int64) {
	if !s.m.lanes[l] {
		return
	}
	q := s.lanes[l]
	if q == nil {
		q = &queue{since: s.begin}
		s.lanes[l] = q
	}
	s.advance(l, q, at)
	q.length += by
}

// advance counts the lane's length since the last change, which was the same all the time.
func (s *sweep) advance(l lane, q *queue, to int64) {
	if to <= q.since {
		return
	}
	from := q.since
	if q.since = to; q.length == 0 {
		return
	}
	for b := s.bucket(time.Unix(from, 0)); from < to; b++ {
		until := min(to, s.bounds[b+1].Unix())
		if b == len(s.of)-1 {
			until = to // a window's end that is no whole second
		}
		if key := s.of[b]; key != noKey {
			total := &s.m.at(place{l, key}).QueueLength
			total.WaitingSeconds += q.length * (until - from)
			if until > from {
				total.Max = max(total.Max, q.length)
			}
		}
		from = until
	}
}

// elapsed is how much of each key has passed.
func (s *sweep) elapsed() []int64 {
	elapsed := make([]int64, len(s.keys))
	for b, key := range s.of {
		from, to := max(s.begin, s.bounds[b].Unix()), s.bounds[b+1].Unix()
		if b == len(s.of)-1 || to > s.end {
			to = s.end
		}
		if key != noKey {
			elapsed[key] += max(0, to-from)
		}
	}
	return elapsed
}
