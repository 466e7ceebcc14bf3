package eventstore

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// rule says which events a delivery may be a duplicate of.
type rule string

const (
	// ruleAlways: of none. An operator's retry out of the quarantine, and our own events without a key.
	ruleAlways rule = "always"

	// ruleKey: of the event with the same key, whenever that came and whatever its bytes.
	ruleKey rule = "key"

	// ruleLatest: of the ticket's latest event, when the bodies are equal. Not of an older one: A → B → A is an edit
	// taken back, or a visitor sent back to the queue. But when the older one was received longer ago than the
	// replay window, nobody edits any more: somebody plays back a recording, and the delivery is kept in quarantine,
	// once.
	//
	// The latest event is the vendor's latest that could be used. Quarantined ones don't count, since the fold never
	// saw them. Our own don't either: had they, then a vendor's late retry of A would, after our expiry, look like
	// the edit A → expired → A and bring the ticket back to life. The price: a vendor that says again what it said
	// last, of a ticket that we ended, is not heard.
	ruleLatest rule = "latest"

	// ruleSeen: of the same body within the replay window. For what is about no ticket (compared with all without a
	// ticket), and for what is quarantined of a ticket (compared with that ticket's quarantine).
	ruleSeen rule = "seen"
)

func ruleOf(d Delivery) rule {
	if d.RepeatOf > 0 {
		return ruleAlways
	}
	if d.EventKey != "" {
		return ruleKey
	}
	if d.VerifiedBy == Own {
		return ruleAlways
	}
	if d.Ticket != "" && d.Quarantined == "" {
		return ruleLatest
	}
	return ruleSeen
}

// columns are a batch as the arrays that the statement unnests, one a column.
//
// The last four name, for each delivery, the first one in the batch (counted from 1) that it shares its key, its
// ticket, its ticket and body with, and whether it shares the latter with another one at all. Equality within the
// batch is settled here, so that the statement compares small integers, and those rarely.
type columns struct {
	rules        column[string]
	tickets      column[*string]
	types        column[string]
	keys         column[*string]
	occurred     column[*time.Time]
	received     column[time.Time]
	bodies       column[[]byte]
	digests      column[[]byte]
	ids          column[pgtype.UUID]
	verifiers    column[string]
	causes       column[*string]
	repeats      column[*int64]
	firstKeys    column[int32]
	firstTickets column[int32]
	firstBodies  column[int32]
	twins        column[bool]
}

// column is a slice that is encoded without reflection.
type column[T any] = pgtype.FlatArray[T]

func columnsOf(es []entry) columns {
	var c columns
	var keys, tickets, bodies ranks
	for i := range es {
		e := &es[i]
		r := ruleOf(e.Delivery)
		c.rules = append(c.rules, string(r))
		c.tickets = append(c.tickets, nullable(e.Ticket))
		c.types = append(c.types, e.Type)
		c.keys = append(c.keys, nullable(e.EventKey))
		c.occurred = append(c.occurred, instant(e.OccurredAt))
		c.received = append(c.received, e.ReceivedAt)
		c.bodies = append(c.bodies, bytesOf(e.Body))
		c.digests = append(c.digests, e.digest[:])
		c.ids = append(c.ids, pgtype.UUID{Bytes: e.id, Valid: true})
		c.verifiers = append(c.verifiers, e.VerifiedBy)
		c.causes = append(c.causes, nullable(e.Quarantined))
		c.repeats = append(c.repeats, nullable(e.RepeatOf))
		c.firstKeys = append(c.firstKeys, keys.first(likeness{rule: r, key: e.EventKey}, i))
		c.firstTickets = append(c.firstTickets, tickets.first(likeness{ticket: e.Ticket}, i))
		c.firstBodies = append(c.firstBodies, bodies.first(likeness{ticket: e.Ticket, digest: e.digest}, i))
		first := c.firstBodies[i] - 1
		c.twins = append(c.twins, int(first) < i)
		c.twins[first] = c.twins[first] || int(first) < i
	}
	return c
}

// args are the columns in the order of the statement's parameters.
func (c columns) args() []any {
	return []any{
		c.rules, c.tickets, c.types, c.keys, c.occurred, c.received, c.bodies, c.digests, c.ids, c.verifiers,
		c.causes, c.repeats, c.firstKeys, c.firstTickets, c.firstBodies, c.twins,
	}
}

// likeness is what two deliveries of a batch can have in common.
type likeness struct {
	rule   rule // keys of repeats take no part in uniqueness
	key    string
	ticket string
	digest [32]byte
}

// ranks remembers who came first.
type ranks struct{ seen map[likeness]int32 }

func (r *ranks) first(l likeness, i int) int32 {
	if r.seen == nil {
		r.seen = map[likeness]int32{}
	}
	if _, ok := r.seen[l]; !ok {
		r.seen[l] = int32(i) + 1 //nolint:gosec // a batch is far smaller than 2³¹
	}
	return r.seen[l]
}

// nullable turns Go's "none" into the database's.
func nullable[T comparable](v T) *T {
	var none T
	if v == none {
		return nil
	}
	return &v
}

// instant is nullable for times, whose zero has many spellings.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// bytesOf is the empty body for none: nil would be NULL.
func bytesOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
