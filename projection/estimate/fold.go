package estimate

import (
	"time"
)

// prediction is what was told at an arrival: by the positions before it, at the instant of its entry.
type prediction struct {
	Ahead  int64 // none: nobody saw it arrive
	Queue  int64 // (ahead + 1) · pace in milliseconds; none: there was no pace
	Wait   int64 // seconds, as all below; none: it could not be told
	Low    int64 // none: no range could be told
	High   int64
	Hourly int64 // the baselines; none: no wait had ended yet
	Last   int64
}

var unpredicted = prediction{none, none, none, none, none, none, none}

// finished is a wait that ended with a call, and what had been told of it: a row of estimate_wait_{set}.
type finished struct {
	Position  int64
	N         int32
	Queue     string
	EnteredAt time.Time
	prediction
	Actual int64
}

// folding takes moves in the log's order. What it folds onto, and what it made of it, are its queues.
type folding struct {
	zone     *time.Location
	queues   map[string]*queue
	others   *Others // nil: no queue needs them
	finished []finished
}

// queue is one queue's past, and who waits in it.
type queue struct {
	Past
	line    line
	touched map[standing]bool
}

// queue returns a queue, which may be one that nobody heard of before.
func (f *folding) queue(id string) *queue {
	q := f.queues[id]
	if q == nil {
		q = &queue{}
		f.queues[id] = q
	}
	return q
}

// apply takes the next move.
func (f *folding) apply(m move) {
	q := f.queue(m.Queue)
	q.tick(m.At.Unix())
	if q.touched == nil {
		q.touched = map[standing]bool{}
	}
	q.touched[m.standing()] = true
	switch m.Kind {
	case arrived:
		f.arrive(q, m)
	case moved:
		w := waitingOf(m)
		if before, ok := q.line.leave(w.standing); ok {
			w.prediction = before.prediction
		}
		q.line.join(w)
	case withdrew:
		q.line.leave(m.standing())
	case called:
		f.call(q, m)
	case left:
		q.line.leave(m.standing())
		q.depart(dayOf(m.At, f.zone))
	}
	q.Waiting = int64(len(q.line.ordered))
}

// waitingOf is the one that the move puts into the line.
func waitingOf(m move) waiting {
	return waiting{
		standing: m.standing(), EnteredAt: m.At, Priority: m.Priority, OrderAt: m.OrderAt, OrderPosition: m.OrderPosition,
		prediction: unpredicted,
	}
}

// arrive tells the newcomer how long, and lets them stand in line.
func (f *folding) arrive(q *queue, m move) {
	w := waitingOf(m)
	q.line.leave(w.standing)
	w.prediction = f.predict(q, w)
	q.line.join(w)
}

func (f *folding) predict(q *queue, w waiting) prediction {
	p, now := unpredicted, w.EnteredAt.Unix()
	l := Line{Ahead: int64(q.line.before(w)), Head: q.line.head()}
	p.Ahead = l.Ahead
	if mean, ok := q.Waits.hourly(now); ok {
		p.Hourly = seconds(mean)
	}
	if last, ok := q.Waits.last(); ok {
		p.Last = last.Seconds
	}
	whole, ok := q.queueTime(now, l.Ahead)
	if !ok {
		return p
	}
	p.Queue = seconds(whole * 1000)
	if !q.telling(dayOf(w.EnteredAt, f.zone)) {
		return p
	}
	e := q.newcomer(now, whole, l, f.others)
	p.Wait = e.Wait
	if e.Ranged {
		p.Low, p.High = e.Low, e.High
	}
	return p
}

// call ends a wait: the queue learns from it what predictions are worth.
func (f *folding) call(q *queue, m move) {
	w, stood := q.line.leave(m.standing())
	q.depart(dayOf(m.At, f.zone))
	if m.Wait == none || !stood {
		return
	}
	wait := Wait{Position: m.Position, N: int64(m.N), EndedAt: q.Clock, Seconds: m.Wait, Queue: w.Queue}
	q.Waits.add(wait)
	if f.others != nil {
		f.others.add(wait)
	}
	if w.Wait != none {
		f.finished = append(f.finished, finished{
			Position: m.Position, N: m.N, Queue: m.Queue, EnteredAt: w.EnteredAt, prediction: w.prediction, Actual: m.Wait,
		})
	}
}
