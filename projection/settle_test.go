package projection_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// slow is a read model that takes its time to settle.
type slow struct {
	nothing
	settling time.Duration
}

func (s slow) Settle(ctx context.Context, tx pgx.Tx, _ projection.Set, _ string) error {
	_, err := tx.Exec(ctx, `SELECT pg_sleep_for($1)`, s.settling)
	return err
}

// To settle the estimates of a long log takes longer than a lease: the operator's retry keeps its shard meanwhile.
func TestARetryOutlivesALease(t *testing.T) {
	t.Parallel()
	w, m := newMendable(t)
	w.append("city",
		delivery("a", noon, created("1", noon)),
		delivery("a", minute(1), said{Observation: called(minute(1)).Observation, Fail: "no"}))
	w.catchUp()
	m.mended.Store(true)
	cfg := w.config()
	cfg.Lease = time.Second
	followed, stop := context.WithCancel(t.Context())
	followers := make(chan error, 1)
	go func() { followers <- w.runner(cfg).Run(followed) }()
	held := *w
	held.models = append(held.models[:len(held.models):len(held.models)], slow{settling: 3 * time.Second})
	retried, err := held.runner(cfg).Retry(t.Context(), "city", 2)
	if err != nil || retried.Folded != 1 {
		t.Errorf("retried %+v, %v", retried, err)
	}
	stop()
	if err := <-followers; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	w.check()
}
