package wait

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

// check compares the rows of one source with its log.
type check struct {
	tx     pgx.Tx
	set    projection.Set
	source string
	report func(eventstore.Violation)
	last   map[string]ticket.State // of the present range's tickets
	counts map[string]int64        // segments by outcome, of all ranges so far
}

// Check begins the comparison of one source's rows.
func (Model) Check(tx pgx.Tx, set projection.Set, source string, report func(eventstore.Violation)) projection.Check {
	return &check{tx: tx, set: set, source: source, report: report, last: map[string]ticket.State{}, counts: map[string]int64{}}
}

// Change notes the ticket's state.
func (c *check) Change(change projection.Change) error {
	if change.Ticket != "" {
		c.last[change.Ticket] = change.After
	}
	return nil
}

// Tickets compares the tickets' segments and holds.
func (c *check) Tickets(ctx context.Context, in projection.Range) error {
	if err := c.segments(ctx, in); err != nil {
		return err
	}
	if err := c.holds(ctx, in); err != nil {
		return err
	}
	clear(c.last)
	return nil
}

func (c *check) segments(ctx context.Context, in projection.Range) error {
	want := map[projection.RowKey]segmentRow{}
	for id, state := range c.last {
		for i, row := range segmentRowsOf(state) {
			want[projection.RowKey{Ticket: id, N: int64(i + 1)}] = row
			c.counts[row.Outcome]++
		}
	}
	query, args := in.SQL(`
		SELECT ticket, n, queue, desk, agent, entered_at, called_at, left_at, outcome, wait_seconds, service_seconds,
			self_registered, recalls
		FROM wait_segment_{set}
		WHERE source = $1 AND`, c.source)
	rows, err := c.tx.Query(ctx, c.set.SQL(query), args...)
	if err != nil {
		return fmt.Errorf("check segments of %s: %w", c.source, err)
	}
	return projection.Compare("wait_segment", c.source, rows, scanRow, want, c.report)
}

func scanRow(row pgx.CollectableRow) (projection.RowKey, segmentRow, error) {
	var key projection.RowKey
	var r segmentRow
	var called, left *time.Time
	var wait, service *int64
	err := row.Scan(&key.Ticket, &key.N, &r.Queue, &r.Desk, &r.Agent, &r.EnteredAt, &called, &left, &r.Outcome, &wait, &service,
		&r.SelfRegistered, &r.Recalls)
	r.EnteredAt, r.CalledAt, r.LeftAt = r.EnteredAt.UTC(), projection.TimeOf(called), projection.TimeOf(left)
	r.WaitSeconds, r.ServiceSeconds = orNone(wait), orNone(service)
	return key, r, err
}

func (c *check) holds(ctx context.Context, in projection.Range) error {
	want := map[projection.RowKey]holdRow{}
	for id, state := range c.last {
		for i, row := range holdRowsOf(state) {
			want[projection.RowKey{Ticket: id, N: int64(i + 1)}] = row
		}
	}
	query, args := in.SQL(`
		SELECT ticket, n, segment, from_at, to_at
		FROM wait_hold_{set}
		WHERE source = $1 AND`, c.source)
	rows, err := c.tx.Query(ctx, c.set.SQL(query), args...)
	if err != nil {
		return fmt.Errorf("check holds of %s: %w", c.source, err)
	}
	return projection.Compare("wait_hold", c.source, rows, scanHold, want, c.report)
}

func scanHold(row pgx.CollectableRow) (projection.RowKey, holdRow, error) {
	var key projection.RowKey
	var r holdRow
	var to *time.Time
	err := row.Scan(&key.Ticket, &key.N, &r.Segment, &r.FromAt, &to)
	r.FromAt, r.ToAt = r.FromAt.UTC(), projection.TimeOf(to)
	return key, r, err
}

// orNone reads what seconds wrote.
func orNone(n *int64) int64 {
	if n == nil {
		return none
	}
	return *n
}

// Finish adds the outcomes up on their own, as a report does: each segment has one, and has ended unless that is open.
func (c *check) Finish(ctx context.Context) error {
	rows, err := c.tx.Query(ctx, c.set.SQL(`
		SELECT outcome, count(*), count(*) FILTER (WHERE (left_at IS NULL) <> (outcome = 'open'))
		FROM wait_segment_{set}
		WHERE source = $1
		GROUP BY outcome`), c.source)
	if err != nil {
		return fmt.Errorf("count the segments of %s: %w", c.source, err)
	}
	stored := map[string]int64{}
	var outcome string
	var n, contrary int64
	_, err = pgx.ForEachRow(rows, []any{&outcome, &n, &contrary}, func() error {
		if stored[outcome] = n; contrary > 0 {
			c.say("wait: %d segments that are %q tell the contrary by their end", contrary, outcome)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("count the segments of %s: %w", c.source, err)
	}
	for _, outcome := range ticket.Outcomes {
		if o := string(outcome); stored[o] != c.counts[o] {
			c.say("wait: %d segments are %q, the log knows %d", stored[o], o, c.counts[o])
		}
	}
	return nil
}

func (c *check) say(what string, args ...any) {
	c.report(eventstore.Violation{Source: c.source, What: fmt.Sprintf(what, args...)})
}
