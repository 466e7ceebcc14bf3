package projection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
)

// What a Config does not say.
const (
	DefaultPageSize = 2000
	DefaultLease    = 10 * time.Second
	DefaultPoll     = 250 * time.Millisecond
)

const (
	// pageWeight ends a page after about so many bytes of states (ten times that in memory), those loaded and those
	// stored, however few events that took; pageShare ends it after that part of the lease. The rest is for writing it.
	pageWeight = 1 << 20
	pageShare  = 4
	// breath is what a shard that has caught up leaves between two pages: under load pages grow instead of becoming
	// many, and the door gets the processor. It is well below what a reader notices.
	breath = 25 * time.Millisecond
	// While the door is crowded, a shard rests after a page for yieldTimes as long as the page took: webhooks first, a
	// projection can catch up later. yieldMost bounds a rest, so that it always goes on.
	yieldTimes = 9
	yieldMost  = 2 * time.Second
	// releaseTimeout bounds giving a lease back at the end.
	releaseTimeout = 2 * time.Second
)

// Config is what a Runner does not have to be given. The zero value works.
type Config struct {
	PageSize int           // most events folded in one transaction; 0: DefaultPageSize
	Lease    time.Duration // 0: DefaultLease
	Poll     time.Duration // how often the log's tail, and what the other runners do, is looked at without a hint; 0: DefaultPoll
	Logger   *slog.Logger  // nil: slog.Default()
	Tracer   trace.Tracer  // nil: not traced

	Fingerprint Fingerprint // of what folds here: recorded with what it folds
}

// Runner folds the sources' logs into the read models of the serving generation. Any number of runners, in any number
// of processes, may run over the same sources: each shard has one owner at a time. Safe for concurrent use.
type Runner struct {
	pool    *pgxpool.Pool
	log     *eventstore.Log
	sources map[string]source.Source
	models  []ReadModel
	cfg     Config
}

// NewRunner returns a runner of the serving generation over these sources. Logs of other sources are left alone.
func NewRunner(pool *pgxpool.Pool, log *eventstore.Log, sources map[string]source.Source, models []ReadModel, cfg Config) *Runner {
	if cfg.PageSize <= 0 {
		cfg.PageSize = DefaultPageSize
	}
	if cfg.Lease <= 0 {
		cfg.Lease = DefaultLease
	}
	if cfg.Poll <= 0 {
		cfg.Poll = DefaultPoll
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Runner{pool: pool, log: log, sources: sources, models: models, cfg: cfg}
}

// Run claims its share of the shards and follows their logs until ctx ends, then gives them back and returns nil. A
// database that is away is waited for; a shard that halts is logged, and the others go on.
func (r *Runner) Run(ctx context.Context) error {
	m := newRoster(r.pool, slices.Sorted(maps.Keys(r.sources)), r.cfg.Fingerprint.Code, r.cfg.Lease)
	var tenders sync.WaitGroup
	for name := range r.sources {
		tenders.Go(func() { r.tend(ctx, name, m) })
	}
	r.watch(ctx, m)
	tenders.Wait()
	r.depart(ctx, m)
	return nil
}

// watch looks at the roster until ctx ends. When it can't, all stays as it is, and whoever can deals.
func (r *Runner) watch(ctx context.Context, m *roster) {
	failing := false
	for ctx.Err() == nil {
		err := m.look(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			r.cfg.Logger.ErrorContext(ctx, "the shards can't be shared out; shares stay as they are", "error", err)
		}
		failing = err != nil
		wait(ctx, nil, min(r.cfg.Poll, r.cfg.Lease/glances))
	}
}

// depart leaves the roster even though ctx has ended: as a courtesy, too.
func (r *Runner) depart(ctx context.Context, m *roster) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if err := m.leave(ctx); err != nil {
		r.cfg.Logger.WarnContext(ctx, "the runner's lease was not given back and will run out", "runner", m.owner, "error", err)
	}
}

// newOwner names one run of one process: for people who look at the table, and unique.
func newOwner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	return fmt.Sprintf("%s:%d:%s", host, os.Getpid(), uuid.NewString()[:8])
}

// tend keeps trying to hold the source's shard while it is ours to hold.
func (r *Runner) tend(ctx context.Context, name string, m *roster) {
	t := trouble{logger: r.cfg.Logger.With("source", name)}
	for {
		news := m.news()
		err := r.hold(ctx, name, m, func() { t.over(ctx) })
		if ctx.Err() != nil {
			return
		}
		wait(ctx, news, t.pause(ctx, err, r.cfg.Lease))
	}
}

// hold claims the shard and follows its log until it is lost, halted, another process's to follow, or ctx ends.
func (r *Runner) hold(ctx context.Context, name string, m *roster, healthy func()) error {
	if !m.deals(name) {
		return errElsewhere
	}
	s, err := r.claim(ctx, name, m.owner)
	if err != nil {
		return err
	}
	// Dealt before a switch and claimed after it: whose it is now, the next look tells.
	if err = errElsewhere; m.serves(s.generation) {
		err = r.follow(ctx, s, m, healthy)
	}
	if ctx.Err() != nil || errors.Is(err, errElsewhere) {
		r.release(ctx, s)
	}
	return err
}

// claim takes the shard and compares its checkpoint with the log's tail: after the restore of a backup, or a failover to
// a standby that had not got everything, new events would take positions that were folded already.
func (r *Runner) claim(ctx context.Context, name, owner string) (*shard, error) {
	s, err := claim(ctx, r.pool, name, owner, r.cfg.Lease)
	if err != nil {
		return nil, err
	}
	if err := r.inspect(ctx, s); err != nil {
		r.release(ctx, s)
		return nil, err
	}
	return s, nil
}

// inspect halts a shard whose checkpoint is ahead of the log's tail.
func (r *Runner) inspect(ctx context.Context, s *shard) error {
	tail, err := r.log.Tail(ctx, s.source)
	if err != nil {
		return err
	}
	if s.position > tail {
		return r.halt(ctx, s, fmt.Sprintf("the checkpoint %d is ahead of the log's tail %d: was a backup restored? Rebuild", s.position, tail))
	}
	return nil
}

// follow folds page after page. A hint saves waiting, but polling is the truth.
func (r *Runner) follow(ctx context.Context, s *shard, m *roster, healthy func()) error {
	hint, stop := r.log.Wake(s.source)
	defer stop()
	ahead := newAhead(ctx)
	defer ahead.drop()
	for {
		news := m.news()
		if !m.deals(s.source) {
			return errElsewhere
		}
		began := time.Now()
		n, err := r.timely(ctx, s, ahead)
		if err != nil {
			return err
		}
		took := time.Since(began)
		switch {
		case n == 0:
			if err := r.keep(ctx, s, m); err != nil {
				return err
			}
			waitFor(ctx, hint, news, r.cfg.Poll)
		case !ahead.begun():
			wait(ctx, nil, breath)
		}
		yield(ctx, took, func() bool { return r.log.Crowded(s.source) })
		healthy()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// timely is next, given up after two leases: its connection may be dead without anybody's knowing. The shard is dealt to us
// for as long as we live, so nobody else would come for it; we claim it anew, on another connection.
func (r *Runner) timely(ctx context.Context, s *shard, ahead *ahead) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*r.cfg.Lease)
	defer cancel()
	began := time.Now()
	n, err := r.next(ctx, s, ahead)
	r.tracePage(ctx, s, n, began, err)
	return n, err
}

// yield lets the door go first, after a page that took so long.
func yield(ctx context.Context, took time.Duration, crowded func() bool) {
	until := time.Now().Add(min(yieldTimes*took, yieldMost))
	for crowded() && time.Now().Before(until) && ctx.Err() == nil {
		wait(ctx, nil, breath)
	}
}

// keep renews the lease of an idle shard when a third of it has gone by; and at once when another generation is said to
// serve, so that the epoch tells.
func (r *Runner) keep(ctx context.Context, s *shard, m *roster) error {
	if time.Since(s.renewed) < r.cfg.Lease/3 && m.serves(s.generation) {
		return nil
	}
	if err := r.inspect(ctx, s); err != nil {
		return err
	}
	return s.renew(ctx, r.pool, r.cfg.Lease)
}

// halt stops the shard, loudly.
func (r *Runner) halt(ctx context.Context, s *shard, reason string) error {
	err := s.halt(ctx, r.pool, reason)
	if errors.Is(err, errHalted) {
		r.cfg.Logger.ErrorContext(ctx, "a projection halted and needs a person",
			"source", s.source, "generation", s.generation, "position", s.position, "cause", reason)
	}
	return err
}

// release gives the lease back even though ctx has ended. It is a courtesy to the next owner: the lease runs out anyway.
func (r *Runner) release(ctx context.Context, s *shard) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if err := s.release(ctx, r.pool); err != nil {
		r.cfg.Logger.WarnContext(ctx, "a lease was not given back and will run out", "source", s.source, "error", err)
	}
}

// wait returns at a hint, after d, or when ctx ends.
func wait(ctx context.Context, hint <-chan struct{}, d time.Duration) {
	waitFor(ctx, hint, nil, d)
}

// waitFor returns at a hint, at news, after d, or when ctx ends.
func waitFor(ctx context.Context, hint, news <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-hint:
	case <-news:
	case <-timer.C:
	case <-ctx.Done():
	}
}
