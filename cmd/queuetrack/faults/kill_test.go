//go:build linux

package faults

import (
	"path/filepath"
	"syscall"
	"testing"
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
		l.back(t)
	}
	l.flow(t, between)
	check(t, l)
	if got, want := w.service.count(), 1+3**rounds; got != want {
		t.Errorf("queuetrack was started %d times, want %d", got, want)
	}
}

// The server's default is to flush commits later: what was answered is safe all the same.
func TestKillPostgres(t *testing.T) {
	t.Parallel()
	w := bareWorld(t)
	w.startCluster(filepath.Join(w.dir, "data"), map[string]string{"synchronous_commit": "off", "wal_writer_delay": "10s"}, nil)
	w.serve("--database-url", w.url)
	l := startLoad(t, w, chance(t), senders)
	for range 2 * *rounds {
		l.flow(t, between)
		killMaster(t, w.journal, filepath.Join(w.dir, "data"))
		l.back(t)
	}
	l.flow(t, between)
	check(t, l)
	outlived(t, w)
}
