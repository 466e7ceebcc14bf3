package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// deskVoice is SuperOffice: dated snapshots, of which only the difference tells what happened. Everything has its own
// time and its own id, so a delivery may come late, twice or never.
type deskVoice struct{}

func (deskVoice) opening(p *monthPlace) []string {
	return []string{
		`{"EventId":"` + p.guid() + `","Timestamp":"2026-03-01T08:52:59.0005158Z","Changes":[],"Event":"test","PrimaryKey":0,"Entity":"test","ContextIdentifier":"Cust31038"}`,
		`{"EventId":"` + p.guid() + `","Timestamp":"2026-03-01T08:53:00Z","Changes":[],"Event":"webhook.errors","PrimaryKey":66,"ContextIdentifier":"Cust31038","FieldValues":{"state":2}}`,
		`{"EventId":"` + p.guid() + `","Timestamp":"2026-03-01T08:53:01Z","Changes":["name"],"Event":"contact.changed","PrimaryKey":18,"Entity":"contact","ContextIdentifier":"Cust31038"}`,
		`{"EventId":"` + p.guid() + `","Timestamp":"2026-03-01T08:53:02Z","Changes":[],"Event":"ticket.created","PrimaryKey":18,"Entity":"ticket","ContextIdentifier":"Cust999","FieldValues":{"category":2,"owned_by":1,"status":1,"created_at":"2026-03-01T09:53:02"}}`,
	}
}

func (c deskVoice) visit(p *monthPlace, q *monthQueue, at time.Time) *visit {
	v := newVisit(p, q, strconv.Itoa(1000+p.count), arrives, at)
	switch draw := p.rng.IntN(1000); {
	case draw < 70: // somebody phoned, and was answered; or by another one, later on
		v.steps[0].agent = 5 + p.rng.IntN(4)
		c.isServed(p, v)
		return v
	case draw < 90: // the same, and written down afterwards, for oneself or for nobody
		v.steps[0].words, v.steps[0].agent = "closed", pick(p, 0, 5, 6)
		return v
	}
	if p.chance(50) {
		v.then(pauses, p.between(10*time.Second, time.Minute))
		v.then(resumes, p.between(time.Minute, 40*time.Minute))
	}
	if p.chance(40) {
		v.turn(p, moves, p.between(30*time.Second, 5*time.Minute), p.another(v.queue))
	}
	if p.chance(40) {
		v.then(merged, p.between(10*time.Second, 10*time.Minute))
		return v
	}
	if !v.waits(p, q) {
		return v
	}
	v.last().agent = 5 + p.rng.IntN(4)
	c.isServed(p, v)
	q.frees(v)
	if soon := v.steps[1].at.Sub(at) < 5*time.Minute; soon && v.steps[1].kind == called && p.chance(20) { // dated by another machine
		v.steps[0].told = v.steps[1].told.Add(p.between(time.Second, time.Minute))
	}
	return v
}

func (c deskVoice) isServed(p *monthPlace, v *visit) {
	again := func(kind monthStepKind, queue string, after time.Duration) {
		v.turn(p, kind, after, queue)
		v.then(called, p.between(20*time.Second, 40*time.Minute)).agent = 5 + p.rng.IntN(4)
	}
	if p.chance(300) {
		v.then(edited, p.between(2*time.Second, time.Minute))
	}
	if p.chance(500) {
		v.then(starts, p.between(5*time.Second, 3*time.Minute))
	}
	switch draw := p.rng.IntN(1000); {
	case draw < 80:
		again(returns, v.queue, p.between(time.Minute, 10*time.Minute))
	case draw < 140:
		again(moves, p.another(v.queue), p.between(time.Minute, 10*time.Minute))
	case draw < 180: // the owner takes it along
		agent := v.last().agent
		v.turn(p, moves, p.between(time.Minute, 10*time.Minute), p.another(v.queue))
		v.last().agent = agent
	case draw < 230:
		v.then(reowned, p.between(time.Minute, 10*time.Minute)).agent = 9
	}
	if p.chance(120) {
		v.then(pauses, p.between(time.Minute, 10*time.Minute))
		v.then(resumes, p.between(time.Minute, 20*time.Hour))
	}
	switch draw := p.rng.IntN(1000); {
	case draw < 30:
		v.then(leaves, p.between(time.Minute, 10*time.Minute)) // spam, on a second look
		return
	case draw < 50:
		v.then(merged, p.between(time.Minute, 10*time.Minute))
		return
	}
	v.then(served, p.about(12*time.Minute))
	switch draw := p.rng.IntN(1000); {
	case draw < 50:
		again(reopens, v.queue, p.between(10*time.Minute, 30*time.Hour))
		v.then(served, p.about(12*time.Minute))
	case draw < 80: // still with its owner
		agent := v.last().agent
		v.then(reopens, p.between(10*time.Minute, 30*time.Hour)).agent = agent
		v.then(served, p.about(12*time.Minute))
	}
}

func (deskVoice) may(p *monthPlace, v *visit, i int) liberties {
	l := liberties{late: true, held: true, again: true, anytime: true, lost: !v.has(moves)}
	if i == 0 && twice(v.steps[0].told.In(p.zone)) { // then created_at alone can't tell the creation
		l.lost = false
	}
	return l
}

// twice reports whether the local clock shows the time twice.
func twice(t time.Time) bool {
	wall := func(after time.Duration) string { return t.Add(after).Format(time.DateTime) }
	return wall(0) == wall(time.Hour) || wall(0) == wall(-time.Hour)
}

func (c deskVoice) say(p *monthPlace, v *visit, i int) string {
	s, first := v.steps[i], v.steps[0]
	event := "ticket.changed"
	if i == 0 {
		event = "ticket.created"
	}
	status, changes := c.words(p, v, i)
	names, err := json.Marshal(changes)
	if err != nil {
		panic(err) // strings always encode
	}
	owner := pick(p, "1", "1", "0", "-1", "null")
	if s.agent != 0 {
		owner = strconv.Itoa(s.agent)
	}
	body := fmt.Sprintf(`{"EventId":%q,"Timestamp":%q,"Changes":%s,"Event":%q,"PrimaryKey":%s,"Entity":"ticket","ContextIdentifier":"Cust31038","ChangedByAssociateId":19`,
		p.guid(), c.timestamp(v, s.told), names, event, v.id)
	if s.kind == edited && v.number%5 == 0 || i == 0 && v.number%50 == 0 && s.agent == 0 && s.words == "" {
		return body + "}" // as older builds send it
	}
	return body + fmt.Sprintf(`,"FieldValues":{"category":%s,"connect_id":-1,"created_at":%q,"last_changed":%q,"owned_by":%s,"priority":2,"status":%d,"ticket_status":%d}}`,
		s.queue, first.told.In(p.zone).Format("2006-01-02T15:04:05"), s.told.In(p.zone).Format("2006-01-02T15:04:05"), owner, status, status)
}

// timestamp has no fraction, or up to seven digits of one.
func (deskVoice) timestamp(v *visit, t time.Time) string {
	text := t.UTC().Format("2006-01-02T15:04:05.0000000")
	if v.digits == 0 {
		return text[:19] + "Z"
	}
	return text[:20+v.digits] + "Z"
}

// words are the base status and the columns that changed.
func (deskVoice) words(p *monthPlace, v *visit, i int) (status int, changes []string) {
	s := v.steps[i]
	switch s.kind {
	case arrives:
		if s.words == "closed" {
			return 2, []string{}
		}
		return 1, []string{}
	case edited:
		return 1, []string{"id", "read_by_owner"}
	case called, reowned:
		return 1, []string{"owned_by"}
	case starts:
		return 1, slices.Clone(pick(p, []string{"id", "first_read_by_owner"}, []string{"replied_at", "num_replies"}))
	case returns:
		return 1, []string{"owned_by"}
	case moves:
		return 1, []string{"category", "owned_by"}
	case pauses:
		return 3, []string{"status", "ticket_status", "activate"}
	case resumes:
		return 1, []string{"status", "ticket_status"}
	case served:
		return 2, []string{"status", "ticket_status", "closed_at"}
	case reopens:
		return 1, []string{"status", "ticket_status"}
	case leaves:
		return 4, []string{"status", "ticket_status"}
	case merged:
		return 5, []string{"status", "connect_id"}
	case books, rebooks, unbooks, activates, recalled, noShow, rated:
	}
	panic("a help desk has no " + string(s.kind))
}
