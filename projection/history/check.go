package history

import (
	"context"
	"crypto/sha256"
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

	want map[projection.RowKey]row // of the present range
	last projection.RowKey         // the change before
}

// Check begins the comparison of one source's rows.
func (Model) Check(tx pgx.Tx, set projection.Set, source string, report func(eventstore.Violation)) projection.Check {
	return &check{tx: tx, set: set, source: source, report: report, want: map[projection.RowKey]row{}}
}

// Change notes the event's row, and links the ticket's row before to it.
func (c *check) Change(change projection.Change) error {
	if change.Ticket == "" {
		return nil
	}
	r, err := rowOf(change)
	if err != nil {
		return err
	}
	r.State = digest(change.Stored)
	key := projection.RowKey{Ticket: change.Ticket, N: change.Event.Position}
	c.want[key] = r
	if c.last.Ticket == key.Ticket {
		before := c.want[c.last]
		before.Next = key.N
		c.want[c.last] = before
	}
	c.last = key
	return nil
}

// digest stands for a state, of which a ticket may have thousands.
func digest(state []byte) string {
	if len(state) == 0 {
		return ""
	}
	return fmt.Sprintf("%x", sha256.Sum256(state))
}

// Tickets compares each event's row.
func (c *check) Tickets(ctx context.Context, in projection.Range) error {
	want := c.want
	c.want = map[projection.RowKey]row{}
	return c.compare(ctx, in, want)
}

func (c *check) compare(ctx context.Context, in projection.Range, want map[projection.RowKey]row) error {
	query, args := in.SQL(`
		SELECT ticket, position, coalesce(next_position, 0), type, transitions, occurred_at, received_at,
			coalesce(repeat_of, 0), detail, state, open
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
	err := stored.Scan(&key.Ticket, &key.N, &r.Next, &r.Type, &transitions, &occurred, &r.ReceivedAt, &r.RepeatOf, &detail, &state, &r.Open)
	if err != nil {
		return key, r, err
	}
	text, err := json.Marshal(detail)
	if err != nil {
		return key, r, err
	}
	r.Transitions, r.Detail = strings.Join(transitions, " "), string(text)
	r.OccurredAt, r.ReceivedAt = projection.TimeOf(occurred), r.ReceivedAt.UTC()
	r.State = digest(state)
	return key, r, nil
}

// Finish has nothing to compare.
func (*check) Finish(context.Context) error { return nil }
