package projection_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/projection"
)

// mendable is fake, which can be mended: then nothing is poison to it any more.
type mendable struct {
	fake
	mended atomic.Bool
}

func (m *mendable) Decode(body []byte) (source.Decoded, error) {
	if !m.mended.Load() {
		return m.fake.Decode(body)
	}
	var s said
	if err := json.Unmarshal(body, &s); err != nil {
		return source.Decoded{}, err
	}
	if s.Mute {
		return source.Decoded{Names: s.Names}, nil
	}
	s.Queue = s.Queue[:min(len(s.Queue), 100)]
	return source.Decoded{Ticket: &s.Observation, Names: s.Names}, nil
}

// newMendable is a world whose adapter can be mended.
func newMendable(t *testing.T) (*world, *mendable) {
	t.Helper()
	w, m := newWorld(t), &mendable{}
	w.sources["city"] = m
	return w, m
}

// unstorable is a queue's name that no index takes.
func unstorable() string {
	rng := rand.New(rand.NewPCG(1, 1))
	long := make([]byte, 20_000)
	for i := range long {
		long[i] = byte('0' + rng.IntN(75))
	}
	return string(long)
}

// fresh is what a world would hold whose adapter had never been broken.
func fresh(t *testing.T, ds []eventstore.Delivery) map[string][]string {
	t.Helper()
	w, m := newMendable(t)
	m.mended.Store(true)
	w.append("city", ds...)
	w.catchUp()
	w.check()
	return w.dump()
}

func (w *world) deadLetters() []projection.DeadLetter {
	w.t.Helper()
	letters, err := projection.NewReader(w.pool).DeadLetters(w.t.Context(), "", "", 0, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	return letters
}

func (w *world) retry(position int64) projection.Retried {
	w.t.Helper()
	done, err := w.runner(w.config()).Retry(w.t.Context(), "city", position)
	if err != nil {
		w.t.Fatal(err)
	}
	return done
}

func (w *world) dismiss(position int64) projection.Retried {
	w.t.Helper()
	done, err := w.runner(w.config()).Dismiss(w.t.Context(), "city", position, noon)
	if err != nil {
		w.t.Fatal(err)
	}
	return done
}

func same(t *testing.T, what string, want, got map[string][]string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// Decode errors, panics, values that no column takes; about tickets and about none; in the midst of hundreds of others.
func TestRetriedRowsAreThoseOfTheirPlace(t *testing.T) {
	t.Parallel()
	ds := bustle(1, 501)
	ds[100] = delivery("t007", ds[100].ReceivedAt, created(unstorable(), noon))
	want := fresh(t, ds)
	for _, size := range []int{500, 3} {
		w, m := newMendable(t)
		w.append("city", ds...)
		w.catchUp()
		m.mended.Store(true)
		letters := w.deadLetters()
		kinds := map[string]bool{}
		for i := len(letters) - 1; i >= 0; i-- { // the last first: their order must not matter
			kind, _, _ := strings.Cut(letters[i].Cause, ":")
			kinds[kind] = true
			runner := w.runner(projection.Config{PageSize: size, Logger: w.config().Logger})
			done, err := runner.Retry(t.Context(), "city", letters[i].Position)
			if want := (projection.Retried{Folded: 1 + letters[i].Waiting}); err != nil || done != want {
				t.Errorf("retry of %+v: %+v, %v; want %+v", letters[i], done, err, want)
			}
		}
		if len(letters) < 10 || len(kinds) != 3 {
			t.Errorf("%d dead letters by %v: the test proves little", len(letters), kinds)
		}
		w.check()
		same(t, fmt.Sprintf("rows after retries with pages of %d", size), want, w.dump())
	}
}

// A decode error that stays one: nothing changes but the cause.
func TestARetryInVainChangesTheCause(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city",
		delivery("a", noon, created("1", noon)),
		delivery("a", minute(1), said{Fail: "no such status"}),
		delivery("a", minute(2), called(minute(2))),
		delivery("", minute(3), said{Panic: "about nothing"}))
	w.catchUp()
	before := w.dump()
	w.exec(`UPDATE dead_letter SET cause = 'as of old' WHERE behind IS NULL`)
	for position, cause := range map[int64]string{2: "decode: no such status", 4: "panic: about nothing"} {
		_, err := w.runner(w.config()).Retry(t.Context(), "city", position)
		var dead *projection.StillDeadError
		if !errors.As(err, &dead) || dead.Cause != cause {
			t.Errorf("retry of %d: %v; want the cause %q", position, err, cause)
		}
	}
	same(t, "rows after retries in vain", before, w.dump())
	w.check()
}

func TestALaterOneOfTheQueueMayFail(t *testing.T) {
	t.Parallel()
	for name, poison := range map[string]said{
		"an error":            {Fail: "still"},
		"what no index takes": created(unstorable(), noon),
	} {
		w := newWorld(t)
		m := &onlyHere{position: 2}
		w.sources["city"] = m
		w.append("city",
			delivery("a", noon, created("1", noon)),
			delivery("a", minute(1), called(minute(1))),
			delivery("b", minute(1), created("1", noon)),
			delivery("a", minute(2), created("1", noon)),
			delivery("a", minute(3), poison),
			delivery("a", minute(4), called(minute(4))),
			delivery("a", minute(5), served(minute(5), minute(4))))
		m.body = one[[]byte](w, `SELECT body FROM event WHERE position = 2`)
		w.catchUp()
		m.mended.Store(true)
		done := w.retry(2)
		if done.Folded != 2 || done.Stands != 5 || done.Cause == "" || done.Unfinished {
			t.Errorf("%s: %+v; want 2 folded, and 5 the dead letter", name, done)
		}
		w.check()
		letters := w.deadLetters()
		if len(letters) != 1 || letters[0].Position != 5 || letters[0].Waiting != 2 || letters[0].Cause != done.Cause {
			t.Errorf("%s: dead letters %+v; want 5 with 2 behind", name, letters)
		}
		if done = w.dismiss(5); done != (projection.Retried{Folded: 2}) {
			t.Errorf("%s: dismissed: %+v", name, done)
		}
		w.check()
		if status := one[string](w, `SELECT status FROM board_ticket_0 WHERE ticket = 'a'`); status != "served" {
			t.Errorf("%s: the ticket is %s; want it served, as the last one said", name, status)
		}
	}
}

// onlyHere can't read one body until it is mended.
type onlyHere struct {
	mendable
	position int64
	body     []byte
}

func (o *onlyHere) Decode(body []byte) (source.Decoded, error) {
	if string(body) == string(o.body) && !o.mended.Load() {
		return source.Decoded{}, errors.New("not this one")
	}
	return o.fake.Decode(body)
}

func TestWhatIsNoDeadLetter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plant(w) // 5 is dead, 6 waits behind it
	w.dismiss(5)
	w.append("city", delivery("d", noon, said{Fail: "again"}), delivery("d", noon, created("1", noon)))
	w.catchUp()
	runner, ctx := w.runner(w.config()), t.Context()
	for name, try := range map[string]func(int64) error{
		"retry": func(p int64) error { _, err := runner.Retry(ctx, "city", p); return err },
		"look": func(p int64) error {
			_, _, err := projection.NewReader(w.pool).DeadLetter(ctx, "city", p, 10)
			return err
		},
		"dismiss": func(p int64) error {
			done, err := runner.Dismiss(ctx, "city", p, noon)
			if done.Already {
				err = projection.ErrDismissed
			}
			return err
		},
	} {
		for position, want := range map[int64]error{7: projection.ErrNotDead, 99: projection.ErrNotDead, 5: projection.ErrDismissed, 6: projection.ErrNotDead} {
			if err := try(position); !errors.Is(err, want) {
				t.Errorf("%s of %d: %v; want %v", name, position, err, want)
			}
		}
		var waits *projection.WaitsBehindError
		if err := try(9); !errors.As(err, &waits) || waits.Front != 8 {
			t.Errorf("%s of one that waits: %v; want it to name 8", name, err)
		}
	}
	var notNow *projection.NotNowError
	if _, err := runner.Retry(ctx, "elsewhere", 1); !errors.As(err, &notNow) {
		t.Errorf("retry at an unknown source: %v", err)
	}
	w.check()
}

// A page that has read "the ticket is dead" can't commit after a retry brought it to life.
func TestARetryFencesOffThePageInFlight(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]bool{"before it wrote": false, "when it holds rows' locks": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, m := newMendable(t)
			w.append("city",
				delivery("a", noon, created("1", noon)),
				delivery("a", minute(1), said{Observation: called(minute(1)).Observation, Fail: "no"}),
				delivery("a", minute(2), created("1", noon)))
			w.catchUp()
			m.mended.Store(true)
			w.append("city", delivery("b", minute(3), created("1", minute(3))), delivery("a", minute(4), served(minute(4), minute(1))))

			hold := newGate()
			held := *w
			held.models = append([]projection.ReadModel{hold}, w.models...)
			if last {
				held.models = append(slices.Clone(w.models), hold)
			}
			caught, retried := make(chan error, 1), make(chan error, 1)
			epoch := w.epoch()
			go func() { caught <- held.runner(w.config()).CatchUp(t.Context()) }()
			<-hold.entered
			go func() {
				_, err := w.runner(w.config()).Retry(t.Context(), "city", 2)
				retried <- err
			}()
			if last { // the retry waits for the rows, and the page will find that it has lost the shard
				until(t, "the retry takes the shard", func() bool { return w.epoch() > epoch+1 })
				close(hold.leave)
				if err := <-retried; err != nil {
					t.Error(err)
				}
			} else {
				if err := <-retried; err != nil {
					t.Error(err)
				}
				close(hold.leave)
			}
			if err := <-caught; err != nil {
				t.Error(err)
			}
			if letters := w.deadLetters(); len(letters) > 0 {
				t.Errorf("dead letters: %+v", letters)
			}
			if at := w.checkpoint("city"); at != 5 {
				t.Errorf("checkpoint %d, want 5", at)
			}
			w.check()
		})
	}
}

func (w *world) epoch() int64 {
	w.t.Helper()
	return one[int64](w, `SELECT coalesce(max(epoch), 0) FROM shard WHERE source = 'city'`)
}

// A retry under a runner at work: the runner comes back to its shard.
func TestRetriesBesideARunner(t *testing.T) {
	t.Parallel()
	ds := bustle(4, 600)
	want := fresh(t, ds)
	w, m := newMendable(t)
	w.append("city", ds[:300]...)
	w.catchUp()
	m.mended.Store(true)
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { _ = w.runner(w.config()).Run(ctx) })
	for _, l := range w.deadLetters() {
		for range 2 { // twice at once: one of them is told that it is none any more, or was not finished by then
			group.Go(func() {
				_, err := w.runner(w.config()).Retry(t.Context(), "city", l.Position)
				if err != nil && !errors.Is(err, projection.ErrNotDead) {
					t.Error(err)
				}
			})
		}
	}
	w.append("city", ds[300:]...)
	until(t, "everything is folded", func() bool { return w.checkpoint("city") == 600 && len(w.deadLetters()) == 0 })
	stop()
	group.Wait()
	w.check()
	same(t, "rows after retries beside a runner", want, w.dump())
}

// What waits is folded in steps, between which the ticket stands; an interrupted retry is gone on with.
func TestALongQueueIsFoldedInSteps(t *testing.T) {
	t.Parallel()
	w, m := newMendable(t)
	ds := []eventstore.Delivery{delivery("a", noon, said{Observation: created("1", noon).Observation, Fail: "no"})}
	for i := range 50 {
		says := called(minute(i))
		if i%2 == 1 {
			says = created("1", minute(i))
		}
		ds = append(ds, delivery("a", minute(i), says))
	}
	w.append("city", ds...)
	w.catchUp()
	m.mended.Store(true)

	small := projection.Config{PageSize: 10, Logger: w.config().Logger}
	done, err := w.runner(small).RetryFor(t.Context(), "city", 1, time.Nanosecond)
	if want := (projection.Retried{Folded: 10, Stands: 11, Cause: done.Cause, Unfinished: true}); err != nil || done != want {
		t.Errorf("out of time after a step: %+v, %v; want %+v", done, err, want)
	}
	w.check()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	interrupted := *w
	interrupted.models = append(w.models[:3:3], &cancelling{after: 3, cancel: cancel})
	if _, err := interrupted.runner(small).Retry(ctx, "city", 11); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted in the third step: %v", err)
	}
	w.check()
	letters := w.deadLetters()
	if len(letters) != 1 || letters[0].Position != 31 || letters[0].Waiting != 20 || letters[0].Cause != done.Cause {
		t.Errorf("dead letters after three steps: %+v; want 31 with 20 behind", letters)
	}
	done, err = w.runner(small).Retry(t.Context(), "city", 31)
	if want := (projection.Retried{Folded: 21}); err != nil || done != want {
		t.Errorf("the rest: %+v, %v; want %+v", done, err, want)
	}
	w.check()
	same(t, "rows after it all", fresh(t, ds), w.dump())
}

// cancelling is a read model that ends a context in one of its writes.
type cancelling struct {
	nothing
	after  int
	cancel func()
}

func (c *cancelling) Write(context.Context, pgx.Tx, projection.Set, string, []projection.Change) error {
	if c.after--; c.after == 0 {
		c.cancel()
	}
	return nil
}
