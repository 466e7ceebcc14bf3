package projection

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
)

const (
	verifyTickets    = 1000 // folded at a time, at most,
	verifyEvents     = 5000 // that have so many events together, or one that has more
	verifyTicketless = 500  // events read at a time
)

// VerifyConfig is what Verify does not have to be given. The zero value works.
type VerifyConfig struct {
	// Fingerprint is of what folds here. A generation beside the serving one that another one folded is not compared.
	Fingerprint Fingerprint
	// Progress is called often, by one goroutine at a time, with how many events were read of how many there are to
	// read: each once for the log and once for every generation. nil: nobody wants to know.
	Progress func(done, total int64)
}

// Verified is what Verify went through.
type Verified struct {
	Sources int64
	Events  int64 // of the logs
	Tickets int64 // of the serving generation
	Shards  int64 // compared row by row, of any generation
	// Unchecked are shards that exist and can't be compared.
	Unchecked []Unchecked
}

// Unchecked is a shard that Verify did not compare, and why.
type Unchecked struct {
	Source     string
	Generation int
	State      string
	Why        string
}

// Verify checks every invariant of the log and of the read models in one snapshot, and reports each violation: positions
// dense, digests their bodies', checkpoints not ahead of the log, no shard halted, every dead letter with its cause and
// none without need, and each row of each table what the log up to the checkpoint demands, none missing, none too many.
// Outcomes and what stands where are also added up on their own. Tickets with dead letters are held against their last
// good state. Memory is constant, and report is called by one goroutine at a time.
//
// The serving generation is compared, and so are one that is being built and the previous one, but for shards that are
// half filled or that another fold filled. The log of a source that is not among sources is checked, its read models can't be.
//
// What the log never told anybody can't be missed: events that are gone from its end, and were not folded.
//
// The log is folded by this binary: after a change of the fold, an adapter or what they are configured with, every
// difference to the serving generation's own is reported. That is when a rebuild is due.
func Verify(ctx context.Context, pool *pgxpool.Pool, sources map[string]source.Source, models []ReadModel, report func(eventstore.Violation), cfg VerifyConfig) (Verified, error) {
	v := &verifier{sources: sources, models: models, cfg: cfg}
	v.report = func(violation eventstore.Violation) {
		v.mu.Lock()
		defer v.mu.Unlock()
		report(violation)
	}
	err := snapshot(ctx, pool, func(tx pgx.Tx) error {
		tasks, err := v.plan(ctx, tx)
		if err != nil {
			return err
		}
		return inParallel(ctx, pool, tx, tasks)
	})
	if err != nil {
		return Verified{}, fmt.Errorf("verify: %w", err)
	}
	return v.done, nil
}

// verifier is one run of Verify.
type verifier struct {
	sources map[string]source.Source
	models  []ReadModel
	cfg     VerifyConfig
	tails   map[string]int64

	mu     sync.Mutex // of what follows
	report func(eventstore.Violation)
	done   Verified
	read   int64 // events, for the progress,
	total  int64 // of so many
}

// task is a part of the work that needs nothing of the others.
type task func(context.Context, pgx.Tx) error

// run does the task. The planner, which knows little of a table that has just grown, must not think of sorting what is left
// of it for each page and each range.
func (t task) run(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `
		SET LOCAL enable_seqscan = off;
		SET LOCAL enable_bitmapscan = off;
		SET LOCAL enable_sort = off`)
	if err != nil {
		return err
	}
	return t(ctx, tx)
}

// plan reads where everything stands, and returns what there is to do: each log that somebody knows of, each shard.
func (v *verifier) plan(ctx context.Context, tx pgx.Tx) ([]task, error) {
	generations, err := shardsOf(ctx, tx)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(generations, func(g generationShards) bool { return g.state == serving }) {
		return nil, errNoGeneration
	}
	heads, err := eventstore.Heads(ctx, tx, nil)
	if err != nil {
		return nil, err
	}
	v.tails = map[string]int64{}
	for _, h := range heads {
		v.tails[h.Source] = h.Tail
	}
	unfit, err := v.unfit(ctx, tx)
	if err != nil {
		return nil, err
	}
	tasks := v.logs(generations)
	for _, g := range generations {
		tasks = append(tasks, v.shards(g, unfit)...)
	}
	return tasks, nil
}

// logs are the logs of all sources that have one, a shard or an adapter.
func (v *verifier) logs(generations []generationShards) (tasks []task) {
	names := slices.Concat(slices.Collect(maps.Keys(v.sources)), slices.Collect(maps.Keys(v.tails)))
	for _, g := range generations {
		names = slices.AppendSeq(names, maps.Keys(g.shards))
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		v.done.Sources++
		v.total += v.tails[name]
		tasks = append(tasks, func(ctx context.Context, tx pgx.Tx) error {
			events, err := eventstore.Verify(ctx, tx, name, v.report, v.went)
			v.mu.Lock()
			defer v.mu.Unlock()
			v.done.Events += events
			return err
		})
	}
	return tasks
}

// shards are one generation's shards that can be compared. A source without one, in the serving generation, must not have
// rows either.
func (v *verifier) shards(g generationShards, unfit map[shardKey]string) (tasks []task) {
	names := slices.Collect(maps.Keys(g.shards))
	if g.state == serving {
		names = slices.AppendSeq(names, maps.Keys(v.sources))
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		shard := g.shards[name]
		why := unfit[shardKey{name, g.generation}]
		adapter, ok := v.sources[name]
		if !ok {
			why = "the source is not configured"
		}
		c := &check{verifier: v, adapter: adapter, state: g.state, upTo: shard.Position, report: v.report}
		c.tables = tables{generation: g.generation, source: name}
		if g.state != serving {
			c.report = func(violation eventstore.Violation) {
				violation.What = fmt.Sprintf("generation %d (%s): %s", g.generation, g.state, violation.What)
				v.report(violation)
			}
		}
		c.shard(shard, v.tails[name])
		if why != "" {
			v.done.Unchecked = append(v.done.Unchecked, Unchecked{name, g.generation, g.state, why})
			continue
		}
		v.done.Shards++
		v.total += min(shard.Position, v.tails[name])
		tasks = append(tasks, c.rows)
	}
	return tasks
}

// unfit finds the shards that can't be compared, in generations beside the serving one.
func (v *verifier) unfit(ctx context.Context, tx pgx.Tx) (map[shardKey]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT s.source, s.generation, CASE
			WHEN g.phase = $1 THEN 'it is being emptied'
			ELSE 'it is half filled'
			END
		FROM shard s
		JOIN generation g ON g.generation = s.generation
		WHERE g.state = 'building' AND g.phase = $1
			OR g.state IN ('building', 'previous') AND s.fill_to IS NOT NULL`, PhaseClearing)
	if err != nil {
		return nil, fmt.Errorf("read what is half filled: %w", err)
	}
	unfit := map[shardKey]string{}
	var key shardKey
	var why string
	_, err = pgx.ForEachRow(rows, []any{&key.source, &key.generation, &why}, func() error {
		unfit[key] = why
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what is half filled: %w", err)
	}
	if v.cfg.Fingerprint.Code == "" {
		return unfit, nil
	}
	return unfit, v.foreign(ctx, tx, unfit)
}

// foreign adds the shards beside the serving generation that another fold filled.
func (v *verifier) foreign(ctx context.Context, tx pgx.Tx, unfit map[shardKey]string) error {
	var current int
	if err := tx.QueryRow(ctx, `SELECT generation FROM generation WHERE state = 'serving'`).Scan(&current); err != nil {
		return fmt.Errorf("read the serving generation: %w", err)
	}
	differ, err := v.cfg.Fingerprint.differences(ctx, tx)
	if err != nil {
		return fmt.Errorf("read what generations were folded with: %w", err)
	}
	for key := range differ {
		if key.generation != current && unfit[key] == "" {
			unfit[key] = "another version, or other settings, folded it"
		}
	}
	return nil
}

// went counts events that were read.
func (v *verifier) went(events int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.read += events
	if v.cfg.Progress != nil {
		v.cfg.Progress(v.read, max(v.read, v.total))
	}
}

// inParallel does the tasks on as many connections as there are processors to fold on, all in the snapshot of tx. Where
// the pool has no connections for that, they are done one after the other.
func inParallel(ctx context.Context, pool *pgxpool.Pool, tx pgx.Tx, tasks []task) error {
	workers := min(runtime.GOMAXPROCS(0), len(tasks), int(pool.Config().MaxConns)-1)
	if workers <= 1 {
		for _, t := range tasks {
			if err := t.run(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	}
	var shared string
	if err := tx.QueryRow(ctx, `SELECT pg_export_snapshot()`).Scan(&shared); err != nil {
		return fmt.Errorf("share the snapshot: %w", err)
	}
	begin := fmt.Sprintf(`
		BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
		SET TRANSACTION SNAPSHOT '%s'`, shared)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, t := range tasks {
		group.Go(func() error {
			return pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{BeginQuery: begin}, func(tx pgx.Tx) error { return t.run(ctx, tx) })
		})
	}
	return group.Wait()
}
