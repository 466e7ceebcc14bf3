package eventstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"queuetrack/eventstore"
	"queuetrack/migrations/dbtest"
)

// Who waits for another process's lock says for how long, and a batch how many it took.
func TestMetricsTellALockWait(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	pool := dbtest.New(t)
	log := eventstore.New(pool, eventstore.Config{Metrics: registry})
	mustAppend(t, log, body("1", "a"))
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM log_head WHERE source = $1 FOR NO KEY UPDATE`, source); err != nil {
		t.Fatal(err)
	}
	appended := make(chan error, 1)
	began := time.Now()
	go func() {
		_, err := log.AppendBatch(t.Context(), source, []eventstore.Delivery{body("1", "b"), body("2", "c")})
		appended <- err
	}()
	eventually(t, "the append waits for the lock", func() bool { return lockWaiters(t, pool) > 0 })
	<-time.After(100 * time.Millisecond)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-appended; err != nil {
		t.Fatal(err)
	}
	took := time.Since(began).Seconds()
	sums := histograms(t, registry)
	if got := sums["queuetrack_log_append_batch_deliveries"]; got != "2 of 3" {
		t.Errorf("batches: %s, want 2 of 3 deliveries", got)
	}
	var waits int
	var waited float64
	if _, err := fmt.Sscanf(sums["queuetrack_log_lock_wait_seconds"], "%d of %g", &waits, &waited); err != nil || waits != 2 {
		t.Fatalf("lock waits: %s, %v", sums["queuetrack_log_lock_wait_seconds"], err)
	}
	if waited < 0.1 || waited > took {
		t.Errorf("waited %.3f s, want at least 0.1 and at most %.3f", waited, took)
	}
}

// histograms are "count of sum" by name.
func histograms(t *testing.T, registry *prometheus.Registry) map[string]string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if h := m.GetHistogram(); h != nil {
				sums[f.GetName()] = fmt.Sprintf("%d of %g", h.GetSampleCount(), h.GetSampleSum())
			}
		}
	}
	return sums
}
