package projection_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"queuetrack/eventstore"
	"queuetrack/projection"
)

// process is one of several that work on the same database. It does one thing at a time, a statement at a time.
type process struct {
	name      string
	leash     *leash
	pool      *pgxpool.Pool
	log       *eventstore.Log
	runner    *projection.Runner
	rebuilder *projection.Rebuilder
	holds     map[string]*projection.Hold // by source: as long as it believes so
	doing     *operation                  // nil: nothing
}

// operation is what a process does.
type operation struct {
	what   string
	cancel context.CancelFunc
	done   chan struct{}
	err    error                 // once done
	ended  func(*rapid.T, error) // what the machine makes of it; nil: nothing
}

// GoString tells a process in the list of draws.
func (p *process) GoString() string {
	if p.doing == nil {
		return p.name
	}
	return p.name + ", " + p.doing.what
}

func (o *operation) finished() bool {
	select {
	case <-o.done:
		return true
	default:
		return false
	}
}

// join starts a process in a slot.
func (m *machine) join(rt *rapid.T, slot int) {
	m.joined++
	p := &process{name: fmt.Sprintf("p%d.%d", slot, m.joined), leash: newLeash(m.sabotage.rewrite), holds: map[string]*projection.Hold{}}
	var err error
	if p.pool, err = p.leash.pool(m.t.Context(), m.url); err != nil {
		rt.Fatal(err)
	}
	p.log = eventstore.New(p.pool, eventstore.Config{})
	models := m.models
	if m.sabotage.models != nil {
		models = m.sabotage.models(m.pool, models)
	}
	// Leases end when the test says so, and by no clock.
	cfg := projection.Config{PageSize: m.pageSize, Lease: time.Hour, Poll: time.Millisecond, Logger: m.logger}
	p.runner = projection.NewRunner(p.pool, p.log, m.sources, models, cfg)
	p.rebuilder = projection.NewRebuilder(p.pool, p.log, m.sources, models, cfg)
	m.processes[slot] = p
}

// begin has an idle process do something, up to its first statement.
func (m *machine) begin(rt *rapid.T, p *process, what string, f func(context.Context) error, ended func(*rapid.T, error)) {
	rt.Logf("%s begins: %s", p.name, what)
	ctx, cancel := context.WithCancel(m.t.Context())
	o := &operation{what: what, cancel: cancel, done: make(chan struct{}), ended: ended}
	p.doing = o
	go func() {
		defer close(o.done)
		o.err = f(ctx)
	}()
	m.rest(rt, p)
}

// advance lets a process go on by so many statements, or to its end. The first one meets the fault.
func (m *machine) advance(rt *rapid.T, p *process, n int, f fault) {
	unfair := rapid.Bool().Draw(rt, "out of turn")
	for range n {
		if p.doing == nil {
			return
		}
		p.leash.let(f, 0, unfair)
		f, unfair = sound, false
		m.rest(rt, p)
	}
}

const (
	glance   = 2 * time.Millisecond // between two looks at who waits for whom
	patience = 10 * time.Second
)

// rest waits until the process has done what it was let do.
func (m *machine) rest(rt *rapid.T, p *process) {
	tick, late := time.NewTicker(glance), time.NewTimer(patience)
	defer tick.Stop()
	defer late.Stop()
	for !p.doing.finished() && !m.settled(p) {
		select {
		case <-p.leash.news:
		case <-p.doing.done:
		case <-tick.C:
			m.unblock(rt, p)
		case <-late.C:
			rt.Fatalf("%s does not come to rest: %s: %s", p.name, p.doing.what, p.leash)
		}
	}
	if p.doing.finished() {
		m.over(rt, p)
	}
}

// settled reports whether the process stands still. Where several goroutines of it are at work, each gets its chance to
// come as far as it can, so that a run is much the same when it is repeated.
func (m *machine) settled(p *process) bool {
	for range 10 {
		if !p.leash.atRest() {
			return false
		}
		runtime.Gosched()
	}
	return true
}

// over notes how an operation ended.
func (m *machine) over(rt *rapid.T, p *process) {
	o := p.doing
	p.doing = nil
	o.cancel()
	rt.Logf("%s ends: %s: %v", p.name, o.what, o.err)
	if o.ended != nil {
		o.ended(rt, o.err)
	}
}

// unblock has whoever a process waits for, and who stands still himself, go on; or the server ends his session, as it
// does with one that is left idle in a transaction for too long.
func (m *machine) unblock(rt *rapid.T, p *process) {
	waiting := p.leash.pids(func(w *wire) bool { return w.owed > 0 && !w.asks })
	rows, err := m.pool.Query(m.t.Context(), `
		SELECT DISTINCT b.pid
		FROM unnest($1::int[]) AS w (pid), unnest(pg_blocking_pids(w.pid)) AS b (pid)
		JOIN pg_stat_activity a ON a.pid = b.pid
		WHERE a.wait_event = 'ClientRead'`, waiting)
	blocking := collect[int32](rt, rows, err)
	for _, pid := range blocking {
		if m.long != nil && m.long.pid == pid {
			m.finishLong(rt)
			continue
		}
		i := slices.IndexFunc(m.processes, func(q *process) bool {
			return slices.Contains(q.leash.pids(func(w *wire) bool { return w.asks }), pid)
		})
		switch {
		case i < 0: // on its way
		case m.processes[i] == p:
			p.leash.let(sound, pid, false)
		case rapid.Bool().Draw(rt, "the server ends the session in the way"):
			rt.Logf("%s is in the way of %s: the server ends its session", m.processes[i].name, p.name)
			m.terminate(rt, []int32{pid})
		default:
			rt.Logf("%s is in the way of %s and goes on", m.processes[i].name, p.name)
			m.processes[i].leash.let(sound, pid, false)
			if m.processes[i].doing != nil {
				m.rest(rt, m.processes[i])
			}
		}
	}
}

// terminate ends sessions, and waits until all that they held is free.
func (m *machine) terminate(rt *rapid.T, pids []int32) {
	m.exec(rt, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ANY($1)`, pids)
	until(m.t, "sessions end", func() bool {
		var n int
		err := m.pool.QueryRow(m.t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE pid = ANY($1)`, pids).Scan(&n)
		return err == nil && n == 0
	})
}

// kill ends a process between two statements, and starts another one in its slot. With unanswered, the statement that it
// was about to send has been done.
func (m *machine) kill(rt *rapid.T, slot int, f fault) {
	p := m.processes[slot]
	rt.Logf("%s is killed", p.name)
	if f == unanswered && p.doing != nil {
		m.advance(rt, p, 1, unanswered)
	}
	m.end(rt, p)
	m.join(rt, slot)
}

// end takes a process out of the world.
func (m *machine) end(rt *rapid.T, p *process) {
	pids := p.leash.kill()
	if p.doing != nil {
		p.doing.cancel()
		select {
		case <-p.doing.done:
			m.over(rt, p)
		case <-time.After(patience):
			rt.Fatalf("%s can't be killed: %s", p.name, p.doing.what)
		}
	}
	m.terminate(rt, pids)
	p.close()
}

func (p *process) close() {
	for _, h := range p.holds {
		h.Drop()
	}
	p.pool.Close()
}

// pages has the process fold some pages of a source, as the runner does: it claims the shard first if it doesn't hold it,
// and after any error it no longer trusts that it does.
func (p *process) pages(ctx, life context.Context, source string, n int) (err error) {
	if p.holds[source] == nil {
		if p.holds[source], err = p.runner.Take(ctx, life, source, p.name); err != nil {
			delete(p.holds, source)
			return err
		}
	}
	for range n {
		if err := p.holds[source].Page(ctx); err != nil {
			p.holds[source].Drop()
			delete(p.holds, source)
			return err
		}
	}
	return nil
}
