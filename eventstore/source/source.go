// Package source is what queuetrack asks of a vendor: verify a delivery, name its ticket, decode it to
// observations, and (to try things out) sign one as the vendor would. The checks that vendors share are here too.
//
// One vendor is one folder below this one. A source knows nothing of Postgres, of the log or of HTTP handlers;
// what it finds reaches the log as plain values. All methods are pure and safe for concurrent use.
//
// # Adding a vendor
//
// One folder, and one line in cmd/queuetrack/sources.go. [Check] brings Verify and Sign, [Parse] a tolerant look into
// the body; what is left is the vendor's own vocabulary:
//
//	package acme
//
//	type adapter struct {
//		source.Check
//		zone *time.Location // of times without one
//	}
//
//	func New(cfg source.Config) (source.Source, error) {
//		check, err := source.NewCheck(cfg, "X-Acme-Signature", func(secret, body []byte) string {
//			return hex.EncodeToString(source.HMAC(secret, body))
//		})
//		if err != nil {
//			return nil, err
//		}
//		return adapter{check, cfg.ZoneOrUTC()}, nil
//	}
//
//	func (a adapter) Identify(body []byte) source.Identity {
//		o, err := source.Parse(body)
//		if err != nil {
//			return source.Unreadable(err)
//		}
//		id := source.Identity{Type: o.Type("event")}
//		id.EventKey, _ = o.ID("id") // if there is one: unaltered or not at all, else two events become one
//		if id.Type == "arrived" {
//			id.NameTicket(o.ID("visit"))
//			id.OccurredAt = o.Time("at", a.zone)
//		}
//		return id
//	}
//
//	// An event of no use is nothing; a known one without its ticket is an error, and was quarantined at the door.
//	func (a adapter) Decode(body []byte) (source.Decoded, error) {
//		o, err := source.Parse(body)
//		if err != nil || o.Type("event") != "arrived" {
//			return source.Decoded{}, err
//		}
//		if _, err := o.ID("visit"); err != nil {
//			return source.Decoded{}, err
//		}
//		return source.Decoded{Ticket: &ticket.Observation{
//			Says:   ticket.TransitionCreated,
//			Status: ticket.StatusWaiting,
//			At:     o.Time("at", a.zone),
//			Queue:  o.Scalar("counter"),
//		}}, nil
//	}
//
// Which field of an [ticket.Observation] means what is told there. Where tests know the vendors by name is listed in README,
// "A fourth vendor", and each says so when one is missing. README's tables and "Point a vendor at it" are for people, and
// no test reminds you of them.
package source

import (
	"errors"
	"net/http"
	"time"

	"queuetrack/eventstore/ticket"
)

// ErrSignature is the one answer to a delivery that no live secret verifies, whatever the cause.
var ErrSignature = errors.New("the delivery's signature does not verify")

// Source is one configured vendor account.
type Source interface {
	// Verify returns the name of the secret that verifies the delivery (as "env:NAME", "file:PATH", "literal-1"),
	// else ErrSignature. It compares in constant time and tries every live secret.
	Verify(h http.Header, body []byte) (key string, err error)

	// Sign returns the headers that the vendor would send with the body, by the first secret.
	Sign(body []byte) http.Header

	// Identify reads the little that the door needs. It never fails: what can't be read carries its Quarantine cause.
	Identify(body []byte) Identity

	// Decode reads what the body says. The door has verified and identified it, and not quarantined it;
	// an error makes the event a dead letter.
	Decode(body []byte) (Decoded, error)
}

// Identity is what the door needs to know of an authentic delivery.
type Identity struct {
	Ticket     string    // the vendor's id; empty: about no ticket
	Type       string    // the vendor's name of the event, at most 100 bytes of UTF-8 without NUL; "unknown" when it gives none
	EventKey   string    // what makes the event unique for ever; empty where the vendor has no event id
	OccurredAt time.Time // by the vendor's clock; zero when not told. For people: the fold never reads it
	Quarantine string    // why it can't be used, in words; empty: it can
	Ping       bool      // the vendor's registration test: answered, not stored
}

// UnknownType is the type of a delivery that names none.
const UnknownType = "unknown"

// Unreadable is the identity of a delivery that [Parse] refused.
func Unreadable(err error) Identity {
	return Identity{Type: UnknownType, Quarantine: err.Error()}
}

// NameTicket takes what [Object.ID] returned: the ticket of an event that must have one, else it is quarantined.
func (id *Identity) NameTicket(name string, err error) {
	if err != nil {
		id.Quarantine = id.Type + " without its ticket: " + err.Error()
		return
	}
	id.Ticket = name
}

// Decoded is what a body says. Both parts may be empty: an event that we accept and have no use for.
type Decoded struct {
	Ticket *ticket.Observation // Position and ReceivedAt are the caller's to fill in
	Names  []Name
}

// Name is what the vendor calls a queue or a location.
type Name struct {
	Kind NameKind
	ID   string
	Name string
}

// NameKind says what a Name names.
type NameKind string

// The kinds of names.
const (
	NameQueue         NameKind = "queue"          // ID is a queue
	NameLocation      NameKind = "location"       // ID is a location
	NameQueueLocation NameKind = "queue_location" // ID is a queue; Name is the location that it is in
)

// Config is what a vendor's New needs: one entry of the configuration's `sources`, checked, its secrets read.
type Config struct {
	Name            string
	PublicURL       string         // exactly as registered at the vendor
	Header          string         // the static header's name
	Secrets         []Secret       // tried in turn, the newest first
	Zone            *time.Location // of times without one; nil: not configured
	ServingTab      bool           // Ombori: a check-in starts the service instead of ending the ticket
	UnassignedOwner int64          // SuperOffice: the ejuser that stands for nobody
	Context         string         // SuperOffice: the only ContextIdentifier accepted; empty: any
}

// ZoneOrUTC is the zone of the vendor's times that name none, for vendors where UTC may be assumed.
func (c Config) ZoneOrUTC() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

// Secret is one live secret and how it is called in logs and counters. It must not be printed.
type Secret struct {
	Name  string // "env:NAME", "file:PATH", "literal-1"
	Value []byte
}
