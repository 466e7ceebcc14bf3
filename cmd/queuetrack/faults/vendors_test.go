//go:build linux

package faults

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// delivery is one webhook, and the status of its ticket once it is told.
type delivery struct {
	source, ticket, status string
	body                   []byte
}

// life is what a vendor tells about one ticket: all of it, in order. Every fourth ends at each of its steps, so that
// the last word is not always the same one.
func life(source string, ticket int, now time.Time) []delivery {
	told := superofficeLife(source, ticket, now)
	if strings.HasPrefix(source, city) {
		told = qminderLife(source, ticket, now)
	}
	return told[:1+min(ticket%4, len(told)-1)]
}

func qminderLife(source string, ticket int, now time.Time) []delivery {
	at := func(seconds int) map[string]any {
		return map[string]any{"date": now.Add(time.Duration(seconds-300) * time.Second).UTC().Format(time.RFC3339)}
	}
	data := map[string]any{
		"id": strconv.Itoa(ticket), "publicId": fmt.Sprintf("A-%d", ticket), "line": 52011 + ticket%3, "source": "MANUAL",
		"status": "NEW", "created": at(0),
	}
	var told []delivery
	say := func(event, means string) {
		told = append(told, delivery{source, strconv.Itoa(ticket), means, encode(map[string]any{"type": event, "data": data})})
	}
	say("ticket_created", "waiting")
	data["status"], data["called"] = "CALLED", at(60)
	say("ticket_called", "called")
	data["status"], data["served"] = "SERVED", at(120)
	say("ticket_served", "served")
	return told
}

func superofficeLife(source string, ticket int, now time.Time) []delivery {
	fields := map[string]any{"category": 3, "connect_id": -1, "owned_by": 1, "status": 1, "ticket_status": 1}
	var told []delivery
	say := func(event, means string, changes ...string) {
		at := now.Add(time.Duration(60*len(told)-300) * time.Second).UTC().Format("2006-01-02T15:04:05.0000000Z")
		told = append(told, delivery{source, strconv.Itoa(ticket), means, encode(map[string]any{
			"EventId": fmt.Sprintf("00000000-0000-4000-8000-%08d%04d", ticket, len(told)), "Timestamp": at, "Changes": changes,
			"Event": event, "PrimaryKey": ticket, "Entity": "ticket", "ContextIdentifier": "Cust31038", "FieldValues": fields,
		})})
	}
	say("ticket.created", "waiting")
	fields["owned_by"] = 14
	say("ticket.changed", "called", "owned_by")
	fields["status"], fields["ticket_status"] = 2, 2
	say("ticket.changed", "served", "status", "ticket_status", "closed_at")
	return told
}

func encode(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode: %v", err)) // only the maps above come here
	}
	return body
}
