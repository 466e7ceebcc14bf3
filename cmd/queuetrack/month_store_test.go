package main

import (
	"fmt"
	"time"
)

// storeVoice is Ombori: a position with the times so far, in milliseconds. A retry has none of its own, but names the
// call that it undoes; a booking waits from its activation on.
type storeVoice struct{}

func (storeVoice) opening(*monthPlace) []string { return []string{"{ not JSON at all }"} }

func (c storeVoice) visit(p *monthPlace, q *monthQueue, at time.Time) *visit {
	v := newVisit(p, q, p.guid(), arrives, at)
	v.label = fmt.Sprintf("%c%d", 'A'+p.count%3, p.count%90)
	if p.chance(150) && !c.books(p, v, at) {
		return v
	}
	if !v.waits(p, q) {
		v.last().words = pick(p, "positionCancelled", "positionCancelled", "positionRemoved", "bookingRemoved")
		return v
	}
	c.isServed(p, v)
	q.frees(v)
	c.badClock(p, v)
	return v
}

// books makes the visit a booking of some days before, and reports whether somebody came.
func (storeVoice) books(p *monthPlace, v *visit, at time.Time) (came bool) {
	v.steps[0].kind = books
	v.steps[0].at = at.Add(-p.between(time.Hour, 5*24*time.Hour))
	v.steps[0].told = v.steps[0].at
	v.slot = at.Add(2 * time.Minute).Truncate(5 * time.Minute)
	if p.chance(200) {
		v.then(rebooks, p.between(time.Minute, 30*time.Minute))
	}
	if p.chance(150) {
		v.then(unbooks, p.between(time.Minute, 20*time.Minute)).words = pick(p, "positionCancelled", "positionCancelledByStaff", "bookingRemoved")
		return false
	}
	v.then(activates, at.Sub(v.last().at))
	return true
}

func (storeVoice) isServed(p *monthPlace, v *visit) {
	for range 3 {
		if p.chance(60) {
			v.isCalled(p, recalled, p.between(20*time.Second, 2*time.Minute), v.last().desk)
		}
		switch draw := p.rng.IntN(1000); {
		case draw < 50: // nobody came, says staff
			v.then(leaves, p.between(time.Minute, 4*time.Minute)).words = pick(p, "positionRemoved", "bookingRemoved")
			return
		case draw < 60:
			v.then(leaves, p.between(10*time.Second, time.Minute)).words = "positionCancelled"
			return
		case draw < 140:
			v.turn(p, returns, p.between(time.Minute, 3*time.Minute), v.queue)
			if p.chance(150) { // and then gave up
				v.then(leaves, p.between(time.Minute, 10*time.Minute)).words = "positionCancelled"
				return
			}
			v.isCalled(p, called, p.between(20*time.Second, 12*time.Minute), 1)
			continue
		}
		break
	}
	v.then(starts, p.between(5*time.Second, time.Minute))
	if !p.servingTab { // the check-in is all that we hear of
		return
	}
	v.then(served, p.about(6*time.Minute))
	if p.chance(80) {
		v.then(rated, p.between(5*time.Second, 10*time.Minute))
	}
}

// badClock tells a step before the one that it follows.
func (storeVoice) badClock(p *monthPlace, v *visit) {
	end := len(v.steps) - 1
	call, start, left := v.upTo(end, called), v.upTo(end, starts), v.upTo(end, served)
	if !v.plain || start == nil || v.has(recalled) {
		return
	}
	switch p.rng.IntN(60) {
	case 0:
		call.told = v.upTo(end, arrives, activates).told.Add(-p.between(time.Second, 90*time.Second))
	case 1:
		start.told = call.told.Add(-p.between(time.Second, time.Minute))
	case 2:
		if left != nil {
			left.told = start.told.Add(-p.between(time.Second, time.Minute))
		}
	}
}

func (storeVoice) may(_ *monthPlace, v *visit, i int) liberties {
	kind := v.steps[i].kind
	l := liberties{again: true, anytime: true, late: kind != returns && kind != rated, held: !v.has(returns) || !v.has(leaves)}
	l.lost = kind != served && kind != starts || !v.has(rated)
	if kind == rebooks || kind == rated {
		l.anytime, l.late = false, false
	}
	if v.has(leaves) && v.has(returns) { // a rejection that is told before the retry would come after it
		l.late, l.anytime = false, false
	}
	return l
}

func (c storeVoice) say(p *monthPlace, v *visit, i int) string {
	s := v.steps[i]
	event, status := c.words(p, s)
	kind, priority, label := "anonymous", 0, v.label
	if v.number%4 == 0 {
		kind = "manual"
	}
	if !v.slot.IsZero() {
		if kind, priority = "booking", 100; v.upTo(i, activates) == nil {
			label = ""
		}
	}
	body := fmt.Sprintf(`"id":%q,"status":%q,"type":%q,"priority":%d,"label":%q,"queue":%q,"location":%s,"createdAt":%q`,
		v.id, status, kind, priority, label, s.queue, c.location(p, v, s), c.milli(&v.steps[0]))
	if !v.slot.IsZero() {
		body += fmt.Sprintf(`,"booking":{"start":%q}`, v.slot.In(p.zone).Format("2006-01-02 15:04"))
	}
	body += c.times(v, i, status)
	if call := v.upTo(i, called, recalled); call == nil || status == "pending" || v.upTo(i, returns) != nil && v.upTo(i, returns).at.After(call.at) {
		body += `,"station":null,"servedBy":{}`
	} else {
		body += fmt.Sprintf(`,"station":{"id":"s-%d","label":"Desk %d"}`, call.desk, call.desk)
		unattended := s.kind == served && v.number%40 == 0         // checked out by a timer
		if s.kind != called && s.kind != recalled && !unattended { // who serves is known at the check-in
			body += fmt.Sprintf(`,"servedBy":{"id":"%d","displayName":"Nora"}`, call.agent)
		}
	}
	return fmt.Sprintf(`{"message":null,"data":{"position":{%s}},"type":%q,"organization":"store"}`, body, event)
}

// times are those of the steps so far.
func (c storeVoice) times(v *visit, i int, status string) (body string) {
	tell := func(name string, s *monthStep) {
		if s != nil {
			body += fmt.Sprintf(`,%q:%q`, name, c.milli(s))
		}
	}
	tell("activatedAt", v.upTo(i, activates))
	tell("calledAt", v.upTo(i, called, recalled))
	tell("fulfilledAt", v.upTo(i, starts))
	tell("completedAt", v.upTo(i, served))
	if status == "rejected" {
		tell("rejectedAt", &v.steps[i])
	}
	return body
}

func (storeVoice) milli(s *monthStep) string { return s.told.UTC().Format(millis) }

// location is an object, was a text once, and may be null. One of the queues moves in the middle of the month.
func (storeVoice) location(p *monthPlace, v *visit, s monthStep) string {
	name := "Main Street"
	if s.queue == p.queues[2].id {
		name = "Harbour"
		if s.at.After(p.from.Add(8 * 24 * time.Hour)) {
			name = "City Hall"
		}
	}
	switch v.number % 10 {
	case 0:
		return "null"
	case 1:
		return fmt.Sprintf("%q", name)
	}
	return fmt.Sprintf(`{"locationName":%q,"organizationTitle":"Store"}`, name)
}

// words are the event's type and the position's status.
func (storeVoice) words(p *monthPlace, s monthStep) (event, status string) {
	switch s.kind {
	case arrives:
		return "positionCreated", "pending"
	case books:
		return "bookingConfirmation", "draft"
	case rebooks:
		return "bookingUpdated", pick(p, "draft", "draft", "remindedAboutBooking") // a notification is no place in life
	case activates:
		return "bookingActivated", "pending"
	case called, recalled:
		return "positionCalled", pick(p, "notified", "notified", "notified", "notifiedToApproach")
	case returns:
		return "positionRetry", "pending"
	case starts:
		return "positionFulfilled", "fulfilled"
	case served:
		return "positionCompleted", "completed"
	case leaves, unbooks:
		return s.words, "rejected"
	case rated:
		return "feedbackReceived", pick(p, "completed", "fulfilled")
	case edited, moves, pauses, resumes, noShow, merged, reopens, reowned:
	}
	panic("a store has no " + string(s.kind))
}
