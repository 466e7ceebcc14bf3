package projection

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
)

const (
	// expireEvery is how often open tickets are looked through.
	expireEvery = time.Minute
	// expirePage bounds one append.
	expirePage = 500
)

// Expirer appends eventstore.TypeExpired for open tickets that no event has touched for too long. Nothing waits for
// ever: webhooks get lost, and a ticket whose end was lost would stand on the board for good.
//
// It decides from the folded tickets, so an event of the vendor may be on its way into them meanwhile. The fold settles
// that: the event says which position it was decided on, and a later one voids it. Safe for concurrent use, also by
// many processes.
type Expirer struct {
	pool   *pgxpool.Pool
	log    *eventstore.Log
	after  map[string]time.Duration
	now    func() time.Time
	logger *slog.Logger
}

// NewExpirer returns an expirer; after gives each source's expire_after, 0 for never.
func NewExpirer(pool *pgxpool.Pool, log *eventstore.Log, after map[string]time.Duration, now func() time.Time) *Expirer {
	return &Expirer{pool: pool, log: log, after: after, now: now, logger: slog.Default()}
}

// Run expires once a minute until ctx ends, and returns nil. What fails is logged, once an episode, and tried again.
func (e *Expirer) Run(ctx context.Context) error {
	ticker := time.NewTicker(expireEvery)
	defer ticker.Stop()
	failing := false
	for {
		_, err := e.ExpireOnce(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !failing {
			e.logger.ErrorContext(ctx, "open tickets can't be expired now; trying again each minute", "error", err)
		}
		failing = err != nil
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// ExpireOnce appends what is due now and returns how many events that made. Where one source fails, the others are
// still done; the first error is returned.
func (e *Expirer) ExpireOnce(ctx context.Context) (int, error) {
	var count int
	var failure error
	for _, source := range slices.Sorted(maps.Keys(e.after)) {
		if e.after[source] <= 0 {
			continue
		}
		n, err := e.expire(ctx, source, e.after[source])
		count += n
		if err != nil && failure == nil {
			failure = fmt.Errorf("expire tickets of %s: %w", source, err)
		}
	}
	return count, failure
}

// due is an open ticket that has been silent for too long.
type due struct {
	Ticket       string
	LastPosition int64
	ExpiresFrom  time.Time
}

func (e *Expirer) expire(ctx context.Context, source string, after time.Duration) (int, error) {
	now := e.now().UTC()
	reason := fmt.Sprintf("no event for %s", after)
	var count int
	var last due
	for {
		page, err := e.due(ctx, source, now.Add(-after), last)
		if err != nil || len(page) == 0 {
			return count, err
		}
		n, err := e.append(ctx, source, page, reason, now)
		count += n
		if err != nil {
			return count, err
		}
		last = page[len(page)-1]
	}
}

// due returns a page of the open tickets that expire counting from before an instant. What was appended for them is not
// folded yet, so the walk goes on behind the last page.
func (e *Expirer) due(ctx context.Context, source string, before time.Time, last due) ([]due, error) {
	var page []due
	err := snapshot(ctx, e.pool, func(tx pgx.Tx) error {
		v := &View{Tx: tx}
		if err := v.open(ctx); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, v.Set.SQL(`
			SELECT ticket, last_position, expires_from
			FROM folded_{set}
			WHERE source = $1 AND status IN ('booked', 'waiting', 'called', 'serving', 'on_hold')
				AND expires_from < $2 AND (expires_from, ticket) > ($3, $4)
			ORDER BY expires_from, ticket
			LIMIT $5`), source, before, last.ExpiresFrom, last.Ticket, expirePage)
		if err != nil {
			return err
		}
		page, err = pgx.CollectRows(rows, pgx.RowToStructByPos[due])
		return err
	})
	return page, err
}

func (e *Expirer) append(ctx context.Context, source string, page []due, reason string, now time.Time) (int, error) {
	deliveries := make([]eventstore.Delivery, len(page))
	for i, d := range page {
		var err error
		if deliveries[i], err = ownEvent(eventstore.TypeExpired, d.Ticket, d.LastPosition, reason, now); err != nil {
			return 0, err
		}
	}
	receipts, err := e.log.AppendBatch(ctx, source, deliveries)
	var count int
	for _, r := range receipts {
		if r.Result == eventstore.Accepted {
			count++
		}
	}
	return count, err
}
