package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// A month is what three service points' vendors send in some weeks, made up from a seed: a city hall (Qminder), a store
// (Ombori) and a help desk (SuperOffice). Unlike the demo's day it is all there at once, and it goes out of its way to have
// some of everything that the vendors' documents describe: returns, transfers, re-calls, bookings, holds, reopenings,
// bad clocks, and deliveries that are late, repeated or lost. What those documents leave undecided is left out, so that
// product and independent count (testdata/count.py) have no excuse to differ.
type month struct {
	name       string
	seed       uint64
	from, to   time.Time   // of arrivals; to is in the middle of a day, so that some still wait, and is a step of the clock that answers go by
	changes    []time.Time // when clocks are put forward or back: a queue that never closes is busy then
	bustle     float64     // of all queues
	servingTab bool        // of the store
}

// The months are around the changes of clocks in Europe and America.
var months = []month{
	{
		name: "spring", seed: 29, bustle: 0.8, servingTab: true,
		from:    time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC),
		to:      time.Date(2026, 4, 4, 12, 34, 55, 0, time.UTC),
		changes: []time.Time{time.Date(2026, 3, 8, 7, 0, 0, 0, time.UTC), time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)},
	},
	{
		name: "autumn", seed: 25, bustle: 1.35, servingTab: false,
		from:    time.Date(2026, 10, 20, 0, 0, 0, 0, time.UTC),
		to:      time.Date(2026, 11, 5, 15, 20, 5, 0, time.UTC),
		changes: []time.Time{time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)},
	},
}

// monthDelivery is one webhook on its way.
type monthDelivery struct {
	source string
	ticket string    // empty: about none
	at     time.Time // of its receipt
	body   string
}

// monthPlace is a service point in action.
type monthPlace struct {
	month
	source string
	zone   *time.Location
	rng    *rand.Rand
	queues []*monthQueue
	voice  monthVoice
	count  int // visits
	sent   []monthDelivery
}

// monthVoice is a vendor: how a visit goes, and what is sent of it.
type monthVoice interface {
	// visit draws what becomes of somebody who comes to the queue.
	visit(p *monthPlace, q *monthQueue, arrives time.Time) *visit
	// say is the body that tells the visit's i-th step; empty: nothing is sent.
	say(p *monthPlace, v *visit, i int) string
	// opening is sent first: names, and what is about no ticket.
	opening(p *monthPlace) []string
	// may tells what may become of the delivery about the i-th step without making the visit undecidable.
	may(p *monthPlace, v *visit, i int) liberties
}

type monthQueue struct {
	id            string
	opens, closes int // local hours; 0 and 24: it never closes
	weekends      bool
	perHour       float64
	service       time.Duration
	patience      time.Duration
	desks         []time.Time // when each is free again
}

func (m month) places() []*monthPlace {
	zone := func(name string) *time.Location {
		z, err := time.LoadLocation(name)
		if err != nil {
			panic(err) // only the names below come here
		}
		return z
	}
	queue := func(id string, perHour float64, desks int) *monthQueue {
		return &monthQueue{id: id, opens: 8, closes: 18, perHour: perHour, service: 8 * time.Minute, patience: 25 * time.Minute, desks: make([]time.Time, desks)}
	}
	always := func(id string, perHour float64) *monthQueue {
		q := queue(id, perHour, 2)
		q.closes, q.opens, q.weekends = 24, 0, true
		return q
	}
	daily := func(q *monthQueue) *monthQueue { q.weekends = true; return q }
	places := []*monthPlace{
		{source: "city", zone: zone("Europe/Tallinn"), voice: cityVoice{}, queues: []*monthQueue{
			queue("37338", 2.6, 1), queue("37339", 2, 1), queue("37340", 1.2, 1), always("37341", 0.4),
		}},
		{source: "store", zone: zone("Europe/Stockholm"), voice: storeVoice{}, queues: []*monthQueue{
			daily(queue("b23bea4f-8e8a-4da6-b413-04454f8428aa", 2.6, 1)), daily(queue("dd31dda9-5ec0-46c6-a75b-71cb1f66a48d", 1.5, 1)),
			always("c179a3a2-9fd7-4e12-96e7-19d9e957e094", 0.35),
		}},
		{source: "crm", zone: zone("Europe/Oslo"), voice: deskVoice{}, queues: []*monthQueue{
			queue("2", 2.4, 2), queue("3", 1.6, 1), always("7", 0.5),
		}},
	}
	for i, p := range places {
		p.month, p.rng = m, rand.New(rand.NewPCG(m.seed, uint64(i)))
	}
	return places
}

// deliveries are the month's, by source in order of receipt.
func (m month) deliveries() map[string][]monthDelivery {
	all := map[string][]monthDelivery{}
	for _, p := range m.places() {
		at := m.from
		for _, body := range p.voice.opening(p) {
			at = at.Add(time.Second)
			p.send("", at, body)
		}
		for _, q := range p.queues {
			for _, arrives := range p.arrivals(q) {
				p.count++
				p.deliver(p.voice.visit(p, q, arrives))
			}
		}
		slices.SortStableFunc(p.sent, func(a, b monthDelivery) int { return a.at.Compare(b.at) })
		for len(p.sent) > 0 && !p.sent[len(p.sent)-1].at.Before(m.to) { // it comes after our questions
			p.sent = p.sent[:len(p.sent)-1]
		}
		all[p.source] = p.sent
	}
	return all
}

func (p *monthPlace) send(ticket string, at time.Time, body string) {
	p.sent = append(p.sent, monthDelivery{p.source, ticket, at.UTC().Truncate(time.Microsecond), body})
}

// arrivals are a Poisson stream, as busy as the hour.
func (p *monthPlace) arrivals(q *monthQueue) []time.Time {
	var all []time.Time
	for hour := p.from; hour.Before(p.to); hour = hour.Add(time.Hour) {
		rate := p.bustle * q.rate(hour.In(p.zone))
		for _, change := range p.changes {
			if q.closes == 24 && hour.Sub(change).Abs() <= 2*time.Hour {
				rate = 8
			}
		}
		for at := hour; rate > 0; {
			at = at.Add(time.Duration(p.rng.ExpFloat64() / rate * float64(time.Hour)))
			if at.Sub(hour) >= time.Hour {
				break
			}
			all = append(all, at)
		}
	}
	return all
}

// rate is how many come in the hour: most in the middle of the day.
func (q *monthQueue) rate(local time.Time) float64 {
	weekend := local.Weekday() == time.Saturday || local.Weekday() == time.Sunday
	switch {
	case local.Hour() < q.opens || local.Hour() >= q.closes || weekend && !q.weekends:
		return 0
	case local.Hour() >= 10 && local.Hour() < 14:
		return 1.6 * q.perHour
	}
	return q.perHour
}

// desk is the one that is free first, and when it calls somebody who came at an instant.
func (q *monthQueue) desk(came time.Time) (i int, calls time.Time) {
	first := slices.MinFunc(q.desks, time.Time.Compare)
	i = slices.Index(q.desks, first)
	return i, later(came.Add(3*time.Second), first)
}

func later(a, b time.Time) time.Time { return slices.MaxFunc([]time.Time{a, b}, time.Time.Compare) }

// another is a queue of the place that is not the one given.
func (p *monthPlace) another(id string) string {
	i := slices.IndexFunc(p.queues, func(q *monthQueue) bool { return q.id == id })
	return p.queues[(i+1)%len(p.queues)].id
}

// chance is true so many times in 1,000.
func (p *monthPlace) chance(perMille int) bool { return p.rng.IntN(1000) < perMille }

// between is a uniform duration.
func (p *monthPlace) between(low, high time.Duration) time.Duration {
	return low + time.Duration(p.rng.Int64N(int64(high-low)))
}

// about is a random duration around a mean: short and long ones are rare.
func (p *monthPlace) about(mean time.Duration) time.Duration {
	return max(5*time.Second, time.Duration((p.rng.ExpFloat64()+p.rng.ExpFloat64())/2*float64(mean)))
}

// guid is a random identifier: the same seed, the same ids.
func (p *monthPlace) guid() string {
	a, b := p.rng.Uint64(), p.rng.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&0xffffffffffff)
}

// pick is one of the values.
func pick[T any](p *monthPlace, values ...T) T { return values[p.rng.IntN(len(values))] }

// byReceipt puts the deliveries of all sources in one order.
func byReceipt(all map[string][]monthDelivery) []monthDelivery {
	var list []monthDelivery
	for _, sent := range all {
		list = append(list, sent...)
	}
	slices.SortStableFunc(list, func(a, b monthDelivery) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.source, b.source)) })
	return list
}
