package estimate

import (
	"math"
	"time"
)

// The predictor's numbers (metrics.md, "Waiting-time estimate").
const (
	paceIntervals = 20 // K: the pace is taken over so many of the last intervals between departures
	pastWeight    = 5  // m: the pace of the queue's whole past counts as so many more,
	pastLeast     = 20 // once it has seen so many departures

	rangeWaits = 200 // the range is taken from so many finished waits,
	rangeLeast = 30  // at least so many; else from those of all queues of the source, however many
	rangeLow   = 0.2
	rangeHigh  = 0.8
	rangePad   = 30.0 // seconds, added to both sides of a ratio: short waits are not all ratio

	leastToday = 3  // without so many departures today
	leastEver  = 30 // and without so many ever, nothing is told
)

// Past is what one queue has seen so far, in the log's order: all that an estimate is made of, beside who waits now. A
// value with methods that compute, and no clock of its own. Not safe for concurrent use while it is being changed.
type Past struct {
	Clock      int64   // Unix seconds: the latest instant that a move told; it never goes back
	Busy       int64   // seconds up to Clock in which somebody waited: the busy clock
	Waiting    int64   // how many wait now
	Departures int64   // all leavings of WAITING
	Recent     []int64 // Busy at the latest of these, oldest first, one more than paceIntervals at most
	Day        int64   // local day of the last departure, see dayOf
	Today      int64   // departures on that day
	Waits      window  // finished ones
}

// Wait is a wait that ended with a call.
type Wait struct {
	Position int64 // of the call's event,
	N        int64 // and which of its moves
	EndedAt  int64 // Unix seconds, by the queue's clock
	Seconds  int64
	Queue    int64 // what (ahead + 1) · pace had been at its arrival, in milliseconds; negative: there was no pace
}

// Line is who waits now, as somebody who waits or comes sees it.
type Line struct {
	Ahead int64     // how many are before them in the queue's order
	Head  time.Time // entry of the first one in that order; zero: nobody waits
}

// Estimate is how long somebody has to wait, in whole seconds from now.
type Estimate struct {
	Wait      int64
	Ranged    bool  // there were finished waits to tell a range from
	Low, High int64 // three of five waits end within it, one of five before and one after
}

// Newcomer tells how long somebody who comes now has to wait; false when that can't be told. Today is a day of the zone;
// others are the source's finished waits, for a queue that has seen too few.
func (p *Past) Newcomer(now time.Time, zone *time.Location, l Line, others *Others) (Estimate, bool) {
	whole, ok := p.queueTime(now.Unix(), l.Ahead)
	if !ok || !p.telling(dayOf(now, zone)) {
		return Estimate{}, false
	}
	return p.newcomer(now.Unix(), whole, l, others), true
}

// Remaining tells how long somebody who waits already, behind so many, has to wait from now on; false when that can't be
// told.
func (p *Past) Remaining(now time.Time, zone *time.Location, ahead int64, others *Others) (Estimate, bool) {
	whole, ok := p.queueTime(now.Unix(), ahead)
	if !ok || !p.telling(dayOf(now, zone)) {
		return Estimate{}, false
	}
	return p.ranged(whole, whole, others), true
}

// newcomer is the mean of two views: how long the line takes at the queue's pace, and how long its head has waited.
func (p *Past) newcomer(now int64, whole float64, l Line, others *Others) Estimate {
	head := whole
	if last, ok := p.Waits.last(); ok {
		head = min(float64(last.Seconds), whole)
	}
	if !l.Head.IsZero() {
		head = float64(max(0, now-l.Head.Unix()))
	}
	return p.ranged(whole, (whole+head)/2, others)
}

// ranged puts the range around a wait, and the wait into the range.
func (p *Past) ranged(whole, wait float64, others *Others) Estimate {
	ratios, ok := p.Waits.ratios()
	if !ok {
		ratios, ok = others.ratios()
	}
	if !ok {
		return Estimate{Wait: seconds(wait)}
	}
	low, high := scaled(whole, quantile(ratios, rangeLow)), scaled(whole, quantile(ratios, rangeHigh))
	return Estimate{Wait: seconds(min(max(wait, low), high)), Ranged: true, Low: seconds(low), High: seconds(high)}
}

// ratio is what became of a prediction; scaled takes it back. The conversions keep compilers from fusing the operations,
// so that every machine computes the same bits.
func ratio(actual, whole float64) float64 { return (actual + rangePad) / (whole + rangePad) }

func scaled(whole, ratio float64) float64 {
	return max(0, float64((whole+rangePad)*ratio)-rangePad)
}

func seconds(s float64) int64 { return int64(math.Round(s)) }

// quantile is the nearest rank in an ascending list.
func quantile(sorted []float64, q float64) float64 {
	return sorted[int(math.Ceil(q*float64(len(sorted))))-1]
}

// telling reports whether the queue has seen enough, by the local day.
func (p *Past) telling(day int64) bool {
	today := p.Today
	if p.Day != day {
		today = 0
	}
	return today >= leastToday || p.Departures >= leastEver
}

// queueTime is (ahead + 1) · pace in seconds; false as long as there is no pace.
func (p *Past) queueTime(now, ahead int64) (float64, bool) {
	pace, ok := p.pace(now)
	return float64(ahead+1) * pace, ok
}

// pace is how long a departure takes while somebody waits, in seconds.
func (p *Past) pace(now int64) (float64, bool) {
	busy, weight, past := float64(p.busy(now)), 0.0, 0.0
	if p.Departures >= pastLeast {
		weight, past = pastWeight, busy/float64(p.Departures)
	}
	intervals := float64(max(0, len(p.Recent)-1))
	if intervals+weight == 0 {
		return 0, false
	}
	return (busy - float64(p.since()) + float64(weight*past)) / (intervals + weight), true
}

// since is the busy clock at the beginning of the first interval that counts.
func (p *Past) since() int64 {
	if len(p.Recent) == 0 {
		return p.Busy
	}
	return p.Recent[0]
}

// busy is the busy clock at an instant, which counts as Clock when it is before that.
func (p *Past) busy(now int64) int64 {
	if p.Waiting == 0 || now <= p.Clock {
		return p.Busy
	}
	return p.Busy + now - p.Clock
}

// tick moves the clock on.
func (p *Past) tick(at int64) {
	if p.Clock == 0 {
		p.Clock = at
	}
	p.Busy, p.Clock = p.busy(at), max(p.Clock, at)
}

// depart notes a leaving of WAITING.
func (p *Past) depart(day int64) {
	if p.Day != day {
		p.Day, p.Today = day, 0
	}
	p.Today++
	p.Departures++
	if len(p.Recent) > paceIntervals {
		p.Recent = append(p.Recent[:0], p.Recent[1:]...)
	}
	p.Recent = append(p.Recent, p.Busy)
}

// dayOf numbers local days: since 1 January 1970.
func dayOf(t time.Time, zone *time.Location) int64 {
	year, month, day := t.In(zone).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400
}
