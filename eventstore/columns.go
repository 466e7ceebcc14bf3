package eventstore

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// columns are a batch as the arrays that the statement unnests, one a column.
type columns struct {
	rules     column[string]
	tickets   column[*string]
	types     column[string]
	keys      column[*string]
	occurred  column[*time.Time]
	received  column[time.Time]
	bodies    column[[]byte]
	digests   column[[]byte]
	ids       column[pgtype.UUID]
	verifiers column[string]
	causes    column[*string]
	repeats   column[*int64]
}

// column is a slice that is encoded without reflection.
type column[T any] = pgtype.FlatArray[T]

func columnsOf(es []entry) columns {
	var c columns
	for i := range es {
		e := &es[i]
		c.rules = append(c.rules, string(ruleOf(e.Delivery)))
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
	}
	return c
}

// args are the parameters of both statements that append: those given, and the columns in their order.
func (c columns) args(before ...any) []any {
	return append(before,
		c.tickets, c.types, c.keys, c.occurred, c.received, c.bodies, c.digests, c.ids, c.verifiers, c.causes, c.repeats)
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
