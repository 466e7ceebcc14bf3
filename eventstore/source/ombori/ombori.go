// Package ombori reads the webhooks of Ombori Queue, a queue and booking system for shops.
//
// Ombori signs nothing: a delivery is proven by a static header whose name and value the operator agrees with Ombori.
// Who has seen one delivery can send others, so the header needs TLS and rotation. Nothing in a delivery says which
// delivery it is, so there is no event key.
//
// A body is {"message": …, "data": {"position": …}, "type": …, "organization": …}. A position is a ticket as it now is,
// with the times of its steps so far. Visitors' names, phones and answers in it are not read.
package ombori

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"queuetrack/eventstore/source"
)

type adapter struct {
	source.Check
	zone       *time.Location // of times without one: bookings may have such
	servingTab bool           // false: a check-in is the last that is heard of a ticket
}

// New returns the source of one Ombori webhook. It needs the header that Ombori is configured to send.
func New(cfg source.Config) (source.Source, error) {
	if !isHeaderName(cfg.Header) {
		return nil, cfg.Refuse(errors.New("header must name the static header that Ombori is configured to send"))
	}
	for _, s := range cfg.Secrets {
		if !isHeaderValue(s.Value) {
			return nil, cfg.Refuse(fmt.Errorf("secret %s can't be a header's value: it has a line break, a control character or surrounding space", s.Name))
		}
	}
	check, err := source.NewCheck(cfg, cfg.Header, func(secret, _ []byte) string { return string(secret) })
	if err != nil {
		return nil, err
	}
	return adapter{Check: check, zone: cfg.ZoneOrUTC(), servingTab: cfg.ServingTab}, nil
}

// isHeaderName reports whether a request can carry a header of this name where we look for it. Host can't: net/http
// keeps it apart.
func isHeaderName(name string) bool {
	for _, c := range []byte(name) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return name != "" && !bytes.EqualFold([]byte(name), []byte("Host"))
}

// isHeaderValue reports whether the bytes arrive as they were sent, when sent as a header's value.
func isHeaderValue(value []byte) bool {
	control := func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
	return !bytes.ContainsFunc(value, control) && len(bytes.Trim(value, " \t")) == len(value)
}

// Identify implements [source.Source].
func (a adapter) Identify(body []byte) source.Identity {
	o, err := source.Parse(body)
	if err != nil {
		return source.Unreadable(err)
	}
	data := o.Object("data")
	id := source.Identity{Type: typeOf(o, data)}
	ev, ok := a.eventOf(id.Type)
	if !ok {
		return id
	}
	position := data.Object("position")
	id.NameTicket(position.ID("id"))
	id.OccurredAt = a.observe(ev, position).At
	return id
}

// typeOf reads the type beside data, where all samples have it, else within, where the documentation's table has it.
func typeOf(o, data source.Object) string {
	if t := o.Type("type"); t != source.UnknownType {
		return t
	}
	return data.Type("type")
}

// Decode implements [source.Source].
func (a adapter) Decode(body []byte) (source.Decoded, error) {
	o, err := source.Parse(body)
	if err != nil {
		return source.Decoded{}, err
	}
	data := o.Object("data")
	ev, ok := a.eventOf(typeOf(o, data))
	if !ok {
		return source.Decoded{}, nil
	}
	position := data.Object("position")
	if _, err := position.ID("id"); err != nil {
		return source.Decoded{}, err
	}
	return source.Decoded{Ticket: a.observe(ev, position), Names: namesOf(position)}, nil
}

// namesOf reads where the position's queue is. The location was a text once, is an object now, and may be null.
func namesOf(position source.Object) []source.Name {
	n := source.Name{Kind: source.NameQueueLocation, ID: position.Scalar("queue"), Name: position.Text("location")}
	if n.Name == "" {
		n.Name = position.Object("location").Text("locationName")
	}
	if n.ID == "" || n.Name == "" {
		return nil
	}
	return []source.Name{n}
}
