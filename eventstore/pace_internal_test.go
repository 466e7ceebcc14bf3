package eventstore

import (
	"testing"
	"time"
)

func TestPaceTellsACrowd(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	var p pace
	come := func(times, n int, every time.Duration) {
		for range times {
			now = now.Add(every)
			p.count(n, now)
		}
	}
	come(100, 10, 10*time.Millisecond)
	if p.crowded(now) {
		t.Error("1,000 a second are a crowd")
	}
	come(100, 50, 10*time.Millisecond)
	if !p.crowded(now) {
		t.Error("5,000 a second are no crowd")
	}
	if p.crowded(now.Add(2 * paceTime)) {
		t.Error("the crowd stays after the last has come")
	}
	now = now.Add(time.Hour)
	come(1, 500, 0)
	if p.crowded(now) {
		t.Error("one full flight after an hour is a crowd")
	}
}
