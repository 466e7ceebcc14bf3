package eventstore

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/migrations/dbtest"
)

// The plan is made once a connection, and must be good for ever: from an empty log, from one with a single event and
// fresh statistics (all indexes look alike), and from a large one.
func TestPlanProbesTheIndexes(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	for _, events := range []int{0, 1, 30_000} {
		seed(t, pool, events)
		checkNewsPlan(t, events, explain(t, pool, appendNews))
		plan := explain(t, pool, appendEvents)
		for index, times := range map[string]int{
			"event_pk":         2, // the batch's own ids behind the horizon, the tail
			"event_unique_key": 1,
			"event_ticket":     1, // whether the equal event is its ticket's latest
			"event_same_body":  2, // the equal event, and its replay
		} {
			if got := strings.Count(plan, " using "+index+" "); got != times {
				t.Errorf("with %d events %s is used %d times, want %d:\n%s", events, index, got, times, plan)
			}
		}
		for _, condition := range []string{
			"(event_key >= ", "(ticket >= ", "(digest >= ", `("position" > $2)`,
		} {
			if !strings.Contains(plan, condition) {
				t.Errorf("with %d events nothing is looked up by %s:\n%s", events, condition, plan)
			}
		}
		if strings.Contains(plan, "Seq Scan on event") {
			t.Errorf("with %d events the log is read whole:\n%s", events, plan)
		}
	}
}

func checkNewsPlan(t *testing.T, events int, plan string) {
	t.Helper()
	for _, index := range []string{"event_pk", "event_unique_key", "event_same_body"} {
		if got := strings.Count(plan, " using "+index+" "); got != 1 {
			t.Errorf("news, with %d events: %s is used %d times, want once:\n%s", events, index, got, plan)
		}
	}
	for _, condition := range []string{"(event_key >= ", "(digest >= "} {
		if !strings.Contains(plan, condition) {
			t.Errorf("news, with %d events: nothing is looked up by %s:\n%s", events, condition, plan)
		}
	}
	if strings.Contains(plan, "Seq Scan on event") {
		t.Errorf("news, with %d events: the log is read whole:\n%s", events, plan)
	}
}

func seed(t *testing.T, pool *pgxpool.Pool, n int) {
	t.Helper()
	_, err := pool.Exec(t.Context(), `
		INSERT INTO event (source, position, ticket, type, received_at, body, digest, delivery_id, verified_by)
		SELECT 'city', t.n, t.n / 5, 't', $2, t.n::text::bytea, sha256(t.n::text::bytea), gen_random_uuid(), 'x'
		  FROM generate_series((SELECT count(*) FROM event) + 1, $1::bigint) AS t (n)`, n, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if n > 0 {
		if _, err := pool.Exec(t.Context(), `ANALYZE event`); err != nil {
			t.Fatal(err)
		}
	}
}

// explain returns a statement's generic plan.
func explain(t *testing.T, pool *pgxpool.Pool, statement string) string {
	t.Helper()
	var plan []string
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), limitAppend); err != nil {
			return err
		}
		lines, err := explainIn(t.Context(), tx, statement)
		plan = lines
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(plan, "\n")
}

func explainIn(ctx context.Context, tx pgx.Tx, statement string) ([]string, error) {
	if _, err := tx.Exec(ctx, `PREPARE append AS `+statement); err != nil {
		return nil, err
	}
	var parameters int
	if err := tx.QueryRow(ctx, `SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'append'`).Scan(&parameters); err != nil {
		return nil, err
	}
	nulls := strings.Repeat(", NULL", parameters-1)
	rows, err := tx.Query(ctx, fmt.Sprintf(`EXPLAIN EXECUTE append ('city'%s)`, nulls))
	if err != nil {
		return nil, err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, `DEALLOCATE append`)
	return lines, err
}
