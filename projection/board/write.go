package board

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

// Write brings tickets, spells, queues and names up to date, in one round trip.
func (Model) Write(ctx context.Context, tx pgx.Tx, set projection.Set, source string, changes []projection.Change) error {
	var batch pgx.Batch
	s := newSums()
	for _, c := range changes {
		s.add(source, c)
	}
	moves := movesOf(changes)
	if err := queueTickets(&batch, set, source, moves); err != nil {
		return fmt.Errorf("write the board of %s: %w", source, err)
	}
	queueSpells(&batch, set, source, moves)
	queueQueues(&batch, set, source, s.queues)
	queueNames(&batch, set, source, s.names)
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("write the board of %s: %w", source, err)
	}
	return nil
}

// move is what a page did to one ticket: from before its first change to after its last.
type move struct {
	ticket        string
	before, after ticket.State
	stored        []byte // after, encoded; empty: not yet
}

// row is the ticket's row after the page, and its state as it is stored.
func (m move) row() (row ticketRow, stored []byte, ok bool, err error) {
	if stored = m.stored; len(stored) == 0 {
		if stored, err = projection.EncodeState(m.after); err != nil {
			return ticketRow{}, nil, false, fmt.Errorf("ticket %s: %w", m.ticket, err)
		}
	}
	row, ok = ticketRowOf(m.ticket, m.after)
	return row, stored, ok, nil
}

// moves sum up changes by ticket, in the order of the tickets' first changes.
type moves struct {
	all   []move
	index map[string]int
}

func movesOf(changes []projection.Change) []move {
	m := moves{index: map[string]int{}}
	for _, c := range changes {
		m.add(c)
	}
	return m.all
}

func (m *moves) add(c projection.Change) {
	if c.Ticket == "" {
		return
	}
	i, ok := m.index[c.Ticket]
	if !ok {
		i = len(m.all)
		m.index[c.Ticket] = i
		m.all = append(m.all, move{ticket: c.Ticket, before: c.Before})
	}
	m.all[i].after, m.all[i].stored = c.After, c.Stored
}

func queueTickets(batch *pgx.Batch, set projection.Set, source string, moves []move) error {
	var ids, statuses, queues []string
	var states [][]byte
	var created, ordered []time.Time
	var entered []*time.Time
	var priorities []int32
	var positions []int64
	for _, m := range moves {
		r, stored, ok, err := m.row()
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		ids, statuses, queues, states = append(ids, r.Ticket), append(statuses, r.Status), append(queues, r.Queue), append(states, stored)
		created, ordered, entered = append(created, r.CreatedAt), append(ordered, r.OrderAt), append(entered, projection.NullTime(r.EnteredAt))
		priorities, positions = append(priorities, r.Priority), append(positions, r.OrderPosition)
	}
	if len(ids) == 0 {
		return nil
	}
	batch.Queue(set.SQL(`
		INSERT INTO board_ticket_{set} AS b
			(source, ticket, status, queue, created_at, entered_at, priority, order_at, order_position, state)
		SELECT $1, t.ticket, t.status, t.queue, t.created_at, t.entered_at, t.priority, t.order_at, t.order_position, t.state
		FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::int[], $8::timestamptz[],
			$9::bigint[], $10::bytea[])
			AS t (ticket, status, queue, created_at, entered_at, priority, order_at, order_position, state)
		ON CONFLICT (source, ticket) DO UPDATE SET
			status = excluded.status,
			queue = excluded.queue,
			created_at = excluded.created_at,
			entered_at = excluded.entered_at,
			priority = excluded.priority,
			order_at = excluded.order_at,
			order_position = excluded.order_position,
			state = excluded.state`),
		source, ids, statuses, queues, created, entered, priorities, ordered, positions, states)
	return nil
}

// queueSpells writes each ticket's spells from the first one that is not as it was. Mostly that is the last one, which
// got its end, and the new one. Rows are found by their key alone, as an INSERT does; only a ticket that has fewer spells
// than before, which is rare, needs a join.
func queueSpells(batch *pgx.Batch, set projection.Set, source string, moves []move) {
	var cut, ids, statuses, queues []string
	var keep, numbers []int32
	var from, to, entered []*time.Time
	for _, m := range moves {
		before, after := spellRowsOf(m.before), spellRowsOf(m.after)
		same := commonLength(before, after)
		if len(after) < len(before) {
			cut, keep = append(cut, m.ticket), append(keep, int32(len(after)))
		}
		for i, r := range after[same:] {
			ids, numbers = append(ids, m.ticket), append(numbers, int32(same+i+1))
			statuses, queues = append(statuses, r.Status), append(queues, r.Queue)
			from, to, entered = append(from, &r.From), append(to, projection.NullTime(r.To)), append(entered, projection.NullTime(r.EnteredAt))
		}
	}
	if len(cut) > 0 {
		batch.Queue(set.SQL(`
			DELETE FROM board_spell_{set} AS s
			USING unnest($2::text[], $3::int[]) AS c (ticket, keep)
			WHERE s.source = $1 AND s.ticket = c.ticket AND s.n > c.keep`), source, cut, keep)
	}
	if len(ids) == 0 {
		return
	}
	batch.Queue(set.SQL(`
		INSERT INTO board_spell_{set} (source, ticket, n, status, queue, from_at, to_at, entered_at)
		SELECT $1, s.*
		FROM unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[]) AS s
		ON CONFLICT (source, ticket, n) DO UPDATE SET
			status = excluded.status,
			queue = excluded.queue,
			from_at = excluded.from_at,
			to_at = excluded.to_at,
			entered_at = excluded.entered_at`),
		source, ids, numbers, statuses, queues, from, to, entered)
}

// commonLength is how many rows two lists have in common at their beginning.
func commonLength(a, b []spellRow) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// queueQueues adds up the queues' numbers and keeps the latest of the rest, so the changes may come in any order: those of
// a ticket that stood still are told after younger ones of others.
func queueQueues(batch *pgx.Batch, set projection.Set, source string, queues map[string]*queueRow) {
	if len(queues) == 0 {
		return
	}
	var at []time.Time
	var positions, waiting, called, serving, onHold, booked []int64
	ids := slices.Sorted(maps.Keys(queues))
	for _, id := range ids {
		q := queues[id]
		at, positions = append(at, q.LastEventAt), append(positions, q.LastPosition)
		waiting, called, serving = append(waiting, q.Waiting), append(called, q.Called), append(serving, q.Serving)
		onHold, booked = append(onHold, q.OnHold), append(booked, q.Booked)
	}
	batch.Queue(set.SQL(`
		INSERT INTO board_queue_{set} AS q (source, queue, last_event_at, last_position, waiting, called, serving, on_hold, booked)
		SELECT $1, v.*
		FROM unnest($2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[]) AS v
		ON CONFLICT (source, queue) DO UPDATE SET
			last_event_at = greatest(q.last_event_at, excluded.last_event_at),
			last_position = greatest(q.last_position, excluded.last_position),
			waiting = q.waiting + excluded.waiting,
			called = q.called + excluded.called,
			serving = q.serving + excluded.serving,
			on_hold = q.on_hold + excluded.on_hold,
			booked = q.booked + excluded.booked`),
		source, ids, at, positions, waiting, called, serving, onHold, booked)
}

func queueNames(batch *pgx.Batch, set projection.Set, source string, latest map[nameKey]named) {
	if len(latest) == 0 {
		return
	}
	var kinds, ids, names []string
	var positions []int64
	keys := slices.SortedFunc(maps.Keys(latest), func(a, b nameKey) int {
		return strings.Compare(a.kind+"\x00"+a.id, b.kind+"\x00"+b.id)
	})
	for _, k := range keys {
		kinds, ids = append(kinds, k.kind), append(ids, k.id)
		names, positions = append(names, latest[k].Name), append(positions, latest[k].Position)
	}
	batch.Queue(set.SQL(`
		INSERT INTO board_name_{set} AS n (source, kind, id, name, position)
		SELECT $1, v.*
		FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) AS v
		ON CONFLICT (source, kind, id) DO UPDATE SET
			name = excluded.name,
			position = excluded.position
		WHERE excluded.position > n.position`), source, kinds, ids, names, positions)
}
