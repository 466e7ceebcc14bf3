package projection_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/projection"
)

// counter counts the statements of a pool.
type counter struct{ n atomic.Int64 }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}

func (c *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// counted is a reader of the same database whose statements are counted.
func (w *world) counted() (*projection.Reader, *counter) {
	w.t.Helper()
	cfg := w.pool.Config().Copy()
	c := &counter{}
	cfg.ConnConfig.Tracer = c
	pool, err := pgxpool.NewWithConfig(w.t.Context(), cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(pool.Close)
	return projection.NewReader(pool), c
}

func TestAwaitReturnsWhatIsFolded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	w.catchUp()
	reader, statements := w.counted()
	for _, want := range []map[string]int64{nil, {"city": 0, "store": 0}, {"city": 1}} {
		seen, err := reader.Await(t.Context(), want)
		if err != nil || seen.Positions["city"] != 1 || seen.Generation != 0 {
			t.Errorf("%v: %+v, %v", want, seen, err)
		}
	}
	if n := statements.n.Load(); n != 3 {
		t.Errorf("%d statements for three who need not wait", n)
	}
}

// A hundred who wait look at the checkpoints as one.
func TestManyWaitAtTheCostOfOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reader, statements := w.counted()
	began := time.Now()
	errs := make([]error, 100)
	var waiting sync.WaitGroup
	for i := range errs {
		waiting.Go(func() {
			seen, err := reader.Await(t.Context(), map[string]int64{"city": 1})
			if err == nil && seen.Positions["city"] != 1 {
				err = errors.New("it was not folded")
			}
			errs[i] = err
		})
	}
	until(t, "a few looks at the checkpoints", func() bool { return statements.n.Load() >= 5 })
	w.append("city", delivery("a", noon, created("1", noon)))
	w.catchUp()
	waiting.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	// A look each 15 ms, whoever waits: with room for one that was begun just before, and just after.
	if n, most := statements.n.Load(), int64(time.Since(began)/(15*time.Millisecond))+2; n > most {
		t.Errorf("%d looks in %s", n, time.Since(began))
	}
}

func TestAwaitGivesUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	w.catchUp()
	began := time.Now()
	seen, err := w.reader().Await(t.Context(), map[string]int64{"city": 5, "store": 1})
	var behind *projection.BehindError
	if !errors.As(err, &behind) {
		t.Fatalf("%+v, %v", seen, err)
	}
	if took := time.Since(began); took < 2*time.Second {
		t.Errorf("gave up after %s", took)
	}
	want := &projection.BehindError{
		Want: map[string]int64{"city": 5, "store": 1}, Folded: map[string]int64{"city": 1, "store": 0}, Gained: map[string]int64{"city": 0, "store": 0},
	}
	if diff := cmp.Diff(want, behind); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if text := err.Error(); text != "city is folded through 1, 4 short of 5; store is folded through 0, 1 short of 1" {
		t.Error(text)
	}
}

func (w *world) reader() *projection.Reader { return projection.NewReader(w.pool) }

func TestAwaitEndsWithItsRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.reader().Await(ctx, map[string]int64{"city": 1}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	w.pool.Close()
	if _, err := w.reader().Await(t.Context(), map[string]int64{"city": 1}); err == nil || !strings.Contains(err.Error(), "serving generation") {
		t.Errorf("without a database: %v", err)
	}
}

func TestWhenToAskAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want, folded, gained int64
		after                time.Duration
	}{
		{100, 90, 50, time.Second},
		{1100, 100, 200, 10 * time.Second},
		{1_000_000, 0, 1, time.Minute},
		{100, 90, 0, time.Second},
		{100, 100, 0, time.Second},
	} {
		e := projection.BehindError{
			Want: map[string]int64{"city": c.want}, Folded: map[string]int64{"city": c.folded}, Gained: map[string]int64{"city": c.gained},
		}
		if got := e.RetryAfter(); got != c.after {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
