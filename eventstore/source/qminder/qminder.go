// Package qminder reads the webhooks of Qminder, a queue system for walk-in visitors.
//
// A delivery is signed: X-Qminder-Signature holds the lower-case hex HMAC-SHA256 of the webhook's URL, exactly as it
// was registered, followed by the body. The URL comes from the configuration, never from the request, which a proxy
// may have changed. Nothing in a delivery says which delivery it is, so there is no event key.
//
// A body is {"type": …, "data": …}; data is the ticket as it now is, with the times of its steps so far, or the id and
// name of a line (a queue, here) or a location. What happened is in the ticket's status first: the documentation's own
// sample of a re-call has the type ticket_created, and a ticket sent back to the queue really is created again.
package qminder

import (
	"encoding/hex"
	"errors"
	"net/url"
	"time"

	"queuetrack/eventstore/source"
	"queuetrack/eventstore/ticket"
)

const signatureHeader = "X-Qminder-Signature"

type adapter struct {
	source.Check
	zone *time.Location // of times without one; Qminder's have one
}

// New returns the source of one Qminder webhook. It needs the URL that the webhook is registered with.
func New(cfg source.Config) (source.Source, error) {
	if u, err := url.Parse(cfg.PublicURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, cfg.Refuse(errors.New("public_url must be the webhook's URL, exactly as registered at Qminder: it is part of the signature"))
	}
	registered := []byte(cfg.PublicURL)
	check, err := source.NewCheck(cfg, signatureHeader, func(secret, body []byte) string {
		return hex.EncodeToString(source.HMAC(secret, registered, body))
	})
	if err != nil {
		return nil, err
	}
	return adapter{Check: check, zone: cfg.ZoneOrUTC()}, nil
}

// Identify implements [source.Source].
func (a adapter) Identify(body []byte) source.Identity {
	o, err := source.Parse(body)
	if err != nil {
		return source.Unreadable(err)
	}
	id := source.Identity{Type: o.Type("type")}
	says, ok := saysOf(id.Type)
	if !ok {
		return id
	}
	data := o.Object("data")
	id.NameTicket(data.ID("id"))
	if says != ticket.TransitionChanged { // an edit comes with the times of earlier steps, not with its own
		now, _ := nowOf(says, data)
		id.OccurredAt = a.since(says, now.status, data)
	}
	return id
}

// Decode implements [source.Source].
func (a adapter) Decode(body []byte) (source.Decoded, error) {
	o, err := source.Parse(body)
	if err != nil {
		return source.Decoded{}, err
	}
	data := o.Object("data")
	switch typ := o.Type("type"); typ {
	case "line_changed":
		return nameOf(source.NameQueue, data), nil
	case "location_created", "location_changed":
		return nameOf(source.NameLocation, data), nil
	default:
		says, ok := saysOf(typ)
		if !ok {
			return source.Decoded{}, nil
		}
		if _, err := data.ID("id"); err != nil {
			return source.Decoded{}, err
		}
		return source.Decoded{Ticket: a.observe(says, data)}, nil
	}
}

func nameOf(kind source.NameKind, data source.Object) source.Decoded {
	n := source.Name{Kind: kind, ID: data.Scalar("id"), Name: data.Text("name")}
	if n.ID == "" || n.Name == "" {
		return source.Decoded{}
	}
	return source.Decoded{Names: []source.Name{n}}
}
