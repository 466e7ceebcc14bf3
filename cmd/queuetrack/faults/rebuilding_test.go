//go:build linux

package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// The phases that a rebuild tells of, and what its last line says.
const (
	clearing  = "clearing"
	filling   = "filling"
	following = "following"
	comparing = "comparing"
	switching = "switching"
	done      = "done"
)

// order is that of the phases.
var order = []string{clearing, filling, following, comparing, switching, done}

// rebuiltWithin is when a rebuild that nobody disturbs is done, on a busy machine too: with the lease of a killed one
// before it.
const rebuiltWithin = time.Minute

// progress is a line of `queuetrack rebuild --json`.
type progress struct {
	Phase      string
	Generation int
	Events     int64
	Total      int64 // 0: not counted yet

	at time.Time
}

func (p progress) String() string {
	return fmt.Sprintf("%s generation %d, %d of %d events", p.Phase, p.Generation, p.Events, p.Total)
}

// rebuilding is a `queuetrack rebuild`. Safe for concurrent use.
type rebuilding struct {
	w       *world
	process *os.Process
	began   time.Time
	over    chan struct{}
	err     error // what it ended with; set before over is closed

	mu      sync.Mutex
	lines   []progress
	partial []byte
	said    bytes.Buffer // on standard error
}

// rebuild starts one, with more arguments.
func (w *world) rebuild(args ...string) *rebuilding {
	w.t.Helper()
	r := &rebuilding{w: w, began: time.Now(), over: make(chan struct{})}
	cmd := w.command(append([]string{"rebuild", "--json"}, args...)...)
	cmd.Stdout, cmd.Stderr = r, complaints{r, &voice{journal: w.journal, name: "rebuild"}}
	w.journal.note("queuetrack rebuild %s", strings.Join(args, " "))
	process, ended, err := launch(cmd)
	if err != nil {
		w.t.Fatal(err)
	}
	r.process = process
	go func() {
		r.err = <-ended
		w.journal.note("rebuild ended: %v", r.err)
		close(r.over)
	}()
	w.t.Cleanup(func() {
		_ = process.Kill() // it may have ended
		<-r.over
	})
	return r
}

// Write takes the lines of the progress.
func (r *rebuilding) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.partial = append(r.partial, p...)
	for {
		line, rest, found := bytes.Cut(r.partial, []byte("\n"))
		if !found {
			return len(p), nil
		}
		told := progress{at: time.Now()}
		if err := json.Unmarshal(line, &told); err != nil {
			told.Phase = string(line)
		}
		r.w.journal.note("rebuild: %v", told)
		r.lines = append(r.lines, told)
		r.partial = append([]byte(nil), rest...)
	}
}

// complaints is the standard error of a rebuild.
type complaints struct {
	*rebuilding
	voice *voice
}

func (c complaints) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said.Write(p)
	return c.voice.Write(p)
}

// last is the latest line; zero: nothing was said yet.
func (r *rebuilding) last() progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lines) == 0 {
		return progress{}
	}
	return r.lines[len(r.lines)-1]
}

// first is the first line of which that holds.
func (r *rebuilding) first(holds func(progress) bool) (progress, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.IndexFunc(r.lines, holds); i >= 0 {
		return r.lines[i], true
	}
	return progress{}, false
}

// ended reports whether it has.
func (r *rebuilding) ended() bool {
	select {
	case <-r.over:
		return true
	default:
		return false
	}
}

// until waits for a line of which that holds.
func (r *rebuilding) until(what string, holds func(progress) bool) progress {
	r.w.t.Helper()
	var found progress
	eventually(r.w.t, "the rebuild "+what, rebuiltWithin, func() error {
		ended := r.ended() // before the look: what it said, it said before it ended
		var ok bool
		if found, ok = r.first(holds); ok {
			return nil
		}
		if ended {
			r.w.t.Fatalf("the rebuild ended (%v) before it %s; it said %v\n%s", r.err, what, r.last(), &r.said)
		}
		return fmt.Errorf("it says %v", r.last())
	})
	return found
}

// enters waits until it is in a phase, or in one after it.
func (r *rebuilding) enters(phase string) {
	r.w.t.Helper()
	r.until("enters "+phase, func(p progress) bool { return slices.Index(order, p.Phase) >= slices.Index(order, phase) })
}

// folds waits until it has counted more than so many events, and is not done.
func (r *rebuilding) folds(more int64) {
	r.w.t.Helper()
	r.until("folds", func(p progress) bool { return p.Events > more })
}

// signal goes to the process.
func (r *rebuilding) signal(s syscall.Signal) {
	r.w.t.Helper()
	r.w.signal(r.process, s)
}

// kill ends it in the middle of whatever it does, and returns the last that it said.
func (r *rebuilding) kill() progress {
	r.w.t.Helper()
	r.signal(syscall.SIGKILL)
	<-r.over
	if r.err == nil {
		r.w.t.Fatalf("the rebuild was done before it was killed: %v", r.last())
	}
	return r.last()
}

// fails waits for its end, which is the exit code 1, and returns how long that took and what it said.
func (r *rebuilding) fails(within time.Duration) (took time.Duration, said string) {
	r.w.t.Helper()
	took = r.ends(within)
	if r.err == nil || r.err.Error() != "exit status 1" {
		r.w.t.Errorf("the rebuild ended with %v, want exit status 1", r.err)
	}
	return took, r.said.String()
}

// done waits for its end, which is success, and returns its last line.
func (r *rebuilding) done() progress {
	r.w.t.Helper()
	r.ends(rebuiltWithin)
	p := r.last()
	if r.err != nil || p.Phase != done {
		r.w.t.Fatalf("the rebuild ended with %v, after %v\n%s", r.err, p, &r.said)
	}
	return p
}

func (r *rebuilding) ends(within time.Duration) time.Duration {
	r.w.t.Helper()
	began := time.Now()
	select {
	case <-r.over:
	case <-time.After(within):
		r.w.t.Fatalf("the rebuild goes on after %v: %v", within, r.last())
	}
	return time.Since(began)
}

// goesOn holds what it says first against what another one said last: what was folded is not folded again.
func (r *rebuilding) goesOn(before progress) {
	r.w.t.Helper()
	now := r.until("counts", func(p progress) bool { return p.Total > 0 })
	if now.Generation != before.Generation || before.Phase != clearing && now.Events < before.Events {
		r.w.t.Errorf("a rebuild was ended at %v, and the next one began at %v", before, now)
	}
}

// expire ends the lease of a rebuild that was killed, as time would.
func (w *world) expire() {
	w.t.Helper()
	if err := w.execute(`UPDATE generation SET lease_until = '-infinity' WHERE state <> 'serving'`); err != nil {
		w.t.Fatal(err)
	}
}

// hold keeps the locks of a statement until release is called.
func (w *world) hold(sql string) (release func()) {
	w.t.Helper()
	conn, err := pgx.Connect(w.t.Context(), w.url)
	if err == nil {
		_, err = conn.Exec(w.t.Context(), "BEGIN; "+sql)
	}
	if err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	release = sync.OnceFunc(func() { _ = conn.Close(context.Background()) }) // which rolls back
	w.t.Cleanup(release)
	return release
}

// serving is the generation that readers see.
func (w *world) serving() int {
	w.t.Helper()
	var told struct{ Generation int }
	if err := w.get("/v1/projections", &told); err != nil {
		w.t.Fatal(err)
	}
	return told.Generation
}
