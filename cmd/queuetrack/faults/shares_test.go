//go:build linux

package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// sharedBy is when shares are fair after a process joined.
	sharedBy = 5 * time.Second
	// longestGap is how long the folding of a source that has something to fold may pause while its shard changes hands.
	longestGap = time.Second
	// startsWithin is what the start of a process adds to a takeover.
	startsWithin = 5 * time.Second
	// asleep is for how long a process is stopped: three leases.
	asleep = 30 * time.Second
	// sharers send to each of the six sources.
	sharers = 2
)

// sharedWorld is one with six sources, a process that takes what is sent (and is started again when it ends), and two more.
func sharedWorld(t *testing.T) (w *world, others [2]*single) {
	t.Helper()
	w = bareWorld(t, "city-2", "crm-2", "city-3", "crm-3")
	w.startCluster(filepath.Join(w.dir, "data"), nil, nil)
	w.serve("--database-url", w.url)
	for i := range others {
		others[i] = w.twin().start()
	}
	return w, others
}

// held is who holds a shard, and how far it is.
type held struct {
	Source   string
	Position int64
	Tail     int64
	Pid      int // of the holder; 0: nobody's lease runs
}

// watcher looks at the shards past queuetrack.
type watcher struct {
	t    *testing.T
	conn *pgx.Conn
}

func (w *world) watcher() *watcher {
	w.t.Helper()
	conn, err := pgx.Connect(w.t.Context(), w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close(context.Background()) }) // only read
	return &watcher{w.t, conn}
}

func (w *watcher) shards(ctx context.Context) ([]held, error) {
	rows, err := w.conn.Query(ctx, `
		SELECT s.source, s.position, (SELECT coalesce(max(e.position), 0) FROM event e WHERE e.source = s.source) AS tail,
			CASE WHEN s.lease_until >= statement_timestamp() THEN split_part(s.owner, ':', 2)::int ELSE 0 END AS pid
		FROM shard s
		JOIN generation g USING (generation)
		WHERE g.state = 'serving'
		ORDER BY s.source`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[held])
}

// now is the shards at this moment.
func (w *watcher) now() []held {
	w.t.Helper()
	shards, err := w.shards(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return shards
}

// fair waits until the processes hold so many shards each, in falling order, and returns how long that took.
func (w *watcher) fair(within time.Duration, want ...int) time.Duration {
	w.t.Helper()
	return eventually(w.t, fmt.Sprintf("shares of %v", want), within, func() error {
		shares := map[int]int{}
		for _, s := range w.now() {
			shares[s.Pid]++
		}
		var got []int
		for _, n := range shares {
			got = append(got, n)
		}
		slices.Sort(got)
		slices.Reverse(got)
		if shares[0] > 0 || !slices.Equal(got, want) {
			return fmt.Errorf("they have %v, and nobody has %d", got, shares[0])
		}
		return nil
	})
}

// moved waits until each of the shards has been brought further by another process.
func (w *watcher) moved(within time.Duration, from []held) time.Duration {
	w.t.Helper()
	return eventually(w.t, "its shards go on in other processes", within, func() error {
		for _, s := range w.now() {
			i := slices.IndexFunc(from, func(f held) bool { return f.Source == s.Source })
			if i >= 0 && (s.Pid == 0 || s.Pid == from[i].Pid || s.Position <= from[i].Position) {
				return fmt.Errorf("%s stands at %d, held by %d", s.Source, s.Position, s.Pid)
			}
		}
		return nil
	})
}

// of is what the process holds.
func (w *watcher) of(p *os.Process) []held {
	w.t.Helper()
	return slices.DeleteFunc(w.now(), func(s held) bool { return s.Pid != p.Pid })
}

// gap notes, until stop is called, the longest time in which a source had something to fold and folded nothing.
func (w *watcher) gap() (stop func() time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	var longest time.Duration
	var group sync.WaitGroup
	group.Go(func() {
		at, since := map[string]int64{}, map[string]time.Time{}
		for {
			shards, err := w.shards(ctx)
			if err != nil {
				if !errors.Is(err, context.Canceled) {
					w.t.Error(err)
				}
				return
			}
			now := time.Now()
			for _, s := range shards {
				if at[s.Source] != s.Position || s.Position == s.Tail {
					at[s.Source], since[s.Source] = s.Position, now
				}
				longest = max(longest, now.Sub(since[s.Source]))
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return func() time.Duration {
		cancel()
		group.Wait()
		return longest
	}
}

// One of three is killed, another one joins, then all are killed, and one starts.
func TestSharesMoveWithProcesses(t *testing.T) {
	t.Parallel()
	w, others := sharedWorld(t)
	l := startLoad(t, w, chance(t), sharers)
	look := w.watcher()
	t.Logf("three share fairly after %v", look.fair(sharedBy, 2, 2, 2))
	l.flow(t, between)

	before := look.of(others[0].process)
	others[0].kill(t)
	t.Logf("the shards of the killed one go on after %v", look.moved(takenOver, before))
	look.fair(sharedBy, 3, 3)
	l.flow(t, between)

	gap := w.watcher().gap()
	joined := w.twin().start()
	t.Logf("three share fairly after %v", look.fair(sharedBy, 2, 2, 2))
	l.flow(t, between)
	if longest := gap(); longest > longestGap {
		t.Errorf("while one joined, a source was not folded for %v", longest)
	} else {
		t.Logf("the longest gap while one joined: %v", longest)
	}

	for _, p := range []*single{others[1], joined} {
		p.kill(t)
	}
	before = look.now()
	w.service.signal(syscall.SIGKILL)
	t.Logf("all go on in the one that starts after %v", look.moved(takenOver+startsWithin, before))
	look.fair(sharedBy, 6)
	l.flow(t, between)
	check(t, l)
}

// Stopped for three leases under load, in the middle of whatever it was doing, and awake again.
func TestStoppedProcessStepsDown(t *testing.T) {
	t.Parallel()
	w, others := sharedWorld(t)
	l := startLoad(t, w, chance(t), sharers)
	look := w.watcher()
	look.fair(sharedBy, 2, 2, 2)
	for range *rounds {
		l.flow(t, between)
		stopped := others[0].process
		before := look.of(stopped)
		w.signal(stopped, syscall.SIGSTOP)
		over := time.After(asleep)
		t.Logf("the shards of the stopped one go on after %v", look.moved(takenOver, before))
		look.fair(sharedBy, 3, 3)
		<-over
		w.signal(stopped, syscall.SIGCONT)
		t.Logf("three share fairly %v after it woke", look.fair(sharedBy, 2, 2, 2))
	}
	l.flow(t, between)
	check(t, l)
	t.Logf("%d times a shard was told to be lost", w.journal.count("a shard was lost to another owner"))
}

// signal sends one to a process that this test started. One that is stopped ends with the test all the same.
func (w *world) signal(p *os.Process, s syscall.Signal) {
	w.t.Helper()
	w.journal.note("signal %v to %d", s, p.Pid)
	if err := p.Signal(s); err != nil {
		w.t.Fatal(err)
	}
}
