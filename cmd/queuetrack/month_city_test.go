package main

import (
	"fmt"
	"strconv"
	"time"
)

// cityVoice is Qminder: every body has the ticket's status and the times of its steps so far, in one of three
// precisions. A return is a second ticket_created; what a return, a transfer, a no-show and most cancellations have no
// time for, happened when it was received.
type cityVoice struct{}

func (cityVoice) opening(p *monthPlace) []string {
	bodies := []string{
		`{"type":"location_created","data":{"id":1180,"name":"Town House"}}`,
		`{"type":"location_changed","data":{"id":1180,"name":"City Hall"}}`,
		`{"type":"user_greeted","data":{"id":7}}`,
		`{"type":"ticket_created","data":`,
	}
	for i, q := range p.queues {
		bodies = append(bodies, fmt.Sprintf(`{"type":"line_changed","data":{"id":%s,"name":"Line %d"}}`, q.id, i))
	}
	return bodies
}

func (c cityVoice) visit(p *monthPlace, q *monthQueue, at time.Time) *visit {
	v := newVisit(p, q, strconv.Itoa(70_000_000+p.count), arrives, at)
	if p.chance(60) {
		if !c.books(p, v, at) {
			return v
		}
	}
	if p.chance(50) {
		v.then(edited, p.between(2*time.Second, 40*time.Second))
	}
	if p.chance(15) {
		v.turn(p, moves, p.between(time.Minute, 5*time.Minute), p.another(v.queue))
	}
	if !v.waits(p, q) {
		v.last().words = pick(p, "CANCELLED_BY_CLERK", "CANCELLED_BY_CLERK", "CANCELLED")
	} else {
		c.isServed(p, v)
		q.frees(v)
	}
	if v.badClock(p); v.plain && !v.has(recalled) && p.chance(50) {
		v.layout = minutes
	} else if v.layout = seconds; p.chance(400) {
		v.layout = millis
	}
	return v
}

const (
	minutes = "2006-01-02T15:04Z"
	seconds = "2006-01-02T15:04:05Z"
	millis  = "2006-01-02T15:04:05.000Z"
)

// books makes the visit an appointment, and reports whether somebody came.
func (cityVoice) books(p *monthPlace, v *visit, at time.Time) (came bool) {
	v.plain = false
	v.steps[0].kind = books
	v.steps[0].at = at.Add(-p.between(time.Hour, 40*time.Hour))
	v.steps[0].told = v.steps[0].at
	if p.chance(250) {
		v.then(unbooks, p.between(time.Minute, 50*time.Minute)).words = pick(p, "SCHEDULING_CANCELLED", "SCHEDULING_CANCELLED_BY_VISITOR", "SCHEDULING_NOSHOW")
		return false
	}
	v.then(activates, at.Sub(v.last().at)).words = pick(p, "ticket_changed", "ticket_created")
	return true
}

// turn sends the visitor back to wait, in the same queue or another.
func (v *visit) turn(p *monthPlace, kind monthStepKind, after time.Duration, queue string) {
	v.plain, v.queue = false, queue
	v.then(kind, after)
}

func (cityVoice) isServed(p *monthPlace, v *visit) {
	for range 3 {
		if p.chance(80) {
			v.isCalled(p, recalled, p.between(20*time.Second, 2*time.Minute), v.last().desk)
		}
		switch draw := p.rng.IntN(1000); {
		case draw < 60:
			v.then(noShow, p.between(2*time.Minute, 4*time.Minute))
			return
		case draw < 70:
			v.then(leaves, p.between(time.Minute, 4*time.Minute)).words = "CANCELLED"
			return
		case draw < 140:
			v.turn(p, returns, p.between(30*time.Second, 3*time.Minute), v.queue)
			v.isCalled(p, called, p.between(20*time.Second, 15*time.Minute), 1)
			continue
		case draw < 180:
			v.turn(p, moves, p.between(time.Minute, 6*time.Minute), p.another(v.queue))
			v.isCalled(p, called, p.between(30*time.Second, 15*time.Minute), 2)
			continue
		case draw < 200:
			v.then(edited, p.between(5*time.Second, 20*time.Second))
		}
		break
	}
	v.then(served, p.about(8*time.Minute))
	if p.chance(10) {
		v.then(edited, p.between(time.Second, time.Minute))
	}
}

func (c cityVoice) may(_ *monthPlace, v *visit, i int) liberties {
	kind, moved := v.steps[i].kind, v.has(moves)
	l := liberties{again: true, late: v.plain && kind != edited && kind != noShow && kind != leaves}
	l.held = (!v.has(leaves) || v.plain) && (!v.has(books) || !moved)
	switch kind {
	case arrives:
		l.anytime, l.lost = !v.has(leaves, edited) && !moved, !moved
	case called, recalled:
		l.anytime, l.lost = !v.has(leaves), !moved
	case returns:
		l.lost = !moved
	case served, noShow, leaves, edited:
		l.lost = true
	case books, rebooks, unbooks, activates, moves, starts, pauses, resumes, merged, reopens, reowned, rated: // without them the rest means something else
	}
	return l
}

func (c cityVoice) say(p *monthPlace, v *visit, i int) string {
	s := v.steps[i]
	event, status := c.words(p, v, i)
	id := strconv.Quote(v.id)
	if v.number%15 == 0 { // as some of the vendor's own models have it
		id = v.id
	}
	body := fmt.Sprintf(`{"type":%q,"data":{"id":%s,"publicId":"P-%d","status":%q,"source":"MANUAL","line":%s,"firstName":"Mari","phoneNumber":%d,"created":{"date":%q}`,
		event, id, v.number%100, status, s.queue, 37255500000+v.number, v.steps[0].told.UTC().Format(v.layout))
	if s.kind == edited {
		body += `,"orderAfter":"` + s.told.UTC().Format(seconds) + `"`
	}
	if call := v.upTo(i, called, recalled); call != nil && (status == "CALLED" || status == "SERVED" || status == "NOSHOW") {
		body += fmt.Sprintf(`,"called":{"date":%q,"caller":%d`, call.told.UTC().Format(v.layout), call.agent)
		if call.desk > 0 {
			body += fmt.Sprintf(`,"desk":%d`, call.desk)
		}
		body += "}"
	}
	if end := v.upTo(i, served); end != nil {
		body += fmt.Sprintf(`,"served":{"date":%q}`, end.told.UTC().Format(v.layout))
	}
	if s.kind == leaves && v.number%2 == 0 {
		body += fmt.Sprintf(`,"cancelled":{"date":%q,"canceller":1}`, s.told.UTC().Format(v.layout))
	}
	return body + "}}"
}

// words are the event's type and the ticket's status.
func (cityVoice) words(p *monthPlace, v *visit, i int) (event, status string) {
	switch s := v.steps[i]; s.kind {
	case books:
		return "ticket_created", "SCHEDULED"
	case unbooks:
		return "ticket_changed", s.words
	case arrives, returns:
		return "ticket_created", "NEW"
	case activates:
		return s.words, "NEW"
	case moves:
		if v.upTo(i, called) == nil { // nothing but the line has changed
			return "ticket_changed", "NEW"
		}
		return "ticket_created", "NEW"
	case called:
		return "ticket_called", "CALLED"
	case recalled:
		return pick(p, "ticket_created", "ticket_recalled"), "CALLED" // the first as documented
	case served:
		return "ticket_served", "SERVED"
	case noShow:
		return pick(p, "ticket_changed", "ticket_served"), "NOSHOW"
	case leaves:
		return "ticket_cancelled", s.words
	case edited:
		switch {
		case v.upTo(i, served) != nil:
			return "ticket_changed", "SERVED"
		case v.upTo(i, called) != nil:
			return "ticket_changed", "CALLED"
		}
		return "ticket_changed", "NEW"
	case rebooks, starts, pauses, resumes, merged, reopens, reowned, rated:
	}
	panic("a city hall has no " + string(v.steps[i].kind))
}
