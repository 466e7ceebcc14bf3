package projection_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore/source"
	"queuetrack/projection"
)

var six = []string{"city", "crm", "desk", "hall", "port", "store"}

// sharers is a lease that a busy machine renews in time, and looks as frequent as a test wants them.
func (w *world) sharers() projection.Config {
	return projection.Config{Lease: 4 * time.Second, Poll: 10 * time.Millisecond, Logger: w.config().Logger}
}

// configured is another process on the same database, with sources of its own.
func (w *world) configured(names ...string) *world {
	other := newWorldOn(w)
	other.sources = map[string]source.Source{}
	for _, name := range names {
		other.sources[name] = fake{}
	}
	return other
}

// owned is each shard's owner and epoch.
func (w *world) owned() map[string]string {
	w.t.Helper()
	rows, err := w.pool.Query(w.t.Context(), `
		SELECT source, owner || ' ' || epoch
		FROM shard
		WHERE lease_until >= clock_timestamp()`)
	if err != nil {
		w.t.Fatal(err)
	}
	owned := map[string]string{}
	var source, owner string
	if _, err := pgx.ForEachRow(rows, []any{&source, &owner}, func() error {
		owned[source] = owner
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return owned
}

// shared waits until so many hold so many shards each, in falling order.
func (w *world) shared(want ...int) {
	w.t.Helper()
	until(w.t, fmt.Sprintf("shares of %v", want), func() bool {
		shares := map[string]int{}
		for _, owner := range w.owned() {
			name, _, _ := strings.Cut(owner, " ")
			shares[name]++
		}
		var got []int
		for _, n := range shares {
			got = append(got, n)
		}
		slices.Sort(got)
		slices.Reverse(got)
		return slices.Equal(got, want)
	})
}

func TestProcessesShareTheShards(t *testing.T) {
	t.Parallel()
	w := newWorld(t).configured(six...)
	join := func() (stop func()) { return run(t, w.configured(six...).runner(w.sharers())) }

	first := join()
	w.shared(6)
	second := join()
	w.shared(3, 3)
	join()
	w.shared(2, 2, 2)
	before := w.owned()
	for i := range 20 { // under load, and longer than a lease takes to be renewed
		for _, name := range six {
			w.append(name, bustle(uint64(i), 10)...)
		}
		until(t, "it is folded", func() bool { return w.checkpoint("store") == int64(10*(i+1)) })
	}
	if diff := cmp.Diff(before, w.owned()); diff != "" {
		t.Errorf("shards moved though nobody came or went (-before +after):\n%s", diff)
	}
	join()
	w.shared(2, 2, 1, 1)
	first()
	w.shared(2, 2, 2)
	second()
	w.shared(3, 3)
	w.catchUp()
	w.check()
}

func TestProcessesWithDifferentSourcesShareWhatTheyCan(t *testing.T) {
	t.Parallel()
	w := newWorld(t).configured(six...)
	run(t, w.configured(six[:4]...).runner(w.sharers()))
	w.shared(4)
	run(t, w.configured(six[2:5]...).runner(w.sharers()))
	w.shared(3, 2)
	run(t, w.configured(six[4:5]...).runner(w.sharers())) // may have one, which makes room for another
	w.shared(2, 2, 1)
	run(t, w.configured().runner(w.sharers()))
	until(t, "one with nothing to fold is there, too", func() bool { return one[int64](w, `SELECT count(*) FROM runner`) == 4 })
	w.shared(2, 2, 1)
}

// A deployment that rolls: the new version folds nothing of what the old one serves while that one lives, has all of it as
// soon as its rebuild has switched, and what it folds is of one version. When none with the right version is left, whoever is
// there goes on.
func TestVersionsDoNotMixInOneGeneration(t *testing.T) {
	t.Parallel()
	w := newWorld(t).configured(six...)
	as := func(code string) projection.Config {
		cfg := w.sharers()
		cfg.Fingerprint = projection.Fingerprint{Code: code}
		return cfg
	}
	folded := func(n int) {
		t.Helper()
		for _, name := range six {
			w.append(name, bustle(uint64(n), 10)...)
		}
		until(t, "it is folded", func() bool {
			return one[int64](w, `SELECT coalesce(sum(position), 0) FROM shard s JOIN generation g USING (generation) WHERE g.state = 'serving'`) == int64(60*n)
		})
	}
	versions := func(want string) {
		t.Helper()
		got := one[string](w, `
			SELECT string_agg(DISTINCT w.code, ' ' ORDER BY w.code)
			FROM folded_with w JOIN generation g USING (generation)
			WHERE g.state = 'serving'`)
		if got != want {
			t.Errorf("the serving generation was folded by %s; want %s", got, want)
		}
	}
	begin := func(code string) (stop func()) {
		n := one[int64](w, `SELECT count(*) FROM runner`)
		stop = run(t, w.configured(six...).runner(as(code)))
		until(t, "it is on the roster", func() bool { return one[int64](w, `SELECT count(*) FROM runner`) == n+1 })
		return stop
	}

	stopOld := begin("v1")
	w.shared(6)
	folded(1)
	stopNew := begin("v2")
	folded(2)
	w.shared(6)
	versions("v1")

	if _, err := projection.NewRebuilder(w.pool, w.log, w.sources, w.models, as("v2")).Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	folded(3)
	begin("v1")
	folded(4)
	begin("v2")
	w.shared(3, 3)
	folded(5)
	versions("v2")

	stopOld()
	stopNew()
	w.shared(6)
	folded(6)
	versions("v2")
	w.exec(`UPDATE generation SET fingerprint = 'v3' WHERE state = 'serving'`) // none of which is left
	w.shared(3, 3)
	folded(7)
	w.check()
}

// What a killed process held goes on when its leases run out.
func TestSharesOfTheKilledAreTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t).configured(six...)
	const killed = `'killed with -9', clock_timestamp() + interval '400 ms'`
	w.exec(`INSERT INTO runner (sources, shards, owner, lease_until) VALUES ($1, $1, `+killed+`)`, six)
	w.exec(`INSERT INTO shard (source, generation, epoch, owner, lease_until) SELECT unnest($1::text[]), 0, 7, `+killed, six)
	run(t, w.configured(six...).runner(w.sharers()))
	run(t, w.configured(six...).runner(w.sharers()))
	w.shared(3, 3)
	if got := one[int64](w, `SELECT count(*) FROM runner`); got != 2 {
		t.Errorf("%d runners are listed; want the two that live", got)
	}
}

// Frozen in the middle of a page, for longer than its leases, and awake again: what it was about to write is refused, and
// it gets a share like any other.
func TestFrozenProcessIsRefusedAndComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t).configured(six...)
	for i, name := range six {
		w.append(name, bustle(uint64(i), 20)...)
	}
	var log lines
	sleeper := w.configured(six...)
	g := newGate()
	sleeper.models = append([]projection.ReadModel{g}, w.models...)
	cfg := w.sharers()
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	run(t, sleeper.runner(cfg))
	name := <-g.entered
	w.shared(6)
	// The clock goes on without it, and another process folds the page.
	w.exec(`UPDATE runner SET lease_until = '-infinity'`)
	w.exec(`UPDATE shard SET lease_until = '-infinity' WHERE source = $1`, name)
	w.catchUp()
	before := w.dump()
	run(t, w.runner(w.sharers()))
	g.leave <- struct{}{}
	until(t, "the late page is refused", func() bool {
		return strings.Contains(log.String(), `what came too late was refused" source=`+name)
	})
	w.shared(3, 3)
	if diff := cmp.Diff(before, w.dump()); diff != "" {
		t.Errorf("the late page was written (-before +after):\n%s", diff)
	}
	w.check()
}

// turn switches to generation 1 as a rebuild does, by hand; its shards hold nothing yet.
func (w *world) turn(names ...string) {
	w.t.Helper()
	err := pgx.BeginFunc(w.t.Context(), w.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(w.t.Context(), `SELECT FROM shard FOR UPDATE`)
		if err != nil {
			return err
		}
		for _, sql := range []string{
			`UPDATE generation SET state = 'previous' WHERE state = 'serving'`,
			`INSERT INTO generation (generation, state, fingerprint, created_at) VALUES (1, 'serving', '', statement_timestamp())`,
			`UPDATE shard SET epoch = epoch + 1, owner = '', lease_until = '-infinity'`,
		} {
			if _, err := tx.Exec(w.t.Context(), sql); err != nil {
				return err
			}
		}
		_, err = tx.Exec(w.t.Context(), `INSERT INTO shard (source, generation) SELECT unnest($1::text[]), 1`, names)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// A shard that has nothing to do and a lease for long follows the new generation at once.
func TestSwitchIsNoticedByTheIdle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	cfg := w.config()
	cfg.Lease = time.Hour
	run(t, w.runner(cfg))
	until(t, "it is folded", func() bool { return w.checkpoint("city") == 1 })
	w.turn("city")
	until(t, "the new generation follows", func() bool {
		return one[int64](w, `SELECT position FROM shard WHERE generation = 1`) == 1
	})
	if got := one[bool](w, `SELECT lease_until = '-infinity' FROM shard WHERE generation = 0`); !got {
		t.Error("the old generation was claimed again")
	}
	w.check()
}

// A claim that had read which generation serves, before a switch, and comes to its row after it.
func TestClaimAcrossASwitch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	first, err := w.pool.Begin(t.Context()) // somebody else's first claim, which the other one waits for
	if err != nil {
		t.Fatal(err)
	}
	defer first.Rollback(t.Context()) //nolint:errcheck // committed below
	if _, err := first.Exec(t.Context(), `INSERT INTO shard (source, generation) VALUES ('city', 0)`); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- w.runner(w.config()).CatchUp(t.Context()) }()
	until(t, "the claim waits", func() bool {
		return one[int64](w, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == 1
	})
	w.turn("city")
	if err := first.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	want := []string{"0: at 0, epoch 0", "1: at 1, epoch 1"}
	got := one[[]string](w, `SELECT array_agg(format('%s: at %s, epoch %s', generation, position, epoch) ORDER BY generation) FROM shard`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("shards (-want +got):\n%s", diff)
	}
	w.check()
}

func TestProgressTellsWhoFolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := run(t, w.runner(w.sharers()))
	held := func() bool {
		t.Helper()
		all, err := projection.NewReader(w.pool).Progress(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range all {
			if p.Owner != "" && time.Until(p.LeaseUntil) > 0 {
				return true
			}
			if p.Owner != "" || !p.LeaseUntil.IsZero() {
				t.Fatalf("held by %q until %v", p.Owner, p.LeaseUntil)
			}
		}
		return false
	}
	until(t, "it has an owner", held)
	stop()
	if held() {
		t.Error("it has an owner who has given it back")
	}
}
