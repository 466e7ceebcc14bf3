package demo

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// qminderVoice tells a visit as Qminder does: status and milestones repeated in every webhook, whole seconds.
type qminderVoice struct{}

type qminderBody struct {
	Type string `json:"type"`
	Data any    `json:"data"`
}

type qminderTicket struct {
	ID        string         `json:"id"`
	PublicID  string         `json:"publicId"`
	Status    string         `json:"status"`
	Source    string         `json:"source"`
	Line      int            `json:"line"`
	FirstName string         `json:"firstName"`
	LastName  string         `json:"lastName"`
	Phone     int64          `json:"phoneNumber"`
	Created   qminderMoment  `json:"created"`
	Called    *qminderMoment `json:"called,omitempty"`
	Served    *qminderMoment `json:"served,omitempty"`
	Cancelled *qminderMoment `json:"cancelled,omitempty"`
	Extra     []qminderExtra `json:"extra"`
}

type qminderMoment struct {
	Date   string `json:"date"`
	Caller int    `json:"caller,omitempty"`
	Desk   int    `json:"desk,omitempty"`
}

type qminderExtra struct {
	Title string `json:"title"`
	Value string `json:"value"`
}

type qminderNamed struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

func (qminderVoice) opening(p Place) [][]byte {
	bodies := [][]byte{encode(qminderBody{"location_changed", qminderNamed{1180, p.Queues[0].Location}})}
	for _, q := range p.Queues {
		bodies = append(bodies, encode(qminderBody{"line_changed", qminderNamed{number(q.ID), q.Name}}))
	}
	return bodies
}

func (qminderVoice) say(d *Day, v *visitor, s step) []byte {
	event, status := qminderWords(d, s)
	if event == "" {
		return nil
	}
	t := qminderTicket{
		ID: v.id, PublicID: v.label, Status: status, Source: "MANUAL", Line: number(v.line.ID),
		FirstName: v.first, LastName: v.last, Phone: 3725550000 + int64(v.number),
		Created: qminderMoment{Date: whole(v.created)},
		Extra:   []qminderExtra{{"First time visitor?", "Yes"}},
	}
	if s == isEdited {
		t.Extra[0].Value = "No"
	}
	switch status {
	case "CALLED", "SERVED", "NOSHOW":
		t.Called = &qminderMoment{Date: whole(v.called), Caller: v.agent, Desk: v.desk}
	case "CANCELLED_BY_CLERK":
		t.Cancelled = &qminderMoment{Date: whole(d.now)}
	}
	if status == "SERVED" {
		t.Served = &qminderMoment{Date: whole(v.ended)}
	}
	return encode(qminderBody{event, t})
}

// qminderWords are the webhook's type and the ticket's status. A return to the queue is a second ticket_created, and
// every other re-call comes with the type that Qminder's documentation prints.
func qminderWords(d *Day, s step) (event, status string) {
	switch s {
	case arrives, returns, moves:
		return "ticket_created", "NEW"
	case isEdited:
		return "ticket_changed", "NEW"
	case isCalled:
		return "ticket_called", "CALLED"
	case isRecalled:
		if d.chance(500) {
			return "ticket_created", "CALLED"
		}
		return "ticket_recalled", "CALLED"
	case isServed:
		return "ticket_served", "SERVED"
	case noShow:
		return "ticket_changed", "NOSHOW"
	case leaves:
		return "ticket_cancelled", "CANCELLED_BY_CLERK"
	case books, rebooks, activates, starts, pauses, resumes, merges, reopens, rates:
	}
	return "", ""
}

func encode(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("demo: encode: %v", err)) // only our own structs come here
	}
	return body
}

func number(id string) int {
	n, err := strconv.Atoi(id)
	if err != nil {
		panic(fmt.Sprintf("demo: id: %v", err)) // only the ids of Places come here
	}
	return n
}

// whole is a time in whole seconds, cut off: never ahead of what it tells.
func whole(t time.Time) string { return t.UTC().Truncate(time.Second).Format("2006-01-02T15:04:05Z") }
