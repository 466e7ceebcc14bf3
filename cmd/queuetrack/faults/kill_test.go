//go:build linux

package faults

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

const (
	senders = 6 // of each source
	// between is how many deliveries are taken before each fault, and after the last.
	between = 300
)

func TestKillQueuetrack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := startLoad(t, w, chance(t), senders)
	for range 3 * *rounds {
		l.flow(t, between)
		w.service.signal(syscall.SIGKILL)
		t.Logf("back after %v", l.back(t))
	}
	l.flow(t, between)
	check(t, l)
	if got, want := w.service.count(), 1+3**rounds; got != want {
		t.Errorf("queuetrack was started %d times, want %d", got, want)
	}
}

func TestKillPostgres(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := startLoad(t, w, chance(t), senders)
	for range 2 * *rounds {
		l.flow(t, between)
		killMaster(t, w.journal, filepath.Join(w.dir, "data"))
		t.Logf("back after %v", l.back(t))
	}
	l.flow(t, between)
	check(t, l)
	outlived(t, w)
}

// back waits until a delivery that is made after a fault has been taken, and returns how long that took.
func (l *load) back(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	l.probe++
	if !l.deliver(life(city, 8*ticketsEach+4*l.probe, time.Now())[0]) {
		t.Fatalf("not back after %v", time.Since(began))
	}
	return time.Since(began).Round(time.Millisecond)
}
