package eventstore

import (
	"errors"
	"testing"
	"time"
)

func waitingFor(n, bodySize int) *passenger {
	return &passenger{
		entry:  entry{Delivery: Delivery{ReceivedAt: time.Unix(int64(n), 0), Body: make([]byte, bodySize)}},
		landed: make(chan outcome, 1),
	}
}

func fill(t *testing.T, n, bodySize int) *lane {
	t.Helper()
	ln := &lane{source: "city"}
	for i := range n {
		want := queued
		if i == 0 {
			want = first
		}
		if got := ln.board(waitingFor(i, bodySize)); got != want {
			t.Fatalf("delivery %d: boarding %d, want %d", i, got, want)
		}
	}
	return ln
}

func TestLaneIsBounded(t *testing.T) {
	t.Parallel()
	if got := fill(t, queueEvents, 1).board(waitingFor(0, 1)); got != full {
		t.Errorf("%d deliveries wait, and one more got in", queueEvents)
	}
	ln := fill(t, 32, 1<<20)
	if got := ln.board(waitingFor(0, 1)); got != full {
		t.Error("32 MiB wait, and one more byte got in")
	}
	ln.depart()
	if got := ln.board(waitingFor(0, 1)); got != queued {
		t.Error("a flight has left, and there is no room")
	}
}

func TestFlightIsBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		n, size      int
		want, second int
	}{
		{"few", 3, 10, 3, 0},
		{"500 events", 700, 10, 500, 200},
		{"1 MiB", 5, 400 << 10, 2, 2},
		{"one that is larger", 2, 3 << 20, 1, 1},
	} {
		ln := fill(t, c.n, c.size)
		if got, second := len(ln.depart()), len(ln.depart()); got != c.want || second != c.second {
			t.Errorf("%s: flights of %d and %d, want %d and %d", c.name, got, second, c.want, c.second)
		}
	}
}

func TestLaneEndsWhenNothingWaits(t *testing.T) {
	t.Parallel()
	ln := fill(t, 1, 1)
	ln.depart()
	if ln.depart() != nil || ln.flying {
		t.Error("the lane's goroutine doesn't end")
	}
	if got := ln.board(waitingFor(0, 1)); got != first {
		t.Error("nobody starts the next goroutine")
	}
}

func TestLeaveAndGround(t *testing.T) {
	t.Parallel()
	ln := fill(t, 2, 7)
	gone, turned := waitingFor(2, 5), ln.waiting[0]
	ln.board(gone)
	ln.leave(gone)
	ln.leave(gone)
	if len(ln.waiting) != 2 || ln.bytes != 14 {
		t.Errorf("%d wait with %d bytes", len(ln.waiting), ln.bytes)
	}
	ln.ground(outcome{err: ErrBusy})
	if o := <-turned.landed; !errors.Is(o.err, ErrBusy) || len(ln.waiting) != 0 || ln.bytes != 0 {
		t.Errorf("got %v; %d wait with %d bytes", o.err, len(ln.waiting), ln.bytes)
	}
}
