//go:build unix

package localpg

import (
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

const (
	killSignal = syscall.SIGKILL
	// outputWait bounds waiting for the output's end once the child has ended: an orphan of it may hold it open.
	outputWait = 3 * time.Second
)

// A childCommand is what to run, as whom, and which signal it gets should this process die.
type childCommand struct {
	path        string
	args        []string
	dir         string
	as          account
	out         io.Writer
	inherit     []*os.File
	deathSignal syscall.Signal
}

// A child is a running process. err is set before done is closed.
type child struct {
	process *os.Process
	done    chan struct{}
	err     error
}

// startChild starts the command from a thread of its own that lives as long as the child does: Linux sends the
// death signal when the *thread* that forked ends, and the Go runtime ends idle threads as it likes.
func startChild(c childCommand) (*child, error) {
	started := make(chan error)
	self := &child{done: make(chan struct{})}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		cmd := c.command()
		err := cmd.Start()
		self.process = cmd.Process
		started <- err
		if err == nil {
			self.err = cmd.Wait()
			close(self.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return self, nil
}

func (c childCommand) command() *exec.Cmd {
	return &exec.Cmd{
		Path: c.path, Args: append([]string{c.path}, c.args...), Dir: c.dir, Env: environment(),
		Stdout: c.out, Stderr: c.out, ExtraFiles: c.inherit,
		WaitDelay: outputWait,
		// Its own process group: a terminal's Ctrl-C is for queuetrack, which ends the server when it is done with it.
		SysProcAttr: withDeathSignal(&syscall.SysProcAttr{Setpgid: true, Credential: c.as.credential()}, c.deathSignal),
	}
}

// environment leaves out what would change the server's mind (PGDATA, PGPORT, locales), and keeps what lets it start.
func environment() []string {
	env := []string{"LC_ALL=C", "TZ=UTC", "PATH=" + os.Getenv("PATH")}
	for _, name := range []string{"LD_LIBRARY_PATH", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// signal sends a signal; a child that has ended already is not an error.
func (c *child) signal(s syscall.Signal) { _ = c.process.Signal(s) }

func (c *child) kill() { c.signal(killSignal) }
