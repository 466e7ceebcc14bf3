package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/projection"
)

// The yardstick of a rebuild: what someone who knows SQL well, and only the ways that a ticket goes at a [site], would
// write to fill the read models from the log. Each row is the one that a rebuild writes, but for the columns of bytes: SQL has
// something of the same size there. So it does what the tables can't do without, and none of what makes the fold one
// (any vendor, any order, late and lost deliveries, an event that can't be read, an interruption). The estimates' tables it
// leaves out: they follow from the order of all tickets of a queue, step by step, which no SQL of a handful of statements
// folds. So a rebuild does a little more.

// parseSteps reads each body once, and tells what its event did: sorted once, by ticket and position, which all windows
// share. The name of the source is one of ours; a statement that makes a table takes no arguments.
const parseSteps = `
CREATE TEMPORARY TABLE step ON COMMIT DROP AS
WITH told AS (
    SELECT e.ticket, e.position, e.type, e.occurred_at, e.received_at,
        b.status AS told, b.line AS queue, b."publicId" AS label, b.called ->> 'desk' AS desk, b.called ->> 'caller' AS agent,
        (b.created ->> 'date')::timestamptz AS created_at,
        (b.called ->> 'date')::timestamptz AS called_at,
        (b.served ->> 'date')::timestamptz AS served_at
    FROM event e
    CROSS JOIN LATERAL jsonb_to_record(convert_from(e.body, 'UTF8')::jsonb -> 'data')
        AS b (status text, line text, "publicId" text, created jsonb, called jsonb, served jsonb)
    WHERE e.source = '{source}' AND e.ticket IS NOT NULL
), linked AS (
    SELECT t.*,
        lag(t.told) OVER log AS told_before, lag(t.queue) OVER log AS queue_before, lead(t.position) OVER log AS next_position
    FROM told t
    WINDOW log AS (PARTITION BY t.ticket ORDER BY t.position)
), moved AS (
    SELECT l.*,
        CASE
            WHEN l.told_before IS NULL THEN 'created'
            WHEN l.told = 'CALLED' AND l.told_before = 'NEW' THEN 'called'
            WHEN l.type = 'ticket_recalled' THEN 'recalled'
            WHEN l.told = 'NEW' AND l.queue <> l.queue_before THEN 'transferred'
            WHEN l.told = 'NEW' AND l.told_before = 'CALLED' THEN 'returned'
            WHEN l.told = 'SERVED' THEN 'served'
            WHEN l.told = 'NOSHOW' THEN 'no_show'
            WHEN l.told = 'CANCELLED_BY_CLERK' THEN 'cancelled'
            ELSE 'changed'
        END AS transition,
        CASE l.told
            WHEN 'NEW' THEN 'waiting'
            WHEN 'CALLED' THEN 'called'
            WHEN 'SERVED' THEN 'served'
            WHEN 'NOSHOW' THEN 'no_show'
            ELSE 'cancelled'
        END AS status
    FROM linked l
    -- A fence, as the next: computed once, not wherever it is used.
    OFFSET 0
), dated AS (
    SELECT m.*,
        CASE
            WHEN m.transition = 'created' THEN m.created_at
            WHEN m.transition IN ('called', 'recalled') THEN m.called_at
            WHEN m.transition = 'served' THEN m.served_at
            ELSE m.received_at
        END AS at,
        m.transition IN ('created', 'returned', 'transferred') AS enters
    FROM moved m
    OFFSET 0
)
SELECT d.ticket, d.position, d.next_position, d.type, d.occurred_at, d.received_at, d.queue, d.queue_before, d.label, d.desk, d.agent,
    d.created_at, d.transition, d.status, d.at, d.enters,
    count(*) FILTER (WHERE d.enters) OVER log AS segment,
    max(d.at) FILTER (WHERE d.enters) OVER log AS entered_at,
    max(d.position) FILTER (WHERE d.enters) OVER log AS entered_position,
    string_agg({piece}, '') FILTER (WHERE d.transition <> 'changed') OVER log AS pieces
FROM dated d
WINDOW log AS (PARTITION BY d.ticket ORDER BY d.position)`

// piece is what a step adds to the bytes of its ticket.
const piece = `
    int8send(date_part('epoch', d.at)::bigint) || int8send(d.position)
        || convert_to(concat(left(d.transition, 1), d.queue, d.desk, d.agent, d.label), 'UTF8')`

// fillSet fills the tables from the steps.
var fillSet = []string{`
INSERT INTO history_{set} (source, ticket, position, next_position, type, transitions, occurred_at, received_at, detail, state, open)
SELECT '{source}', s.ticket, s.position, s.next_position, s.type, ARRAY[s.transition], s.occurred_at, s.received_at,
    ('{' || concat_ws(',', '"agent":"' || s.agent || '"', CASE s.status WHEN 'cancelled' THEN '"by":"staff"' END,
        '"desk":"' || s.desk || '"', '"label":"' || s.label || '"', '"queue":"' || s.queue || '"', '"status":"' || s.status || '"') || '}')::json,
    CASE WHEN s.transition <> 'changed' THEN s.pieces END, s.status IN ('booked', 'waiting', 'called', 'serving', 'on_hold')
FROM step s`, `
INSERT INTO folded_{set} (source, ticket, status, facts, last_position, expires_from)
SELECT '{source}', s.ticket, s.status, s.pieces, s.position, s.received_at
FROM step s
WHERE s.next_position IS NULL`, `
INSERT INTO board_ticket_{set} (source, ticket, status, queue, created_at, entered_at, priority, order_at, order_position, state)
SELECT '{source}', s.ticket, s.status, s.queue, s.created_at, s.entered_at, 0, s.entered_at, s.entered_position, s.pieces
FROM step s
WHERE s.next_position IS NULL`, `
INSERT INTO board_spell_{set} (source, ticket, n, status, queue, from_at, to_at, entered_at)
SELECT '{source}', p.ticket, p.n, p.status, p.queue, p.from_at, p.to_at, CASE p.status WHEN 'waiting' THEN p.from_at END
FROM (
    SELECT s.ticket, row_number() OVER log AS n, s.status, s.queue, s.at AS from_at, lead(s.at) OVER log AS to_at
    FROM step s
    WHERE s.transition NOT IN ('changed', 'recalled')
    WINDOW log AS (PARTITION BY s.ticket ORDER BY s.position)) AS p
WHERE p.status IN ('waiting', 'called')`, `
INSERT INTO wait_segment_{set} (source, ticket, n, queue, desk, agent, entered_at, called_at, left_at, outcome,
    wait_seconds, service_seconds, self_registered, recalls)
SELECT '{source}', g.ticket, g.segment, g.queue, g.desk, g.agent, g.entered_at, g.called_at, g.left_at, g.outcome,
    date_part('epoch', coalesce(g.called_at, g.left_at) - g.entered_at),
    CASE g.outcome WHEN 'served' THEN date_part('epoch', g.left_at - g.called_at) END, false, g.recalls
FROM (
    SELECT s.ticket, s.segment, min(s.queue) AS queue, coalesce(min(s.desk), '') AS desk, coalesce(min(s.agent), '') AS agent,
        date_trunc('second', min(s.at) FILTER (WHERE s.enters)) AS entered_at,
        min(s.at) FILTER (WHERE s.transition = 'called') AS called_at,
        count(*) FILTER (WHERE s.transition = 'recalled') AS recalls,
        date_trunc('second', coalesce(min(s.at) FILTER (WHERE s.status NOT IN ('waiting', 'called')),
            lead(min(s.at) FILTER (WHERE s.enters)) OVER log)) AS left_at,
        CASE
            WHEN bool_or(s.status = 'served') THEN 'served'
            WHEN bool_or(s.status = 'no_show') THEN 'no_show'
            WHEN bool_or(s.status = 'cancelled') THEN 'abandoned'
            ELSE coalesce(lead(min(s.transition) FILTER (WHERE s.enters)) OVER log, 'open')
        END AS outcome
    FROM step s
    GROUP BY s.ticket, s.segment
    WINDOW log AS (PARTITION BY s.ticket ORDER BY s.segment)) AS g`, `
INSERT INTO board_queue_{set} (source, queue, last_event_at, last_position, waiting, called, serving, on_hold, booked)
SELECT '{source}', q.queue, max(q.received_at), max(q.position),
    count(*) FILTER (WHERE q.stands AND q.status = 'waiting'), count(*) FILTER (WHERE q.stands AND q.status = 'called'), 0, 0, 0
FROM (
    SELECT s.queue, s.received_at, s.position, s.status, s.next_position IS NULL AS stands
    FROM step s
    UNION ALL
    SELECT s.queue_before, s.received_at, s.position, s.status, false
    FROM step s
    WHERE s.transition = 'transferred') AS q
GROUP BY q.queue`, `
INSERT INTO board_name_{set} (source, kind, id, name, position)
SELECT DISTINCT ON (n.kind, n.id) '{source}', n.kind, n.id, n.name, n.position
FROM (
    SELECT CASE e.type WHEN 'line_changed' THEN 'queue' ELSE 'location' END AS kind, e.position,
        b.data ->> 'id' AS id, b.data ->> 'name' AS name
    FROM event e
    CROSS JOIN LATERAL (SELECT convert_from(e.body, 'UTF8')::jsonb -> 'data' AS data) AS b
    WHERE e.source = '{source}' AND e.ticket IS NULL) AS n
ORDER BY n.kind, n.id, n.position DESC`}

// settings let the yardstick sort in memory, where the largest sort has a row an event, and read the bodies with as many
// processes as the server allows: the planner does not know how much work a body is.
var settings = []string{
	`SET LOCAL work_mem = '256MB'`,
	`SET LOCAL parallel_setup_cost = 0`,
	`SET LOCAL parallel_tuple_cost = 0`,
	`SET LOCAL jit = off`,
	`SET LOCAL synchronous_commit = off`,
}

// FillSet fills the set's empty tables from the sources' logs, with SQL alone.
func FillSet(ctx context.Context, pool *pgxpool.Pool, set projection.Set, sources []string) error {
	for _, source := range sources {
		err := pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
			return fillFrom(ctx, tx, set, source)
		})
		if err != nil {
			return fmt.Errorf("fill the tables of %s by SQL: %w", source, err)
		}
	}
	return nil
}

func fillFrom(ctx context.Context, tx pgx.Tx, set projection.Set, source string) error {
	words := strings.NewReplacer("{source}", source, "{piece}", piece)
	for _, statement := range slices.Concat(settings, []string{parseSteps, `ANALYZE step`}, fillSet) {
		if _, err := tx.Exec(ctx, set.SQL(words.Replace(statement))); err != nil {
			return fmt.Errorf("%.60s …: %w", strings.TrimSpace(statement), err)
		}
	}
	return nil
}

// EmptySet empties the set's tables.
func EmptySet(ctx context.Context, pool *pgxpool.Pool, set projection.Set) error {
	_, err := pool.Exec(ctx, set.SQL(`
		TRUNCATE folded_{set}, board_ticket_{set}, board_spell_{set}, board_queue_{set}, board_name_{set}, history_{set}, wait_segment_{set},
			wait_hold_{set}`))
	if err != nil {
		return fmt.Errorf("empty the tables: %w", err)
	}
	return nil
}
