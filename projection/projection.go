package projection

import (
	"context"
	"strconv"
	"strings"
	"time"

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
	Before      ticket.State     // zero Status: the ticket was not known
	After       ticket.State
	Says        ticket.Observation // what the event itself said
	Transitions []ticket.Transition
	Names       []source.Name
}

// ReadModel is one read model's writes and its self-check. It belongs to the runner: a page of changes is written in
// the transaction that moves the checkpoint. No row may depend on where pages begin and end.
type ReadModel interface {
	// Write brings the rows of one source up to date with the changes, which are in the log's order.
	Write(ctx context.Context, tx pgx.Tx, set Set, source string, changes []Change) error

	// Verify compares the stored rows of these tickets with what the changes (all of them, from the first event to
	// the checkpoint, ordered by ticket and position) demand, and reports each difference.
	Verify(ctx context.Context, tx pgx.Tx, set Set, source string, tickets []string, changes []Change, report func(eventstore.Violation)) error
}

// View is one consistent look at the serving generation: a REPEATABLE READ READ ONLY transaction, the set of tables to
// read, and how far each source has been folded in them.
type View struct {
	Tx         pgx.Tx
	Generation int
	Set        Set
	Positions  map[string]int64
	Now        time.Time // the instant the answer is for
}
