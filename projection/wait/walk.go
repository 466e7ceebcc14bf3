package wait

import (
	"container/heap"
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// walk goes through the time of a period with all who wait in it: how long the queues are, and at which place people
// enter them. It reads them as they come, and remembers who is there: so its memory grows with the crowd, and not with
// the log.
func (p period) walk(ctx context.Context, v *projection.View, m *measured) error {
	w := walk{period: p, m: m, lines: map[QueueID]*line{}, lanes: map[lane]*length{}}
	w.begin = wholeSeconds(p.From).Unix()
	w.end = max(w.begin, min(wholeSeconds(p.To).Unix(), wholeSeconds(v.Now).Unix()))
	if p.QueueLength {
		m.elapsed = w.elapsed()
	}
	begin, end, err := w.stretch(ctx, v)
	if err != nil || !begin.Before(end) {
		return err
	}
	rows, err := p.query(ctx, v, p.waiting(), waitingArgs(begin, end))
	if err != nil {
		return err
	}
	var s step
	at, scans := p.scanPlace()
	_, err = pgx.ForEachRow(rows, append(scans, &s.queue.Source, &s.queue.Queue, &s.at, &s.until, &s.hold, &s.abandoned), func() error {
		s.place = place{p.named(at.lane), at.key}
		w.step(s)
		return nil
	})
	if err != nil {
		return err
	}
	w.until(math.MaxInt64)
	for _, l := range w.lanes {
		w.advance(l, w.end)
	}
	return nil
}

// stretch is the time to go through: the period, as far as it has passed, and when the people came whose places are told.
func (w *walk) stretch(ctx context.Context, v *projection.View) (begin, end time.Time, err error) {
	if w.QueueLength {
		begin, end = time.Unix(w.begin, 0), time.Unix(w.end, 0)
	}
	if !w.DropOff {
		return begin, end, nil
	}
	first, last, err := w.entries(ctx, v)
	if err != nil || !first.Before(last) {
		return begin, end, err
	}
	if !w.QueueLength || !begin.Before(end) {
		return first, last, nil
	}
	return sooner(begin, first), later(end, last), nil
}

// wholeSeconds is the first whole second that is not before t: whether something that happens on whole seconds comes
// before the one or before the other is the same.
func wholeSeconds(t time.Time) time.Time {
	if whole := t.Truncate(time.Second); whole.Before(t) {
		return whole.Add(time.Second)
	}
	return t
}

// step is a row of waiting: somebody comes, or is put on hold. Instants are seconds of the Unix clock, as all here.
type step struct {
	place
	queue     QueueID
	at        int64
	until     *int64 // nil: it lasts
	hold      bool
	abandoned bool
}

// walk is on its way through time.
type walk struct {
	period
	m          *measured
	begin, end int64
	lines      map[QueueID]*line
	lanes      map[lane]*length
	changes    changes // to come
}

// line is who waits in one queue.
type line struct {
	waiting int64
	lane    *length // that it belongs to; nil: lengths are not asked for
}

// step takes the next step.
func (w *walk) step(s step) {
	w.until(s.at)
	l := w.line(s)
	if s.hold {
		w.change(change{at: s.at, line: l, by: -1})
		w.later(s.until, l, 1)
		return
	}
	if s.key != noKey {
		w.enters(s, l.waiting+1)
	}
	if s.until == nil || *s.until > s.at {
		w.change(change{at: s.at, line: l, by: 1})
		w.later(s.until, l, -1)
	}
}

func (w *walk) line(s step) *line {
	l := w.lines[s.queue]
	if l == nil {
		l = new(line)
		w.lines[s.queue] = l
		if w.QueueLength && w.m.lanes[s.lane] {
			l.lane = w.length(s.lane)
		}
	}
	return l
}

// until lets everything happen that happens up to an instant.
func (w *walk) until(at int64) {
	for len(w.changes) > 0 && w.changes[0].at <= at {
		w.change(heap.Pop(&w.changes).(change))
	}
}

func (w *walk) later(at *int64, l *line, by int64) {
	if at != nil {
		heap.Push(&w.changes, change{*at, l, by})
	}
}

func (w *walk) change(c change) {
	c.line.waiting += c.by
	if l := c.line.lane; l != nil {
		w.advance(l, min(c.at, w.end))
		l.waiting += c.by
	}
}

// change is of how many wait in a queue.
type change struct {
	at   int64
	line *line
	by   int64
}

// changes are a heap, the next one first.
type changes []change

func (c changes) Len() int           { return len(c) }
func (c changes) Less(i, j int) bool { return c[i].at < c[j].at }
func (c changes) Swap(i, j int)      { c[i], c[j] = c[j], c[i] }
func (c *changes) Push(x any)        { *c = append(*c, x.(change)) }

func (c *changes) Pop() any {
	last := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return last
}
