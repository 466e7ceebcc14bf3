package eventstore_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"queuetrack/eventstore"
)

// events are what is held, without what became of it.
func events(held []eventstore.Held) []eventstore.Event {
	var all []eventstore.Event
	for _, h := range held {
		all = append(all, h.Event)
	}
	return all
}

func TestHeld(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	a, b := body("1", "A"), body("1", "B")
	mustAppend(t, log, unreadable(a), a, b, at(a, 25*time.Hour))
	first, err := log.Held(t.Context(), source, 1)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the event, with its body", first, eventstore.Held{Event: readAll(t, log)[0]})
	replay, err := log.Held(t.Context(), source, 4)
	if err != nil || !replay.Replay() || first.Replay() {
		t.Errorf("replays: %v and %v, want the second only; %v", first.Replay(), replay.Replay(), err)
	}

	mustAppend(t, log, repeat(a, 4))
	if _, err := log.Append(t.Context(), "elsewhere", body("1", "A")); err != nil {
		t.Fatal(err)
	}
	for position, want := range map[int64]error{2: eventstore.ErrNotQuarantined, 5: eventstore.ErrNotQuarantined, 6: eventstore.ErrNoEvent, 0: eventstore.ErrNoEvent} {
		if _, err := log.Held(t.Context(), source, position); !errors.Is(err, want) {
			t.Errorf("position %d: %v, want %v", position, err, want)
		}
	}
	listed, err := log.Quarantine(t.Context(), source, "", 0, 10)
	if err != nil || len(listed) != 2 || listed[0].RetriedAs != 0 || listed[1].RetriedAs != 5 || listed[1].Body != nil {
		t.Errorf("listed %+v, %v; want positions 1 and 4, the latter retried as 5", listed, err)
	}
	if replay, err = log.Held(t.Context(), source, 4); err != nil || replay.RetriedAs != 5 {
		t.Errorf("retried as %d, %v; want 5", replay.RetriedAs, err)
	}
}

// However many processes repeat a position at once, one event is appended, and no other delivery suffers.
func TestAPositionIsRepeatedOnce(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	other := eventstore.New(pool, eventstore.Config{})
	mustAppend(t, log, unreadable(body("1", "A")))
	var group errgroup.Group
	var failed [8]error
	for i := range failed {
		l := []*eventstore.Log{log, other}[i%2]
		group.Go(func() error {
			_, failed[i] = l.Append(t.Context(), source, repeat(body("1", "A"), 1))
			return nil
		})
		group.Go(func() error {
			_, err := l.Append(t.Context(), source, body("2", fmt.Sprint(i)))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Errorf("another delivery: %v", err)
	}
	appended := 0
	for _, err := range failed {
		switch {
		case err == nil:
			appended++
		case errors.Is(err, eventstore.ErrBusy):
			t.Errorf("a second repetition is refused, not put off: %v", err)
		}
	}
	if all := readAll(t, log); appended != 1 || len(all) != 10 {
		t.Errorf("%d repetitions and %d events; want 1 and 10", appended, len(all))
	}
	checkEverything(t, pool)
}
