package projection

import (
	"encoding/json"
	"fmt"
	"time"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/eventstore/ticket"
)

// ownBody is the body of our own events.
type ownBody struct {
	Reason       string `json:"reason"`
	LastPosition int64  `json:"last_position"` // the ticket's last event that the author had folded
}

// ownEvent is our own event about an open ticket, ready for the log. Its key says what it was decided on: two processes
// that decide the same append one event, and a ticket that came back to life can be ended again.
func ownEvent(eventType, id string, lastPosition int64, reason string, at time.Time) (eventstore.Delivery, error) {
	verb := map[string]string{eventstore.TypeExpired: "expired", eventstore.TypeClosed: "closed"}[eventType]
	body, err := json.Marshal(ownBody{Reason: reason, LastPosition: lastPosition})
	if err != nil {
		return eventstore.Delivery{}, fmt.Errorf("encode %s: %w", eventType, err)
	}
	return eventstore.Delivery{
		Ticket:     id,
		Type:       eventType,
		EventKey:   fmt.Sprintf("%s:%s:%d", verb, id, lastPosition), // only the last part is free of colons: no two collide
		OccurredAt: at,
		ReceivedAt: at,
		Body:       body,
		VerifiedBy: eventstore.Own,
	}, nil
}

// decodeOwn reads our own event: the ticket ended when we wrote so.
func decodeOwn(e eventstore.Event) (source.Decoded, error) {
	switch e.Type {
	case eventstore.TypeExpired, eventstore.TypeClosed:
	default:
		return source.Decoded{}, fmt.Errorf("our own event type %q is not known", e.Type)
	}
	var body ownBody
	if err := json.Unmarshal(e.Body, &body); err != nil {
		return source.Decoded{}, fmt.Errorf("our own event: %w", err)
	}
	return source.Decoded{Ticket: &ticket.Observation{
		Says:   ticket.TransitionExpired,
		Status: ticket.StatusExpired,
		At:     e.ReceivedAt,
		Seen:   body.LastPosition,
		Reason: body.Reason,
	}}, nil
}
