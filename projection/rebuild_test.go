package projection_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/eventstore"
	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

func (w *world) rebuilder() *projection.Rebuilder {
	return projection.NewRebuilder(w.pool, w.log, w.sources, w.models, w.config())
}

func (w *world) rebuild() projection.Rebuilt {
	w.t.Helper()
	rebuilt, err := w.rebuilder().Rebuild(w.t.Context(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return rebuilt
}

// rows are the rows of a set, by table, whatever the generation.
func (w *world) rows(set projection.Set) map[string][]string {
	w.t.Helper()
	all := map[string][]string{}
	for _, table := range setTables {
		all[table] = w.list(set.SQL(`SELECT r::text FROM ` + table + `_{set} r ORDER BY r::text`))
	}
	all["dead_letter"] = w.list(`
		SELECT format('%s %s %s %s %s', source, position, ticket, behind, replace(replace(cause, '_1_', '_'), '_0_', '_'))
		FROM dead_letter
		WHERE generation % 2 = $1
		ORDER BY source, position`, int(set))
	return all
}

func TestRebuildGivesTheVeryRowsThatFollowingGave(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		w := newWorld(t)
		w.sources["store"] = fake{}
		w.sources["empty"] = fake{}
		w.append("city", bustle(seed, 700)...)
		w.append("store", bustle(seed+100, 300)...)
		w.catchUp()
		before := w.rows(0)
		rebuilt := w.rebuild()
		if rebuilt.Generation != 1 || rebuilt.Before != 0 || rebuilt.Events != 1000 || rebuilt.Differences.Tickets != 0 {
			t.Errorf("seed %d: %+v", seed, rebuilt)
		}
		if diff := cmp.Diff(before, w.rows(1)); diff != "" {
			t.Fatalf("seed %d (-followed +rebuilt):\n%s", seed, diff)
		}
		w.check()

		// What comes after is folded on top of it, and a second rebuild fills the first one's tables.
		w.append("city", bustle(seed+200, 200)...)
		w.catchUp()
		before = w.rows(1)
		if rebuilt := w.rebuild(); rebuilt.Generation != 2 || rebuilt.Events != 1200 {
			t.Errorf("seed %d: %+v", seed, rebuilt)
		}
		if diff := cmp.Diff(before, w.rows(0)); diff != "" {
			t.Fatalf("seed %d, second rebuild (-followed +rebuilt):\n%s", seed, diff)
		}
		w.check()
	}
}

func transferred(queue string, at time.Time) said {
	return said{Observation: ticket.Observation{Says: ticket.TransitionTransferred, Status: ticket.StatusWaiting, At: at, Queue: queue}}
}

// list reads a column of texts.
func (w *world) list(sql string, args ...any) []string {
	w.t.Helper()
	return strings.Split(one[string](w, `SELECT coalesce(string_agg(t, E'\n'), '') FROM (`+sql+`) AS l (t)`, args...), "\n")
}

// marten#2519
func TestRebuildingAnEmptyLogIsDoneAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if rebuilt := w.rebuild(); rebuilt.Generation != 1 || rebuilt.Events != 0 {
		t.Errorf("%+v", rebuilt)
	}
	w.append("city", delivery("a", noon, created("1", noon)))
	w.catchUp()
	w.check()
	if got := one[int64](w, `SELECT count(*) FROM board_ticket_1`); got != 1 {
		t.Errorf("%d tickets in the new generation", got)
	}
}

func TestRebuildWouldLoseASource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	w.append("gone", delivery("a", noon, created("1", noon)))
	w.catchUp()
	_, err := w.rebuilder().Rebuild(t.Context(), nil)
	if !errors.Is(err, projection.ErrUnconfigured) || !strings.Contains(fmt.Sprint(err), "gone") {
		t.Errorf("%v", err)
	}
	if got := one[int64](w, `SELECT count(*) FROM generation`); got != 1 {
		t.Errorf("%d generations", got)
	}
}

// A view that is older than two switches and goes on reading must not see its tables emptied.
func TestViewIsNotShownClearedTables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	w.catchUp()
	seen := make(chan int64, 1)
	err := projection.NewReader(w.pool).View(t.Context(), func(v *projection.View) error {
		w.rebuild()
		w.rebuild() // it clears what this view reads
		var n int64
		err := v.Tx.QueryRow(t.Context(), v.Set.SQL(`SELECT count(*) FROM board_ticket_{set}`)).Scan(&n)
		seen <- n
		return err
	})
	if n := <-seen; n != 0 || !errors.Is(err, projection.ErrCleared) {
		t.Errorf("it saw %d tickets, %v", n, err)
	}
}

func TestSomebodyReadsWhatIsToBeCleared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	w.catchUp()
	w.rebuild()
	tx, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background()) //nolint:errcheck // the end of the test
	if _, err := tx.Exec(t.Context(), `LOCK TABLE history_0 IN ACCESS SHARE MODE`); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := w.rebuilder().Rebuild(t.Context(), nil)
		done <- err
	}()
	until(t, "the rebuild waits for the reader", func() bool {
		return one[int64](w, `SELECT count(*) FROM generation WHERE phase = 'clearing' AND state = 'building'`) == 1
	})
	w.append("city", delivery("a", minute(1), called(minute(1))))
	w.catchUp() // what serves is followed meanwhile
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	w.check()
}

// Interrupted anywhere, it goes on where it stopped, and what it gives is the same.
func TestInterruptedRebuildGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", bustle(3, 5000)...)
	w.append("city", delivery("", noon, said{Mute: true}))
	w.catchUp()
	before := w.rows(0)
	var done projection.Rebuilt
	var folded int64
	for times := 0; ; times++ {
		ctx, cancel := context.WithCancel(t.Context())
		var last projection.Rebuilding
		rebuilt, err := w.rebuilder().Rebuild(ctx, func(r projection.Rebuilding) {
			if last = r; times < 4 && r.Phase != projection.PhaseClearing {
				cancel()
			}
		})
		cancel()
		if err == nil {
			done = rebuilt
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if last.Events < folded {
			t.Errorf("at the %d. time it had folded %d events, and %d before", times, last.Events, folded)
		}
		folded = last.Events
		w.check()
	}
	if diff := cmp.Diff(before, w.rows(1)); diff != "" {
		t.Errorf("(-followed +rebuilt):\n%s", diff)
	}
	if done.Generation != 1 || done.Differences.Tickets != 0 {
		t.Errorf("%+v", done)
	}
	w.check()
}

// holding is a rebuild that stops where a read model's first write comes, until it is let go.
func holding(w *world, lease time.Duration) (g *gate, done chan error, cancel context.CancelFunc) {
	ctx, cancel := context.WithCancel(w.t.Context())
	g, done = newGate(), make(chan error, 1)
	cfg := w.config()
	cfg.Lease = lease
	models := append([]projection.ReadModel{g}, w.models...)
	go func() {
		_, err := projection.NewRebuilder(w.pool, w.log, w.sources, models, cfg).Rebuild(ctx, nil)
		done <- err
	}()
	return g, done, cancel
}

func TestTwoRebuildsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", bustle(1, 100)...)
	w.catchUp()
	g, done, cancel := holding(w, 5*time.Second)
	defer cancel()
	<-g.entered
	for what, try := range map[string]func() error{
		"rebuild": func() error {
			_, err := w.rebuilder().Rebuild(t.Context(), nil)
			return err
		},
		"rollback": func() error {
			_, err := w.rebuilder().Rollback(t.Context(), nil)
			return err
		},
		"discard": func() error { return w.rebuilder().Discard(t.Context()) },
	} {
		want := projection.ErrRebuilding
		if what == "rollback" {
			want = projection.ErrNoPrevious
		}
		if err := try(); !errors.Is(err, want) {
			t.Errorf("%s beside a rebuild: %v", what, err)
		}
	}
	g.leave <- struct{}{}
	if err := <-done; err != nil {
		t.Error(err)
	}
	w.check()
}

// One that was killed keeps nobody out for longer than its lease, and what it has in flight is refused.
func TestRebuildTakesOverFromOneThatFroze(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", bustle(1, 100)...)
	w.catchUp()
	g, done, cancel := holding(w, time.Second)
	defer cancel()
	<-g.entered
	w.exec(`UPDATE generation SET lease_until = '-infinity' WHERE state = 'building'`)
	if rebuilt := w.rebuild(); rebuilt.Generation != 1 {
		t.Errorf("%+v", rebuilt)
	}
	before := w.rows(1)
	close(g.leave)
	if err := <-done; err == nil {
		t.Error("the frozen one went on")
	}
	if diff := cmp.Diff(before, w.rows(1)); diff != "" {
		t.Errorf("the frozen one wrote (-before +after):\n%s", diff)
	}
	w.check()
}

func TestDiscardDropsWhatWasFilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", bustle(1, 100)...)
	w.catchUp()
	if err := w.rebuilder().Discard(t.Context()); !errors.Is(err, projection.ErrNothingBuilding) {
		t.Errorf("discard without a rebuild: %v", err)
	}
	g, done, cancel := holding(w, time.Hour)
	<-g.entered
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if err := w.rebuilder().Discard(t.Context()); err != nil {
		t.Fatal(err)
	}
	for table, rows := range w.rows(1) {
		if len(rows) != 1 || rows[0] != "" {
			t.Errorf("%s still has rows: %q", table, rows)
		}
	}
	if got := one[string](w, `SELECT string_agg(generation || ' ' || state, ', ' ORDER BY generation) FROM generation`); got != "0 serving, 1 dropped" {
		t.Errorf("generations: %s", got)
	}
	if rebuilt := w.rebuild(); rebuilt.Generation != 3 { // the next unused number that has the other set of tables
		t.Errorf("%+v", rebuilt)
	}
	w.check()
}

func TestRollbackGoesBackWithoutGoingBackInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", bustle(1, 200)...)
	w.catchUp()
	if _, err := w.rebuilder().Rollback(t.Context(), nil); !errors.Is(err, projection.ErrNoPrevious) {
		t.Errorf("rollback without a rebuild: %v", err)
	}
	w.rebuild()
	w.append("city", bustle(2, 300)...)
	w.sources["store"] = fake{} // since the previous one stopped
	w.append("store", bustle(4, 100)...)
	w.catchUp()
	before := w.rows(1)
	back, err := w.rebuilder().Rollback(t.Context(), nil)
	if err != nil || back.Generation != 0 || back.Before != 1 || back.Events != 400 {
		t.Fatalf("%+v, %v", back, err)
	}
	if diff := cmp.Diff(before, w.rows(0)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	w.check()
	w.append("city", bustle(5, 50)...)
	w.catchUp()
	if forth, err := w.rebuilder().Rollback(t.Context(), nil); err != nil || forth.Generation != 1 {
		t.Fatalf("and forth: %+v, %v", forth, err)
	}
	w.check()
	if rebuilt := w.rebuild(); rebuilt.Generation != 2 {
		t.Errorf("%+v", rebuilt)
	}
	w.check()
}

// What an operator dismissed stays dismissed: in what is filled, and in what is gone back to.
func TestDismissalOutlivesRebuilds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city",
		delivery("a", noon, created("1", noon)),
		delivery("a", minute(1), said{Fail: "odd"}),
		delivery("a", minute(2), called(minute(2))))
	w.catchUp()
	w.rebuild()
	if _, err := w.runner(w.config()).Dismiss(t.Context(), "city", 2, noon); err != nil {
		t.Fatal(err)
	}
	w.check()
	if _, err := w.rebuilder().Rollback(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	w.check()
	w.rebuild()
	w.check()
	if got := one[string](w, `SELECT status FROM board_ticket_0 WHERE ticket = 'a'`); got != "called" {
		t.Errorf("the ticket is %s", got)
	}
	if got := one[int64](w, `SELECT count(*) FROM dead_letter`); got != 0 {
		t.Errorf("%d dead letters", got)
	}
}

// A value that only the database refuses is found by the filling too.
func TestRebuildFindsValuesThatTheDatabaseRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := incompressible(20_000) // too long for an index
	var ds []eventstore.Delivery
	for i := range 9 {
		id := fmt.Sprint("t", i)
		ds = append(ds, delivery(id, noon, created("1", noon)), delivery(id, minute(1), called(minute(1))))
	}
	ds[8] = delivery("t4", noon, created(long, noon))
	ds[5] = delivery("t2", minute(1), transferred(long, minute(1)))
	w.append("city", ds...)
	w.catchUp()
	before := w.rows(0)
	w.rebuild()
	if diff := cmp.Diff(before, w.rows(1)); diff != "" {
		t.Errorf("(-followed +rebuilt):\n%s", diff)
	}
	w.check()
}

// Postgres restored from a backup: the log has lost its end, and what serves is ahead of it. A rebuild mends that.
func TestRebuildMendsACheckpointAheadOfARestoredTail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", bustle(1, 50)...)
	w.catchUp()
	w.damage(`DELETE FROM event WHERE position > 40`)
	if err := w.runner(w.config()).CatchUp(t.Context()); err == nil {
		t.Fatal("the shard was not halted")
	}
	w.rebuild()
	w.check()
	w.append("city", bustle(2, 20)...)
	w.catchUp()
	w.check()
}
