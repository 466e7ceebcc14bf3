package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"queuetrack/eventstore"
)

// A batch fails on data: only the offenders are refused, and the positions stay dense.
func TestFailedBatchLeavesNoHole(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	var ds []eventstore.Delivery
	for i := range 20 {
		ds = append(ds, body(fmt.Sprint(i), "A"))
	}
	ds[3].Type = "nul\x00"
	ds[11].Ticket = "latin-\xe5"
	ds[19].EventKey = strings.Repeat("incompressible? ", 1)[:3] + randomText(9000)
	receipts, err := log.AppendBatch(t.Context(), source, ds)
	for _, part := range []string{"delivery 3:", "delivery 11:", "delivery 19:", `nul\x00`, `latin-\xe5`} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error doesn't name %s: %v", part, err)
		}
	}
	if errors.Is(err, eventstore.ErrBusy) {
		t.Error("bad data is called busy: the sender would try for ever")
	}
	position := int64(0)
	for i, r := range receipts {
		want := eventstore.Receipt{}
		if i != 3 && i != 11 && i != 19 {
			position++
			want = accepted(position, 1)[0]
		}
		equal(t, fmt.Sprint("receipt ", i), r, want)
	}
	checkEverything(t, pool)
}

// randomText doesn't compress: an index row of it is too large.
func randomText(n int) string {
	var s strings.Builder
	for i := uint32(1); s.Len() < n; i++ {
		fmt.Fprintf(&s, "%08x", i*2654435761)
	}
	return s.String()
}

func TestRefusedDeliveryOfAppendIsAlone(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	var group sync.WaitGroup
	errs := make([]error, 40)
	for i := range errs {
		group.Go(func() {
			d := body(fmt.Sprint(i), "A")
			if i%10 == 0 {
				d.Type = "\x00"
			}
			_, errs[i] = log.Append(t.Context(), source, d)
		})
	}
	group.Wait()
	for i, err := range errs {
		if (err != nil) != (i%10 == 0) {
			t.Errorf("delivery %d: %v", i, err)
		}
	}
	equal(t, "events", len(readAll(t, log)), 36)
}

func TestHeldLockIsBusy(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	mustAppend(t, log, body("1", "A"))
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM log_head WHERE source = $1 FOR UPDATE`, source); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), source, body("1", "B")); !errors.Is(err, eventstore.ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "afterwards", mustAppend(t, log, body("1", "C")), accepted(2, 1))
	equal(t, "bodies", bodies(t, log), []string{"1:A", "1:C"})
}

func TestCallerWhoGivesUp(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := log.Append(ctx, source, body("1", "A")); !errors.Is(err, context.Canceled) && err != nil {
		t.Errorf("got %v, want the context's error", err)
	}
	if _, err := log.AppendBatch(ctx, source, []eventstore.Delivery{body("1", "B")}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	mustAppend(t, log, body("2", "C"))
	checkEverything(t, pool)
}

func TestWrongSourceIsAnErrorAtOnce(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	if _, err := log.Append(t.Context(), "No Source", body("1", "A")); err == nil || errors.Is(err, eventstore.ErrBusy) {
		t.Errorf("got %v", err)
	}
}
