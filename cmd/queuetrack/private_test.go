package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRestarts(t *testing.T) {
	t.Parallel()
	var r restarts
	var pauses []time.Duration
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	for {
		pause, ok := r.next(now)
		if !ok {
			break
		}
		pauses = append(pauses, pause)
		now = now.Add(pause)
	}
	const s = time.Second
	want := []time.Duration{0, s / 2, s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s}
	if diff := cmp.Diff(want, pauses); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	// They are forgotten one by one.
	if _, ok := r.next(now.Add(restartsWithin - 64*s)); ok {
		t.Error("a restart too many while all still count")
	}
	if pause, ok := r.next(now.Add(restartsWithin - 44*s)); !ok || pause != firstRestartWait {
		t.Errorf("pause %v, %v, when only the last still counts; want %v", pause, ok, firstRestartWait)
	}
	if pause, ok := r.next(now.Add(3 * restartsWithin)); !ok || pause != 0 {
		t.Errorf("pause %v, %v, long after the last restart; want none", pause, ok)
	}
}
