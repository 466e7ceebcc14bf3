package projection_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
	"queuetrack/projection"
)

// run starts a runner; stop ends it and waits.
func run(t *testing.T, r *projection.Runner) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func TestRunFollowsAndGivesItsLeasesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sources["store"] = fake{}
	stop := run(t, w.runner(projection.Config{Lease: time.Hour, Poll: time.Hour})) // by hints alone
	for i, name := range []string{"city", "store", "city"} {
		until(t, "the shards are claimed", func() bool {
			return one[int64](w, `SELECT count(*) FROM shard WHERE lease_until > clock_timestamp()`) == 2
		})
		w.append(name, delivery("a", minute(i), created("1", minute(i))))
	}
	until(t, "all is folded", func() bool { return w.checkpoint("city") == 2 && w.checkpoint("store") == 1 })
	stop()
	if got := one[int64](w, `SELECT count(*) FROM shard WHERE lease_until > '-infinity'`); got != 0 {
		t.Errorf("%d leases were not given back", got)
	}
	w.check()
}

// marten#4961, KurrentDB: polling is the truth.
func TestListenerDeadProjectionsGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run(t, w.runner(w.config()))
	until(t, "the shard is claimed", func() bool { return one[int64](w, `SELECT count(*) FROM shard`) == 1 })
	other := eventstore.New(w.pool, eventstore.Config{}) // another process, whose hints don't get here
	if _, err := other.Append(t.Context(), "city", delivery("a", noon, created("1", noon))); err != nil {
		t.Fatal(err)
	}
	until(t, "it is folded", func() bool { return w.checkpoint("city") == 1 })
}

func TestLostConnectionsAreReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cfg := w.pool.Config()
	cfg.ConnConfig.RuntimeParams["application_name"] = "victim"
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	run(t, projection.NewRunner(pool, eventstore.New(pool, eventstore.Config{}), w.sources, w.models, w.config()))
	for i := range 3 {
		until(t, "the shard has an owner", func() bool {
			return one[int64](w, `SELECT count(*) FROM shard WHERE lease_until > clock_timestamp()`) == 1
		})
		w.exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'victim'`)
		w.append("city", delivery("a", minute(i), created("1", minute(i))))
		until(t, "what came after the loss is folded", func() bool { return w.checkpoint("city") == int64(i+1) })
	}
	w.check()
}

// marten#5610: the epoch refuses whoever lost its lease.
func TestProcessThatLostItsLeaseGoesOnWriting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)), delivery("a", minute(1), called(minute(1))))
	slow := newWorldOn(w)
	g := newGate()
	slow.models = append([]projection.ReadModel{g}, w.models...)
	done := make(chan error, 1)
	go func() {
		done <- slow.runner(projection.Config{Lease: time.Hour, Poll: time.Millisecond}).CatchUp(t.Context())
	}()
	<-g.entered // it is in the middle of its page …
	w.exec(`UPDATE shard SET lease_until = '-infinity'`)
	w.catchUp() // … when another one takes over and finishes
	before := w.dump()
	g.leave <- struct{}{}
	if err := <-done; err != nil { // it stepped down, and saw that all was done
		t.Errorf("the slow one: %v", err)
	}
	if diff := cmp.Diff(before, w.dump()); diff != "" {
		t.Errorf("the slow process wrote after losing its lease (-before +after):\n%s", diff)
	}
	if got := w.checkpoint("city"); got != 2 {
		t.Errorf("checkpoint %d", got)
	}
	w.check()
}

// newWorldOn is another process on the same database.
func newWorldOn(w *world) *world {
	other := *w
	other.log = eventstore.New(w.pool, eventstore.Config{})
	return &other
}

// marten#5304: leases run out by themselves.
func TestOrphanedLeaseRunsOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	w.exec(`INSERT INTO shard (source, generation, owner, epoch, lease_until)
		VALUES ('city', 0, 'killed with -9', 7, clock_timestamp() + interval '300 ms')`)
	w.catchUp()
	if got := one[int64](w, `SELECT epoch FROM shard`); got != 8 {
		t.Errorf("epoch %d after the takeover; want 8", got)
	}
	if w.checkpoint("city") != 1 {
		t.Error("nothing was folded after the lease ran out")
	}
}

// Its transaction, too: the server ends one that its process left in the middle.
func TestOrphanedTransactionEndsWithTheLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	frozen := newWorldOn(w)
	g := newGate()
	frozen.models = append(w.models[:3:3], g) // it has written by then, and its rows are locked
	run(t, frozen.runner(projection.Config{Lease: 300 * time.Millisecond, Logger: w.config().Logger}))
	<-g.entered
	w.catchUp()
	if w.checkpoint("city") != 1 {
		t.Error("the frozen process blocked its replacement")
	}
	w.check()
}

func TestManyRunnersFoldEachEventOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"city", "store", "crm"} {
		w.sources[name] = fake{}
	}
	var stops []func()
	for range 3 {
		stops = append(stops, run(t, newWorldOn(w).runner(projection.Config{PageSize: 3, Lease: 500 * time.Millisecond, Poll: time.Millisecond, Logger: w.config().Logger})))
	}
	for i := range 30 {
		for _, name := range []string{"city", "store", "crm"} {
			w.append(name, bustle(uint64(i), 10)...)
		}
		if i%10 == 5 {
			w.exec(`UPDATE shard SET lease_until = '-infinity'`) // all leases are up for grabs
		}
	}
	stops[0]()
	w.catchUp() // waits for the owners
	for _, name := range []string{"city", "store", "crm"} {
		if got := w.checkpoint(name); got != 300 {
			t.Errorf("%s: checkpoint %d; want 300", name, got)
		}
	}
	w.check()
}

// marten#2519: an empty log is done at once.
func TestEmptyLogIsDoneAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.catchUp()
	w.check()
	w.view(func(v *projection.View) {
		if diff := cmp.Diff(map[string]int64{"city": 0}, v.Positions); diff != "" {
			t.Errorf("positions (-want +got):\n%s", diff)
		}
	})
}

// After an asynchronous failover, or a restore, that shard stops and says so; the others go on.
func TestCheckpointAheadOfARestoredTail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sources["store"] = fake{}
	w.append("city", delivery("a", noon, created("1", noon)), delivery("a", minute(1), called(minute(1))))
	w.catchUp()
	w.damage(`DELETE FROM event WHERE source = 'city' AND position = 2`)
	var log lines
	cfg := w.config()
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	run(t, w.runner(cfg))
	until(t, "the shard halts", func() bool {
		return one[bool](w, `SELECT count(*) = 1 FROM shard WHERE source = 'city' AND halted IS NOT NULL`)
	})
	w.append("store", delivery("b", noon, created("1", noon)))
	until(t, "the other shard goes on", func() bool { return w.checkpoint("store") == 1 })
	w.append("city", delivery("c", noon, created("1", noon)), delivery("d", noon, created("1", noon)))
	err := w.runner(w.config()).CatchUp(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the checkpoint 2 is ahead of the log's tail 1") {
		t.Errorf("CatchUp over a halted shard: %v", err)
	}
	if got := w.checkpoint("city"); got != 2 {
		t.Errorf("the halted shard moved to %d", got)
	}
	until(t, "it is said aloud", func() bool { return strings.Contains(log.String(), "level=ERROR msg=\"a projection halted") })
	if found := strings.Join(w.violations(), "\n"); !strings.Contains(found, "the projection is halted: the checkpoint 2 is ahead") {
		t.Errorf("Verify says: %s", found)
	}
}

func TestHoleInTheLogHalts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)), delivery("b", noon, created("1", noon)), delivery("c", noon, created("1", noon)))
	w.damage(`DELETE FROM event WHERE position = 2`)
	err := w.runner(w.config()).CatchUp(t.Context())
	if err == nil || !strings.Contains(err.Error(), "a hole in the log: after 1 comes 3") {
		t.Errorf("CatchUp over a hole: %v", err)
	}
	if got := w.checkpoint("city"); got != 0 {
		t.Errorf("the shard moved to %d", got)
	}
	if found := strings.Join(w.violations(), "\n"); !strings.Contains(found, "missing before position 3") {
		t.Errorf("Verify says: %s", found)
	}
}

// marten#4982: lag is measured against tails that are read at that moment.
func TestHealthAgainstAMarkThatIsItselfFrozen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reader := projection.NewReader(w.pool)
	now := minute(10)
	reader.Now = func() time.Time { return now }
	progress := func() projection.Progress {
		t.Helper()
		all, err := reader.Progress(t.Context())
		if err != nil || len(all) != 1 {
			t.Fatalf("progress: %v, %v", all, err)
		}
		return all[0]
	}
	want := func(position, tail int64, lag float64) {
		t.Helper()
		expected := projection.Progress{State: "serving", Source: "city", Position: position, Tail: tail, LagSeconds: lag}
		if diff := cmp.Diff(expected, progress(), cmpopts.IgnoreFields(projection.Progress{}, "DeadLetters")); diff != "" {
			t.Errorf("progress (-want +got):\n%s", diff)
		}
	}
	w.append("city", delivery("a", minute(4), created("1", noon)))
	want(0, 1, 360) // nobody has ever folded it, and nobody runs
	w.append("city", delivery("b", minute(6), created("1", noon)))
	want(0, 2, 360)
	now = minute(11)
	want(0, 2, 420)
	w.catchUp()
	want(2, 2, 0)
	w.append("city", delivery("c", minute(11), said{Fail: "no such queue"}))
	want(2, 3, 0)
	w.catchUp()
	if got := progress().DeadLetters; got != 1 {
		t.Errorf("%d dead letters", got)
	}
}

func TestNoGenerationServes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`DELETE FROM generation`)
	const want = "no generation serves: run the migrations"
	if err := w.runner(w.config()).CatchUp(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("CatchUp: %v", err)
	}
	err := projection.NewReader(w.pool).View(t.Context(), func(*projection.View) error { return nil })
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("View: %v", err)
	}
}

func TestTroubleIsLoggedOnceAnEpisode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	outage := newFlaky(4)
	w.models = append(w.models, outage)
	var log lines
	cfg := w.config()
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	run(t, w.runner(cfg))
	until(t, "the outage is over", func() bool { return strings.Contains(log.String(), "the projection goes on") })
	if got := strings.Count(log.String(), "level=ERROR"); got != 1 {
		t.Errorf("%d errors were logged for one outage:\n%s", got, log.String())
	}
	if got := w.checkpoint("city"); got != 1 {
		t.Errorf("checkpoint %d after the outage", got)
	}
}

// lines is a log that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
