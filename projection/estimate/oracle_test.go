package estimate

import (
	"math"
	"slices"
	"time"
)

// oracle computes what metrics.md says, from lists that forget nothing: each estimate from the beginning, with no ring,
// no sums, no sorted windows.
type oracle struct {
	zone *time.Location
	seen []seen // of all queues, in the log's order
}

// seen is a move as it was taken in.
type seen struct {
	move
	clock int64   // of its queue, after it
	whole float64 // of an arrival: QL; NaN where there was none
}

// take takes in a move and returns what an arrival is told.
func (o *oracle) take(m move) prediction {
	s := seen{move: m, clock: m.At.Unix(), whole: math.NaN()}
	for _, before := range o.of(m.Queue) {
		s.clock = max(s.clock, before.clock)
	}
	p := unpredicted
	if m.Kind == arrived {
		p, s.whole = o.predict(m)
	}
	o.seen = append(o.seen, s)
	return p
}

func (o *oracle) of(queue string) (of []seen) {
	for _, s := range o.seen {
		if s.Queue == queue {
			of = append(of, s)
		}
	}
	return of
}

// line is who waits after these moves of a queue, in its order.
func lineAfter(moves []seen) (line []move) {
	for _, s := range moves {
		line = slices.DeleteFunc(line, func(m move) bool { return m.standing() == s.standing() })
		if s.Kind == arrived || s.Kind == moved {
			line = append(line, s.move)
		}
	}
	slices.SortStableFunc(line, func(a, b move) int { return waitingOf(a).compare(waitingOf(b)) })
	return line
}

// busyUntil is B after these moves, at an instant.
func busyUntil(moves []seen, now int64) (busy int64) {
	for i := range moves {
		until := now
		if i+1 < len(moves) {
			until = moves[i+1].clock
		}
		if len(lineAfter(moves[:i+1])) > 0 {
			busy += max(0, until-moves[i].clock)
		}
	}
	return busy
}

// ended are the finished waits among these moves: called, and seen to arrive or stand in line. whole is QL at arrival.
type ended struct {
	at    int64
	wait  int64
	whole float64
}

func endedOf(all []seen, queue func(string) bool) (waits []ended) {
	for i, s := range all {
		if s.Kind != called || s.Wait == none || !queue(s.Queue) {
			continue
		}
		var before []seen
		for _, b := range all[:i] {
			if b.Queue == s.Queue {
				before = append(before, b)
			}
		}
		if !slices.ContainsFunc(lineAfter(before), func(m move) bool { return m.standing() == s.standing() }) {
			continue
		}
		whole := math.NaN() // of its last time to join the line that it still stood in
		for _, b := range before {
			if b.standing() != s.standing() {
				continue
			}
			switch b.Kind {
			case arrived:
				whole = b.whole
			case moved:
			case withdrew, called, left:
				whole = math.NaN()
			}
		}
		waits = append(waits, ended{s.clock, s.Wait, whole})
	}
	return waits
}

func (o *oracle) predict(m move) (prediction, float64) {
	moves, now := o.of(m.Queue), m.At.Unix()
	var departures []int64 // B at each
	today := int64(0)
	for i, s := range moves {
		if s.Kind == called || s.Kind == left {
			departures = append(departures, busyUntil(moves[:i], s.clock))
			if day(s.At, o.zone) == day(m.At, o.zone) {
				today++
			} else {
				today = 0
			}
		}
	}
	p, line := unpredicted, slices.DeleteFunc(lineAfter(moves), func(w move) bool { return w.standing() == m.standing() })
	p.Ahead = 0
	for _, w := range line {
		if waitingOf(w).compare(waitingOf(m)) < 0 {
			p.Ahead++
		}
	}
	waits := endedOf(o.seen, func(q string) bool { return q == m.Queue })
	if len(waits) > 0 {
		p.Last = waits[len(waits)-1].wait
	}
	sum, n := 0.0, 0.0
	for _, w := range waits[max(0, len(waits)-200):] {
		if w.at > now-3600 {
			sum, n = sum+float64(w.wait), n+1
		}
	}
	if n > 0 {
		p.Hourly = int64(math.Round(sum / n))
	}

	clock := now
	if len(moves) > 0 {
		clock = max(clock, moves[len(moves)-1].clock)
	}
	busy, weight, past := float64(busyUntil(moves, clock)), 0.0, 0.0
	if len(departures) >= 20 {
		weight, past = 5, busy/float64(len(departures))
	}
	intervals := min(20, len(departures)-1)
	if intervals < 1 && weight == 0 {
		return p, math.NaN()
	}
	pace := (busy - float64(departures[len(departures)-1-intervals]) + weight*past) / (float64(intervals) + weight)
	whole := float64(p.Ahead+1) * pace
	p.Queue = int64(math.Round(whole * 1000))
	if today < 3 && len(departures) < 30 {
		return p, whole
	}
	head := whole
	if len(waits) > 0 {
		head = min(float64(waits[len(waits)-1].wait), whole)
	}
	if len(line) > 0 {
		head = max(0, float64(now-line[0].At.Unix()))
	}
	wait := (whole + head) / 2
	ratios := ratiosOf(waits)
	if len(ratios) < 30 {
		ratios = ratiosOf(endedOf(o.seen, func(string) bool { return true }))
	}
	if len(ratios) > 0 {
		low := max(0, (whole+30)*ratios[int(math.Ceil(0.2*float64(len(ratios))))-1]-30)
		high := max(0, (whole+30)*ratios[int(math.Ceil(0.8*float64(len(ratios))))-1]-30)
		wait = min(max(wait, low), high)
		p.Low, p.High = int64(math.Round(low)), int64(math.Round(high))
	}
	p.Wait = int64(math.Round(wait))
	return p, whole
}

// ratiosOf are those of the last 200 waits for which there was a QL, ascending.
func ratiosOf(waits []ended) (ratios []float64) {
	for _, w := range waits[max(0, len(waits)-200):] {
		if !math.IsNaN(w.whole) {
			ratios = append(ratios, (float64(w.wait)+30)/(math.Round(w.whole*1000)/1000+30))
		}
	}
	slices.Sort(ratios)
	return ratios
}

func day(t time.Time, zone *time.Location) string { return t.In(zone).Format(time.DateOnly) }
