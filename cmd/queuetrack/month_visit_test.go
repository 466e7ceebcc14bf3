package main

import (
	"slices"
	"time"
)

// visit is one ticket of the month: its steps in the order in which they happened.
type visit struct {
	number int
	id     string
	label  string
	queue  string // of the last step drawn
	steps  []monthStep
	plain  bool // no turn back or away: bad clocks can't make it undecidable
	layout string
	digits int
	slot   time.Time // of a booking; zero: none
}

// monthStep is what happened, and when.
type monthStep struct {
	kind  monthStepKind
	at    time.Time
	told  time.Time // the same by the vendor's clock
	queue string
	desk  int
	agent int
	words string // the vendor's type or status, where there are several for it
}

type monthStepKind string

// The steps, of which each vendor knows some.
const (
	books     monthStepKind = "books"
	rebooks   monthStepKind = "rebooks"
	unbooks   monthStepKind = "unbooks"
	activates monthStepKind = "activates"
	arrives   monthStepKind = "arrives"
	edited    monthStepKind = "edited"
	called    monthStepKind = "called"
	recalled  monthStepKind = "recalled"
	returns   monthStepKind = "returns"
	moves     monthStepKind = "moves"
	starts    monthStepKind = "starts"
	pauses    monthStepKind = "pauses"
	resumes   monthStepKind = "resumes"
	served    monthStepKind = "served"
	noShow    monthStepKind = "no_show"
	leaves    monthStepKind = "leaves"
	merged    monthStepKind = "merged"
	reopens   monthStepKind = "reopens"
	reowned   monthStepKind = "reowned"
	rated     monthStepKind = "rated"
)

// then adds a step after the last one. It happens in the queue, and at the desk, of the step before.
func (v *visit) then(kind monthStepKind, after time.Duration) *monthStep {
	last := v.steps[len(v.steps)-1]
	last.kind, last.words = kind, ""
	last.at = last.at.Add(max(after, 2*time.Second))
	last.told, last.queue = last.at, v.queue
	if kind == arrives || kind == activates || kind == returns || kind == moves || kind == reopens {
		last.desk, last.agent = 0, 0
	}
	v.steps = append(v.steps, last)
	return v.last()
}

func (v *visit) last() *monthStep { return &v.steps[len(v.steps)-1] }

// newVisit begins with a step.
func newVisit(p *monthPlace, q *monthQueue, id string, kind monthStepKind, at time.Time) *visit {
	return &visit{
		number: p.count, id: id, queue: q.id, plain: true, digits: p.rng.IntN(8),
		steps: []monthStep{{kind: kind, at: at, told: at, queue: q.id}},
	}
}

// upTo is the last step of some kinds among the first steps; nil: none.
func (v *visit) upTo(i int, kinds ...monthStepKind) *monthStep {
	for ; i >= 0; i-- {
		if slices.Contains(kinds, v.steps[i].kind) {
			return &v.steps[i]
		}
	}
	return nil
}

func (v *visit) has(kinds ...monthStepKind) bool { return v.upTo(len(v.steps)-1, kinds...) != nil }

// waits has the visitor wait for the queue's next free desk, and reports whether it came to a call.
func (v *visit) waits(p *monthPlace, q *monthQueue) bool {
	came := v.last().at
	desk, calls := q.desk(came)
	if patience := p.about(q.patience); calls.Sub(came) > patience && p.chance(700) {
		v.then(leaves, patience)
		return false
	}
	v.isCalled(p, called, calls.Sub(came), 1+desk)
	return true
}

func (v *visit) isCalled(p *monthPlace, kind monthStepKind, after time.Duration, desk int) {
	s := v.then(kind, after)
	s.desk, s.agent = desk, 14260+p.rng.IntN(4)
}

// frees gives the desk to the next one.
func (q *monthQueue) frees(v *visit) {
	if c := v.upTo(len(v.steps)-1, called, recalled); c != nil && c.queue == q.id && c.desk > 0 && c.desk <= len(q.desks) {
		q.desks[c.desk-1] = later(q.desks[c.desk-1], v.last().at.Add(5*time.Second))
	}
}

// badClock tells a call before the entry, or an end before the call, as vendors' own samples do.
func (v *visit) badClock(p *monthPlace) {
	call := v.upTo(len(v.steps)-1, called)
	end := v.upTo(len(v.steps)-1, served)
	if !v.plain || call == nil || end == nil || v.has(recalled) {
		return
	}
	switch p.rng.IntN(60) {
	case 0:
		call.told = v.steps[0].told.Add(-p.between(time.Second, 90*time.Second))
	case 1:
		end.told = call.told.Add(-p.between(time.Second, time.Minute))
	}
}

// liberties are what may happen to a delivery.
type liberties struct {
	late    bool // minutes late, and out of order
	lost    bool
	again   bool // right after itself
	anytime bool // again, after later ones
	held    bool // with the ticket's others before it, and sent in order when the outage ends
}

// deliver sends what is told of the visit: in order, or not; some twice, some never.
func (p *monthPlace) deliver(v *visit) {
	manner := p.rng.IntN(100)
	lost := p.rng.IntN(len(v.steps))
	var last time.Time
	outage := v.steps[p.rng.IntN(len(v.steps))].at.Add(p.between(time.Minute, 20*time.Minute))
	for i, s := range v.steps {
		body, may := p.voice.say(p, v, i), p.voice.may(p, v, i)
		if body == "" || manner < 4 && i == lost && may.lost {
			continue
		}
		at := s.at.Add(p.between(50*time.Millisecond, 400*time.Millisecond))
		switch {
		case manner >= 4 && manner < 12 && may.late && p.chance(500): // each as late as it happens
			at = at.Add(p.between(time.Second, 5*time.Minute))
		case manner >= 12 && manner < 15 && may.held && s.at.Before(outage): // nothing came through: all of it later, in order
			at = later(at, outage)
			fallthrough
		default:
			at = later(at, last.Add(10*time.Millisecond))
			last = at
		}
		p.send(v.id, at, body)
		if may.again && p.chance(25) {
			p.send(v.id, at.Add(p.between(time.Millisecond, 5*time.Millisecond)), body)
		}
		if may.anytime && p.chance(15) {
			p.send(v.id, at.Add(p.between(5*time.Second, 15*time.Minute)), body)
		}
		if p.chance(2) { // somebody has kept it, and sends it once more
			p.send(v.id, at.Add(p.between(26*time.Hour, 40*time.Hour)), body)
		}
	}
}
