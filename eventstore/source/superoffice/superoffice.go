// Package superoffice reads the webhooks of SuperOffice Service, a help desk.
//
// A delivery is signed if the webhook has a secret, and only such are taken: X-SuperOffice-Signature holds the standard
// base64 HMAC-SHA256 of the body, keyed with the secret as it was typed.
//
// A body names an event of an entity; only ticket.created and ticket.changed are about tickets. It describes the ticket
// (in newer builds, in FieldValues) at its Timestamp: what happened is the difference to what was told before. There
// is no call in a help desk; a request that gets an owner stops waiting.
package superoffice

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"queuetrack/eventstore/source"
)

const (
	signatureHeader = "X-SuperOffice-Signature"
	eventCreated    = "ticket.created"
	eventChanged    = "ticket.changed"
	eventTest       = "test" // sent when the webhook is saved

	defaultUnassigned = 1 // the system user
)

type adapter struct {
	source.Check
	context    string
	unassigned int64
	zone       *time.Location // the tenant's base time zone; nil: created_at can't be read
}

// New returns the source of one SuperOffice tenant.
func New(cfg source.Config) (source.Source, error) {
	check, err := source.NewCheck(cfg, signatureHeader, func(secret, body []byte) string {
		return base64.StdEncoding.EncodeToString(source.HMAC(secret, body))
	})
	if err != nil {
		return nil, err
	}
	a := adapter{Check: check, context: cfg.Context, unassigned: cfg.UnassignedOwner, zone: cfg.Zone}
	if a.unassigned == 0 {
		a.unassigned = defaultUnassigned
	}
	return a, nil
}

// Identify implements [source.Source].
func (a adapter) Identify(body []byte) source.Identity {
	o, err := source.Parse(body)
	if err != nil {
		return source.Unreadable(err)
	}
	id := source.Identity{
		Type:       o.Type("Event"),
		EventKey:   eventKey(o),
		OccurredAt: timestamp(o),
	}
	switch id.Type {
	case eventTest:
		id.Ping = true
		return id
	case eventCreated, eventChanged:
		id.NameTicket(ticketOf(o))
	}
	if got := o.Text("ContextIdentifier"); a.context != "" && got != a.context {
		id.Quarantine = fmt.Sprintf("ContextIdentifier is %q instead of %q: another tenant's event", got, a.context)
	}
	return id
}

// Decode implements [source.Source].
func (a adapter) Decode(body []byte) (source.Decoded, error) {
	o, err := source.Parse(body)
	if err != nil {
		return source.Decoded{}, err
	}
	switch o.Type("Event") {
	case eventCreated, eventChanged:
	default:
		return source.Decoded{}, nil
	}
	if _, err := ticketOf(o); err != nil {
		return source.Decoded{}, err
	}
	return source.Decoded{Ticket: a.observe(o)}, nil
}

// ticketOf reads the ticket's id; 0 is how the vendor writes that there is none.
func ticketOf(o source.Object) (string, error) {
	id, err := o.ID("PrimaryKey")
	if err == nil && id == "0" {
		return "", fmt.Errorf("PrimaryKey is 0")
	}
	return id, err
}

// timestamp is when the event occurred. The vendor documents UTC, and writes the Z with it.
func timestamp(o source.Object) time.Time { return o.Time("Timestamp", time.UTC) }

// maxKey bounds a key in bytes: an index can't hold any length.
const maxKey = 300

// eventKey is what makes an event unique for ever. The EventId alone is not: the documentation's own samples share one
// between a creation and a change. Each part comes with its length, so that no two lists of parts give one key. Without
// an EventId (or with the empty GUID) there is no key.
func eventKey(o source.Object) string {
	id := o.Verbatim("EventId")
	if id == "" || strings.Trim(id, "0-") == "" {
		return ""
	}
	var key strings.Builder
	for _, part := range []string{o.Verbatim("ContextIdentifier"), o.Verbatim("Event"), o.Verbatim("PrimaryKey"), id} {
		key.WriteString(strconv.Itoa(len(part)) + ":" + part)
	}
	if key.Len() > maxKey || strings.ContainsRune(key.String(), 0) {
		digest := sha256.Sum256([]byte(key.String()))
		return "sha256:" + hex.EncodeToString(digest[:])
	}
	return key.String()
}
