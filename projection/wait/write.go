package wait

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

// columns are new rows, column by column.
type columns struct {
	tickets, queues, desks, agents, outcomes []string
	numbers                                  []int32
	entered                                  []time.Time
	called, left                             []*time.Time
	waits, services                          []*int64
	selfRegistered                           []bool
	recalls                                  []int32
}

func (c *columns) add(id string, n int32, r segmentRow) {
	c.tickets, c.numbers, c.queues = append(c.tickets, id), append(c.numbers, n), append(c.queues, r.Queue)
	c.desks, c.agents, c.outcomes = append(c.desks, r.Desk), append(c.agents, r.Agent), append(c.outcomes, r.Outcome)
	c.entered = append(c.entered, r.EnteredAt)
	c.called, c.left = append(c.called, projection.NullTime(r.CalledAt)), append(c.left, projection.NullTime(r.LeftAt))
	c.waits, c.services = append(c.waits, seconds(r.WaitSeconds)), append(c.services, seconds(r.ServiceSeconds))
	c.selfRegistered, c.recalls = append(c.selfRegistered, r.SelfRegistered), append(c.recalls, int32(r.Recalls))
}

// Write brings each ticket's segments up to date from the first one that is not as it was: mostly the last one only.
// Rows are found by their key alone, as an INSERT does; only a ticket that has fewer segments than before needs a join.
func (Model) Write(ctx context.Context, tx pgx.Tx, set projection.Set, source string, changes []projection.Change) error {
	before, after := map[string]ticket.State{}, map[string]ticket.State{}
	var order []string
	for _, c := range changes {
		if c.Ticket == "" {
			continue
		}
		if _, ok := before[c.Ticket]; !ok {
			before[c.Ticket] = c.Before
			order = append(order, c.Ticket)
		}
		after[c.Ticket] = c.After
	}
	var cut []string
	var keep []int32
	var rows columns
	var holds holdColumns
	for _, id := range order {
		old, now := segmentRowsOf(before[id]), segmentRowsOf(after[id])
		same := commonLength(old, now)
		if len(now) < len(old) {
			cut, keep = append(cut, id), append(keep, int32(len(now)))
		}
		for i, r := range now[same:] {
			rows.add(id, int32(same+i+1), r)
		}
		holds.change(id, holdRowsOf(before[id]), holdRowsOf(after[id]))
	}
	var batch pgx.Batch
	queueCuts(&batch, set, source, cut, keep)
	queueRows(&batch, set, source, rows)
	holds.queue(&batch, set, source)
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("write segments of %s: %w", source, err)
	}
	return nil
}

func queueCuts(batch *pgx.Batch, set projection.Set, source string, tickets []string, keep []int32) {
	if len(tickets) == 0 {
		return
	}
	batch.Queue(set.SQL(`
		DELETE FROM wait_segment_{set} AS s
		USING unnest($2::text[], $3::int[]) AS c (ticket, keep)
		WHERE s.source = $1 AND s.ticket = c.ticket AND s.n > c.keep`), source, tickets, keep)
}

func queueRows(batch *pgx.Batch, set projection.Set, source string, c columns) {
	if len(c.tickets) == 0 {
		return
	}
	batch.Queue(set.SQL(`
		INSERT INTO wait_segment_{set} (source, ticket, n, queue, desk, agent, entered_at, called_at, left_at, outcome,
			wait_seconds, service_seconds, self_registered, recalls)
		SELECT $1, s.*
		FROM unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[],
			$9::timestamptz[], $10::text[], $11::bigint[], $12::bigint[], $13::boolean[], $14::int[]) AS s
		ON CONFLICT (source, ticket, n) DO UPDATE SET
			queue = excluded.queue,
			desk = excluded.desk,
			agent = excluded.agent,
			entered_at = excluded.entered_at,
			called_at = excluded.called_at,
			left_at = excluded.left_at,
			outcome = excluded.outcome,
			wait_seconds = excluded.wait_seconds,
			service_seconds = excluded.service_seconds,
			self_registered = excluded.self_registered,
			recalls = excluded.recalls`),
		source, c.tickets, c.numbers, c.queues, c.desks, c.agents, c.entered, c.called, c.left, c.outcomes,
		c.waits, c.services, c.selfRegistered, c.recalls)
}
