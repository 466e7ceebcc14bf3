package projection

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/eventstore/ticket"
)

// Set is one of the two fixed sets of read model tables: 0 or 1.
type Set int

// SetOf returns the set that a generation lives in.
func SetOf(generation int) Set { return Set(generation % 2) }

// SQL puts the set's number in the place of each {set} in a statement: "board_ticket_{set}" → "board_ticket_0".
func (s Set) SQL(statement string) string {
	return strings.ReplaceAll(statement, "{set}", strconv.Itoa(int(s)))
}

// Change is what one event did.
type Change struct {
	Event       eventstore.Event // without its body
	Ticket      string           // empty: about no ticket; then only Names count
	Before      ticket.State     // zero LastPosition: the ticket was not known
	After       ticket.State     // zero Status: still nothing is known of where it stands
	Stored      []byte           // After, as EncodeState writes it; empty: it tells the same as Before
	Says        ticket.Observation
	Transitions []ticket.Transition
	Names       []source.Name
}

// ReadModel is one read model's writes and its self-check. It belongs to the runner: a page of changes is written in
// the transaction that moves the checkpoint. No row may depend on where pages begin and end.
type ReadModel interface {
	// Write brings the rows of one source up to date with the changes, which are in the log's order.
	Write(ctx context.Context, tx pgx.Tx, set Set, source string, changes []Change) error

	// Tables names the tables that it writes, with {set}.
	Tables() []string

	// Fill begins to fill the tables of one source with whole tickets, which have no rows in them yet.
	Fill(set Set, source string) Filler

	// Settle brings up to date what depends on the order of the source's events across tickets: after a filling, which goes
	// by ticket, and after events were folded behind the checkpoint. It may take long: all events of the source count.
	Settle(ctx context.Context, tx pgx.Tx, set Set, source string) error

	// Check begins the comparison of one source's stored rows with those that its log demands.
	Check(tx pgx.Tx, set Set, source string, report func(eventstore.Violation)) Check
}

// Unordered is part of a read model whose rows don't depend on the order of events across tickets: nothing to settle.
type Unordered struct{}

// Settle implements ReadModel.
func (Unordered) Settle(context.Context, pgx.Tx, Set, string) error { return nil }

// Check is fed all changes of a source once, and reports each difference. It runs in constant
// memory: what it keeps between calls may grow with the number of queues, not with the number of tickets.
type Check interface {
	// Change takes the next change: first those of tickets, ordered by ticket and position, then those about none. What
	// it keeps of one must not be a whole state: a ticket may have thousands of changes, each with a thousand segments.
	Change(c Change) error

	// Tickets compares all rows whose ticket is in the range with what the changes taken since the range before demand.
	// Ranges come in order and cover all ids, so a row of a ticket that the log doesn't know is found.
	Tickets(ctx context.Context, in Range) error

	// Finish comes last, and compares the rows that belong to no one ticket.
	Finish(ctx context.Context) error
}

// Range is a stretch of ticket ids in the database's order: After < id ≤ Through; an empty Through has no end.
type Range struct{ After, Through string }

// SQL completes a statement about the tickets of one source, whose last clause ends with AND: `… WHERE source = $1 AND`.
// It returns the statement and its arguments. (One statement with an OR for the open end would keep Postgres from
// using the bound in its index, and make a walk over all ranges quadratic.)
func (r Range) SQL(statement, source string) (string, []any) {
	if r.Through == "" {
		return statement + ` ticket > $2`, []any{source, r.After}
	}
	return statement + ` ticket > $2 AND ticket <= $3`, []any{source, r.After, r.Through}
}
