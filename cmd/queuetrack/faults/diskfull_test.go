//go:build linux

package faults

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A cluster has 40 MB when it is new; smallDisk leaves it some room for the load before the disk is filled.
const smallDisk = 192 << 20

// fewSegments keeps the WAL small, so that it has to make a new file soon, and finds no room for it.
func fewSegments() map[string]string {
	return map[string]string{"min_wal_size": "32MB", "max_wal_size": "32MB", "checkpoint_timeout": "30s", "wal_recycle": "off"}
}

// Without room for the WAL Postgres can't go on at all: it panics, and does not start until there is room again.
func TestDiskFullOfWAL(t *testing.T) {
	t.Parallel()
	w := bareWorld(t)
	disk := filepath.Join(w.dir, diskName)
	mountSmallDisk(t, disk)
	data := filepath.Join(disk, "data")
	w.startCluster(data, fewSegments(), nil)
	w.serve("--database-url", w.url)
	l := startLoad(t, w, chance(t), senders)
	l.flow(t, between)
	remove := fill(t, w, disk)
	// A load of small webhooks would take minutes to fill a segment of 16 MB; changing segments is what takes the room.
	eventually(t, "Postgres panics", backWithin, func() error {
		_ = w.switchSegment()
		return w.journal.tells("No space left on device")
	})
	l.stuck(t)
	remove()
	recovers(t, l)
	outlived(t, w)
}

// With room for the WAL alone Postgres refuses what would make a table grow, and lives.
func TestDiskFullOfTables(t *testing.T) {
	t.Parallel()
	w := bareWorld(t)
	disk := filepath.Join(w.dir, diskName)
	mountSmallDisk(t, disk)
	data := filepath.Join(disk, "data")
	w.startCluster(data, nil, func() { moveWAL(t, data, filepath.Join(w.dir, "wal")) })
	w.serve("--database-url", w.url)
	l := startLoad(t, w, chance(t), senders)
	l.flow(t, between)
	remove := fill(t, w, disk)
	eventually(t, "Postgres refuses to extend a table", backWithin, func() error { return w.journal.tells("could not extend file") })
	l.stuck(t)
	remove()
	recovers(t, l)
	outlived(t, w)
}

// mountSmallDisk puts a file system of its own, in memory, at the folder, until the test ends.
func mountSmallDisk(t *testing.T, folder string) {
	t.Helper()
	err := os.Mkdir(folder, 0o755) //nolint:gosec // Postgres passes through
	if err == nil {
		err = syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, fmt.Sprintf("size=%d,mode=755", smallDisk))
	}
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skip("NOT TESTED: a full disk. Mounting a small file system takes root: run this package's tests as root")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", folder, err)
		}
	})
}

// moveWAL puts a stopped cluster's WAL elsewhere, as `initdb --waldir` does.
func moveWAL(t *testing.T, data, elsewhere string) {
	t.Helper()
	wal := filepath.Join(data, "postgres", "pg_wal")
	out, err := exec.CommandContext(t.Context(), "cp", "-a", wal, elsewhere).CombinedOutput()
	if err = errors.Join(err, os.RemoveAll(wal), os.Symlink(elsewhere, wal)); err != nil {
		t.Fatalf("move the WAL: %v: %s", err, out)
	}
}

// fill takes all room that is left on the disk, and keeps taking what becomes free, until the returned function is called.
func fill(t *testing.T, w *world, disk string) (remove func()) {
	t.Helper()
	name := filepath.Join(disk, "ballast")
	file, err := os.Create(name) //nolint:gosec // a test's own folder
	if err != nil {
		t.Fatal(err)
	}
	w.journal.note("filling the disk")
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for block := make([]byte, 4096); ; {
			if _, err := file.Write(block); err == nil {
				continue
			}
			select {
			case <-end:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	removed := false
	remove = func() {
		if removed {
			return
		}
		removed = true
		close(end)
		<-ended
		_, _ = file.Close(), os.Remove(name)
		w.journal.note("the disk has room again")
	}
	t.Cleanup(remove)
	return remove
}

// switchSegment has Postgres begin another file of the WAL.
func (w *world) switchSegment() error {
	return w.execute(`SELECT pg_logical_emit_message(false, 'faults', 'something to switch after'), pg_switch_wal()`)
}

// stuck waits until no delivery can be taken, and senders have been told to come again.
func (l *load) stuck(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	before := l.busy
	l.mu.Unlock()
	eventually(t, "deliveries are refused", backWithin, func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.busy < before+2*senders {
			return fmt.Errorf("%d answers were 503 since the disk is full", l.busy-before)
		}
		return nil
	})
}

// tells is an error until a process has logged the words.
func (j *journal) tells(words string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range j.lines {
		if strings.Contains(line, words) {
			return nil
		}
	}
	return fmt.Errorf("nobody said %q", words)
}
