//go:build linux

package faults

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// restartPause is what the init system leaves between two lives: systemd's default.
	restartPause = 100 * time.Millisecond
	// endTimeout bounds an orderly end: shutting down the doors and the private Postgres may each take their time.
	endTimeout = 40 * time.Second
	// keptLines is how much of what the processes logged is printed when a test fails.
	keptLines = 300
)

// journal keeps the last lines that a world's processes logged, and prints them if the test fails. Safe for concurrent use.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func newJournal(t *testing.T) *journal {
	j := &journal{}
	t.Cleanup(func() {
		if t.Failed() || *showLogs {
			j.mu.Lock()
			defer j.mu.Unlock()
			t.Logf("the last lines of the log:\n%s", strings.Join(j.lines, "\n"))
		}
	})
	return j
}

func (j *journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
	if len(j.lines) > 2*keptLines {
		j.lines = append([]string(nil), j.lines[keptLines:]...)
	}
}

// count is how many of the last lines say so.
func (j *journal) count(what string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for _, line := range j.lines {
		if strings.Contains(line, what) {
			n++
		}
	}
	return n
}

// noise would drown the rest of a failed test's log: requests that went well, what Postgres answers while it recovers,
// and its checkpoints.
var noise = regexp.MustCompile(`msg=request .*status=200|level=DEBUG .*(system is starting up|checkpoint (starting|complete))`)

// voice is a writer of one process's lines.
type voice struct {
	journal *journal
	name    string
	partial []byte
}

func (v *voice) Write(p []byte) (int, error) {
	v.partial = append(v.partial, p...)
	for {
		line, rest, found := bytes.Cut(v.partial, []byte("\n"))
		if !found {
			return len(p), nil
		}
		if !noise.Match(line) {
			v.journal.note("%s: %s", v.name, line)
		}
		v.partial = append([]byte(nil), rest...)
	}
}

// launch starts a command in a process group of its own, which dies with this process. Linux sends the death signal
// when the thread that forked ends, so that thread waits for the command. ended gets what Wait returned.
func launch(cmd *exec.Cmd) (process *os.Process, ended <-chan error, err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second
	started, over := make(chan error), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		err := cmd.Start()
		started <- err
		if err == nil {
			over <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, nil, err
	}
	return cmd.Process, over, nil
}

// unit is a process that is started again whenever it ends, as an init system does with a service.
type unit struct {
	name    string
	command func() *exec.Cmd
	journal *journal

	mu      sync.Mutex
	process *os.Process // of the current life
	lives   int
	stop    context.CancelFunc
	over    chan struct{}
	last    error // what the last life ended with; set before over is closed
}

// startUnit runs the command until the test ends. Its end is orderly, or the test fails.
func startUnit(t *testing.T, j *journal, name string, command func() *exec.Cmd) *unit {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	u := &unit{name: name, command: command, journal: j, stop: stop, over: make(chan struct{})}
	go u.supervise(ctx)
	t.Cleanup(func() { u.end(t) })
	return u
}

func (u *unit) supervise(ctx context.Context) {
	defer close(u.over)
	for {
		ended, err := u.live()
		if err != nil {
			u.journal.note("%s does not start: %v", u.name, err)
		} else {
			u.last = u.outlive(ctx, ended)
			u.journal.note("%s ended: %v", u.name, u.last)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(restartPause):
		}
	}
}

func (u *unit) live() (ended <-chan error, err error) {
	cmd := u.command()
	out := &voice{journal: u.journal, name: u.name}
	cmd.Stdout, cmd.Stderr = out, out
	process, ended, err := launch(cmd)
	if err != nil {
		return nil, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.process = process
	u.lives++
	return ended, nil
}

// outlive waits for the end of a life, and brings it about when ctx is over.
func (u *unit) outlive(ctx context.Context, ended <-chan error) error {
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		u.signal(syscall.SIGTERM)
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(endTimeout):
		u.signal(syscall.SIGKILL)
		return fmt.Errorf("killed after %v: %w", endTimeout, <-ended)
	}
}

// signal goes to the current life; one that has just ended gets nothing.
func (u *unit) signal(s syscall.Signal) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.process != nil {
		u.journal.note("signal %v to %s", s, u.name)
		_ = u.process.Signal(s)
	}
}

// count is the number of lives so far.
func (u *unit) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.lives
}

// end ends it for good. It may be called more than once.
func (u *unit) end(t *testing.T) {
	u.stop()
	<-u.over
	if u.last != nil {
		t.Errorf("%s did not end in order: %v", u.name, u.last)
	}
}
