//go:build linux

package faults

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"queuetrack/migrations/localpg"
)

// cluster is a Postgres of a test's own, with fsync on, which is started again whenever it ends. Package localpg does
// what a distribution's unit file does: it waits for the orphans of a killed master, and starts another one.
type cluster struct {
	config  localpg.Config
	url     string // the same for all lives: a unix socket
	journal *journal

	mu     sync.Mutex
	server *localpg.Server
	stop   context.CancelFunc
	over   chan struct{}
	last   error
}

// startCluster starts the cluster in a data folder, until the test ends.
func startCluster(t *testing.T, j *journal, dir string, settings map[string]string) *cluster {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	c := &cluster{
		config: localpg.Config{
			DataDir: dir, Settings: settings,
			Logger: slog.New(slog.NewTextHandler(&voice{journal: j, name: "postgres"}, &slog.HandlerOptions{Level: slog.LevelDebug})),
		},
		journal: j, stop: stop, over: make(chan struct{}),
	}
	first, err := localpg.Start(ctx, c.config)
	if err != nil {
		t.Fatal(err)
	}
	c.server, c.url = first, first.URL()
	go c.supervise(ctx)
	t.Cleanup(func() { c.end(t) })
	return c
}

// copyTemplate makes a data folder with the template's cluster.
func copyTemplate(t *testing.T, dir string) {
	t.Helper()
	if err := clone(t.Context(), shop.template, dir); err != nil {
		t.Fatal(err)
	}
}

// clone makes a data folder with the cluster of another one, which doesn't run.
func clone(ctx context.Context, from, to string) error {
	if err := errors.Join(os.MkdirAll(to, 0o711), os.Chmod(to, 0o711)); err != nil { //nolint:gosec // Postgres passes through
		return err
	}
	if out, err := exec.CommandContext(ctx, "cp", "-a", filepath.Join(from, "postgres"), to+"/").CombinedOutput(); err != nil {
		return fmt.Errorf("copy a cluster: %w: %s", err, out)
	}
	return nil
}

func (c *cluster) supervise(ctx context.Context) {
	defer close(c.over)
	for {
		select {
		case <-ctx.Done():
			// Not ctx: it would not leave the time for an orderly end.
			c.last = c.current().Stop(context.Background())
			return
		case <-c.current().Done():
			c.journal.note("postgres ended: %v", c.current().Err())
		}
		for !c.again(ctx) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(restartPause):
			}
		}
	}
}

func (c *cluster) again(ctx context.Context) bool {
	server, err := localpg.Start(ctx, c.config)
	if err != nil {
		c.journal.note("postgres does not start: %v", err)
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server = server
	return true
}

func (c *cluster) current() *localpg.Server {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.server
}

func (c *cluster) end(t *testing.T) {
	c.stop()
	<-c.over
	if c.last != nil {
		t.Errorf("stop Postgres: %v", c.last)
	}
}

// master is the process id of a cluster's running postmaster.
func master(dataDir string) (int, error) {
	text, err := os.ReadFile(filepath.Join(dataDir, "postgres", "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(first)
}

// killMaster kills the postmaster below a data folder, and with it no other process: its children have to find out. It
// returns when there is another one.
func killMaster(t *testing.T, j *journal, dataDir string) {
	t.Helper()
	killed, err := master(dataDir)
	if err == nil {
		j.note("SIGKILL to postgres' master %d", killed)
		err = syscall.Kill(killed, syscall.SIGKILL)
	}
	if err != nil {
		t.Fatalf("kill Postgres' master: %v", err)
	}
	eventually(t, "another Postgres", backWithin, func() error {
		now, err := master(dataDir)
		if err == nil && now == killed {
			err = errors.New("not yet")
		}
		return err
	})
}

// family is the postmaster and its children.
func family(t *testing.T, dataDir string) []string {
	t.Helper()
	pid, err := master(dataDir)
	if err != nil {
		t.Fatal(err)
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{strconv.Itoa(pid)}, strings.Fields(string(children))...)
}
