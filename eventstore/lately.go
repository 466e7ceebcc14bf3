package eventstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Lately is what the latest webhooks of a source tell of the vendor's clock, and of who signs.
type Lately struct {
	Events     int                  // looked at
	Timed      int                  // of these, those with a time of the vendor's
	Behind     time.Duration        // median of their receipt minus that time; below 0: the vendor's clock is ahead
	Ahead      int                  // of the timed ones, those from a time after their receipt
	Newest     time.Time            // the latest receipt; zero: there is none
	VerifiedBy map[string]time.Time // the latest receipt by the secret that verified it
}

// Lately reads the latest n events that the vendor sent, or fewer.
func (l *Log) Lately(ctx context.Context, source string, n int) (Lately, error) {
	rows, err := l.pool.Query(ctx, `
		WITH latest AS (
		       SELECT e.verified_by, e.received_at, e.occurred_at
		         FROM event AS e
		        WHERE e.source = $1 AND e.verified_by <> $2 AND e.repeat_of IS NULL
		        ORDER BY e.position DESC
		        LIMIT $3),
		     clock AS (
		       SELECT count(*) AS events, count(t.occurred_at) AS timed,
		              count(*) FILTER (WHERE t.occurred_at > t.received_at) AS ahead,
		              coalesce(percentile_cont(0.5) WITHIN GROUP (
		                  ORDER BY extract(epoch FROM t.received_at - t.occurred_at)::double precision), 0) AS behind
		         FROM latest AS t)
		SELECT c.events, c.timed, c.ahead, c.behind, t.verified_by, max(t.received_at)
		  FROM clock AS c
		 CROSS JOIN latest AS t
		 GROUP BY 1, 2, 3, 4, 5`, source, Own, n)
	if err != nil {
		return Lately{}, fmt.Errorf("read the latest events of %s: %w", source, err)
	}
	lately := Lately{VerifiedBy: map[string]time.Time{}}
	var behind float64
	var key string
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&lately.Events, &lately.Timed, &lately.Ahead, &behind, &key, &at}, func() error {
		lately.VerifiedBy[key] = at.UTC()
		if at.After(lately.Newest) {
			lately.Newest = at.UTC()
		}
		return nil
	})
	if err != nil {
		return Lately{}, fmt.Errorf("read the latest events of %s: %w", source, err)
	}
	lately.Behind = time.Duration(behind * float64(time.Second)).Round(time.Millisecond)
	return lately, nil
}

// AppendOnly reports whether the database refuses to change or delete events: whether the trigger is there, and on.
func (l *Log) AppendOnly(ctx context.Context) (guarded bool, err error) {
	err = l.pool.QueryRow(ctx, `
		SELECT EXISTS (
		       SELECT
		         FROM pg_trigger AS t
		        WHERE t.tgrelid = to_regclass('event') AND t.tgname = 'event_append_only' AND t.tgenabled IN ('O', 'A'))`).Scan(&guarded)
	if err != nil {
		return false, fmt.Errorf("look for the log's append-only trigger: %w", err)
	}
	return guarded, nil
}
