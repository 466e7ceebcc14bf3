package history

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
	"queuetrack/projection"
)

// check compares the history's rows of one source with its log.
type check struct {
	tx     pgx.Tx
	set    projection.Set
	source string
	report func(eventstore.Violation)
}

// Check begins the comparison of one source's rows.
func (Model) Check(tx pgx.Tx, set projection.Set, source string, report func(eventstore.Violation)) projection.Check {
	return &check{tx: tx, set: set, source: source, report: report}
}

// Tickets compares each event's row.
func (c *check) Tickets(ctx context.Context, in projection.Range, changes []projection.Change) error {
	want := map[projection.RowKey]row{}
	var before projection.RowKey
	for _, change := range changes {
		if change.Ticket == "" {
			continue
		}
		r, err := rowOf(change)
		if err != nil {
			return err
		}
		key := projection.RowKey{Ticket: change.Ticket, N: change.Event.Position}
		want[key] = r
		if before.Ticket == key.Ticket {
			link(want, before, key)
		}
		before = key
	}
	return c.compare(ctx, in, want)
}

// link sets the next position of a ticket's row.
func link(rows map[projection.RowKey]row, from, to projection.RowKey) {
	r := rows[from]
	r.Next = to.N
	rows[from] = r
}

func (c *check) compare(ctx context.Context, in projection.Range, want map[projection.RowKey]row) error {
	query, args := in.SQL(`
		SELECT ticket, position, coalesce(next_position, 0), type, transitions, occurred_at, received_at,
			coalesce(repeat_of, 0), detail, state
		FROM history_{set}
		WHERE source = $1 AND`, c.source)
	stored, err := c.tx.Query(ctx, c.set.SQL(query), args...)
	if err != nil {
		return fmt.Errorf("check the history of %s: %w", c.source, err)
	}
	return projection.Compare("history", c.source, stored, scanRow, want, c.report)
}

func scanRow(stored pgx.CollectableRow) (projection.RowKey, row, error) {
	var key projection.RowKey
	var r row
	var transitions []string
	var occurred *time.Time
	var detail map[string]string
	var state []byte
	err := stored.Scan(&key.Ticket, &key.N, &r.Next, &r.Type, &transitions, &occurred, &r.ReceivedAt, &r.RepeatOf, &detail, &state)
	if err != nil {
		return key, r, err
	}
	text, err := json.Marshal(detail)
	if err != nil {
		return key, r, err
	}
	r.Transitions, r.Detail = strings.Join(transitions, " "), string(text)
	r.OccurredAt, r.ReceivedAt = projection.TimeOf(occurred), r.ReceivedAt.UTC()
	r.State, err = projection.Canonical(state)
	return key, r, err
}

// Ticketless has nothing to compare: the history is of tickets.
func (*check) Ticketless([]projection.Change) {}

// Finish has nothing to compare.
func (*check) Finish(context.Context) error { return nil }
