// Package demo is a simulated service day at three service points, one for each vendor: a city hall (Qminder), a
// store (Ombori) and a help desk (SuperOffice). Visitors arrive, are called, called again, return to the queue,
// give up, never come, book, are sent on; each step becomes the JSON that the vendor would send, and is posted as
// the vendor would post it, now and then twice or late.
//
// The day is a discrete-event simulation by a clock of its own and a seeded random source: the same seed gives the
// same day. [Play] ties it to real time: what lies in the past is posted as fast as asked for, then the day goes on
// live. No delivery tells a time that lies ahead of its posting.
package demo

import (
	"container/heap"
	"math/rand/v2"
	"time"
)

// Delivery is one webhook on its way.
type Delivery struct {
	Source string
	Ticket string // empty: about no ticket
	At     time.Time
	Body   []byte
}

// Day is the simulation. It is not safe for concurrent use.
type Day struct {
	now    time.Time
	opened time.Time
	rng    *rand.Rand
	agenda agenda
	entry  int // counts what was put on the agenda: at one instant, first come first served
	sent   []Delivery
}

// How deliveries travel: in 1,000 of them, so many come late or twice.
const (
	latePerMille  = 15
	twicePerMille = 15
)

// NewDay returns the day that opens at an instant.
func NewDay(seed uint64, opens time.Time) *Day {
	d := &Day{now: opens, opened: opens, rng: rand.New(rand.NewPCG(seed, seed))}
	for _, p := range Places() {
		open(d, p)
	}
	return d
}

// Next returns the next delivery, by time. The day never ends.
func (d *Day) Next() Delivery {
	for len(d.sent) == 0 {
		next := heap.Pop(&d.agenda).(entry)
		d.now = next.at
		next.do()
	}
	first := d.sent[0]
	d.sent = d.sent[1:]
	return first
}

// after puts something on the agenda.
func (d *Day) after(wait time.Duration, do func()) {
	d.entry++
	heap.Push(&d.agenda, entry{at: d.now.Add(wait), n: d.entry, do: do})
}

// send posts a body after the little time that the network takes, sometimes late, sometimes twice.
func (d *Day) send(source, ticket string, body []byte) {
	travel := d.between(50*time.Millisecond, 400*time.Millisecond)
	if d.chance(latePerMille) {
		travel += d.between(2*time.Second, 6*time.Second)
	}
	d.after(travel, func() { d.arrive(source, ticket, body) })
	if d.chance(twicePerMille) {
		d.after(travel+d.between(time.Second, 3*time.Second), func() { d.arrive(source, ticket, body) })
	}
}

func (d *Day) arrive(source, ticket string, body []byte) {
	d.sent = append(d.sent, Delivery{Source: source, Ticket: ticket, At: d.now, Body: body})
}

// chance is true so many times in 1,000.
func (d *Day) chance(perMille int) bool { return d.rng.IntN(1000) < perMille }

// between is a uniform duration.
func (d *Day) between(low, high time.Duration) time.Duration {
	return low + time.Duration(d.rng.Int64N(int64(high-low)))
}

// about is a random duration around a mean: the sum of two exponential ones, so that short and long ones are rare.
func (d *Day) about(mean time.Duration) time.Duration {
	return time.Duration((d.rng.ExpFloat64() + d.rng.ExpFloat64()) / 2 * float64(mean))
}

// bustle is how busy the hour is: it swells over the first hours, and stays lively.
func (d *Day) bustle() float64 {
	hours := d.now.Sub(d.opened).Hours()
	switch {
	case hours < 0.5:
		return 0.6
	case hours < 1:
		return 0.9
	case hours < 2:
		return 1.15
	}
	return 1
}

// entry is something that will happen.
type entry struct {
	at time.Time
	n  int
	do func()
}

// agenda is a heap, the earliest entry first.
type agenda []entry

func (a agenda) Len() int { return len(a) }

func (a agenda) Less(i, j int) bool {
	if !a[i].at.Equal(a[j].at) {
		return a[i].at.Before(a[j].at)
	}
	return a[i].n < a[j].n
}

func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

// Push is for container/heap.
func (a *agenda) Push(x any) { *a = append(*a, x.(entry)) }

// Pop is for container/heap.
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}
