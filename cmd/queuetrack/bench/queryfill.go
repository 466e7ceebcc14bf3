package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"queuetrack/projection"
)

// location is a source whose segments a bench of reports is about, and how many there are: one for each ticket.
type location struct {
	source  string
	tickets int64
}

// opened is the first day of every location: a Monday. They are open from Monday to Friday, from 9 to 18 h, for years of
// 52 weeks.
var opened = time.Date(2024, 11, 18, 0, 0, 0, 0, time.UTC)

const (
	years = 2
	weeks = 52 * years

	eachQueues, firstQueue = 5, 37330 // of each location
)

// makeSegments makes the segments of a location, all in the database: most come at noon, waits and services are lognormal
// with medians of 6 and 4 minutes, longer at noon; one in twenty gives up, some don't come when they are called, or are
// sent back; the odd clock is wrong. The fence makes each random number once.
const makeSegments = `
INSERT INTO wait_segment_{set} (source, ticket, n, queue, desk, agent, entered_at, called_at, left_at, outcome,
	wait_seconds, service_seconds, self_registered, recalls)
SELECT $1, ticket, 1, queue, CASE WHEN called THEN desk ELSE '' END, CASE WHEN called THEN agent ELSE '' END,
	entered_at,
	CASE WHEN called THEN entered_at + make_interval(secs => wait) END,
	entered_at + make_interval(secs => wait + CASE WHEN called THEN 5 + service ELSE 0 END),
	outcome, wait, CASE outcome WHEN 'served' THEN service END, self_registered, CASE WHEN called AND again < 0.08 THEN 1 ELSE 0 END
FROM (
	SELECT *, outcome <> 'abandoned' AS called
	FROM (
		SELECT 'T' || lpad(i::text, 9, '0') AS ticket,
			($5::int + floor(sqrt(line) * $6::int)::int)::text AS queue,
			(1 + floor(post * 8)::int)::text AS desk,
			'agent ' || 1 + floor(post * 12)::int AS agent,
			date_trunc('second', $3::timestamptz + make_interval(
				days => (i * $4 / $2 / 5 * 7 + i * $4 / $2 % 5)::int, secs => 7 * 3600 + noon * 9 * 3600)) AS entered_at,
			CASE WHEN clock < 0.001 THEN -5
				ELSE floor((0.4 + 1.2 * (1 - abs(2 * noon - 1))) * exp(5.9 + 0.8 * sqrt(-2 * ln(1 - patience)) * cos(2 * pi() * luck)))::int
			END AS wait,
			floor(exp(5.5 + 0.8 * sqrt(-2 * ln(1 - trouble)) * cos(2 * pi() * again)))::int AS service,
			clock > 0.995 AS self_registered, again,
			CASE
				WHEN fate < 0.84 THEN 'served'
				WHEN fate < 0.89 THEN 'no_show'
				WHEN fate < 0.94 THEN 'abandoned'
				WHEN fate < 0.96 THEN 'cancelled'
				WHEN fate < 0.98 THEN 'returned'
				ELSE 'transferred'
			END AS outcome
		FROM (
			SELECT i, (random() + random()) / 2 AS noon, random() AS line, random() AS post, random() AS fate, random() AS patience,
				random() AS luck, random() AS trouble, random() AS again, random() AS clock
			FROM generate_series(0, $2::bigint - 1) AS i
			OFFSET 0
		) AS drawn
	) AS made
) AS told`

// fillMemory is what each index may take that is made when the segments are there.
const fillMemory = `SET maintenance_work_mem = '512MB'`

// fillSegments fills the segments' table of a set with those of the locations, as a rebuild leaves it: a location's by
// ticket, one beside the other, all visible. Indexes are made anew at the end: twenty million take some minutes. The database
// must be the caller's alone, the table empty; it survives no crash.
func fillSegments(ctx context.Context, pool *pgxpool.Pool, set projection.Set, locations []location) error {
	table := set.SQL(`wait_segment_{set}`)
	indexes, err := dropIndexes(ctx, pool, table)
	if err != nil {
		return fmt.Errorf("drop the segments' indexes: %w", err)
	}
	if _, err := pool.Exec(ctx, `ALTER TABLE `+table+` SET UNLOGGED`); err != nil {
		return fmt.Errorf("prepare the segments' table: %w", err)
	}
	if err := makeAll(ctx, pool, set, locations); err != nil {
		return err
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer conn.Release()
	for _, statement := range slices.Concat([]string{fillMemory}, indexes, []string{set.SQL(handIndex), `RESET maintenance_work_mem`, `VACUUM ANALYZE ` + table}) {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// makeAll makes the segments of two locations at a time.
func makeAll(ctx context.Context, pool *pgxpool.Pool, set projection.Set, locations []location) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2)
	for i, l := range locations {
		group.Go(func() error {
			err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
				if _, err := tx.Exec(ctx, `SELECT setseed($1)`, float64(i)/float64(len(locations))); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, set.SQL(makeSegments), l.source, l.tickets, opened, 5*weeks, firstQueue, eachQueues)
				return err
			})
			if err != nil {
				return fmt.Errorf("make the segments of %s: %w", l.source, err)
			}
			return nil
		})
	}
	return group.Wait()
}
