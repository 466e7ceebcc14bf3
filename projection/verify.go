package projection

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
)

const (
	verifyTickets    = 200  // folded at a time, at most,
	verifyEvents     = 5000 // that have so many events together, or one that has more
	verifyTicketless = 500  // events read at a time
)

// Verified is what Verify went through.
type Verified struct {
	Sources, Events, Tickets int64
}

// Verify checks every invariant of the log and of the serving read models in one snapshot, and reports each violation:
// positions dense, digests their bodies', checkpoints not ahead of the log, no shard halted, and each row of each table
// what the log up to the checkpoint demands, none missing, none too many. (Outcomes then add up too: a segment's row
// equals the fold's and carries exactly one.) Tickets with dead letters are held against their last good state. Memory
// is constant. The log of a source that is not among sources is checked, its read models can't be.
//
// The log is folded by this binary: after a change of the fold, an adapter or what they are configured with, every
// difference to the generation's own is reported. That is when a rebuild is due.
func Verify(ctx context.Context, pool *pgxpool.Pool, sources map[string]source.Source, models []ReadModel, report func(eventstore.Violation)) (Verified, error) {
	var done Verified
	err := snapshot(ctx, pool, func(tx pgx.Tx) error {
		v := verifier{tx: tx, sources: sources, models: models, report: report}
		names, err := v.open(ctx)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := v.source(ctx, name); err != nil {
				return err
			}
		}
		done = v.done
		return nil
	})
	if err != nil {
		return Verified{}, fmt.Errorf("verify: %w", err)
	}
	return done, nil
}

type verifier struct {
	tx         pgx.Tx
	generation int
	shards     map[string]Progress // of the serving generation
	tails      map[string]int64
	sources    map[string]source.Source
	models     []ReadModel
	report     func(eventstore.Violation)
	done       Verified
}

// open reads where everything stands, and returns the names of all sources that have a log, a shard or an adapter.
func (v *verifier) open(ctx context.Context) ([]string, error) {
	generations, err := shardsOf(ctx, v.tx)
	if err != nil {
		return nil, err
	}
	serving := slices.IndexFunc(generations, func(g generationShards) bool { return g.state == "serving" })
	if serving < 0 {
		return nil, errNoGeneration
	}
	v.generation, v.shards = generations[serving].generation, generations[serving].shards
	heads, err := eventstore.Heads(ctx, v.tx, nil)
	if err != nil {
		return nil, err
	}
	v.tails = map[string]int64{}
	for _, h := range heads {
		v.tails[h.Source] = h.Tail
	}
	names := slices.Concat(slices.Collect(maps.Keys(v.sources)), slices.Collect(maps.Keys(v.shards)), slices.Collect(maps.Keys(v.tails)))
	slices.Sort(names)
	return slices.Compact(names), nil
}

// source checks one source: its log, its shard, and its rows.
func (v *verifier) source(ctx context.Context, name string) error {
	events, err := eventstore.Verify(ctx, v.tx, name, v.report)
	if err != nil {
		return err
	}
	v.done.Sources++
	v.done.Events += events
	shard, tail := v.shards[name], v.tails[name]
	say := func(what string, args ...any) {
		v.report(eventstore.Violation{Source: name, Position: shard.Position, What: fmt.Sprintf(what, args...)})
	}
	if shard.Position > tail {
		say("the checkpoint %d is ahead of the log's tail %d", shard.Position, tail)
	}
	if shard.Halted != "" {
		say("the projection is halted: %s", shard.Halted)
	}
	adapter, ok := v.sources[name]
	if !ok {
		return nil
	}
	return v.rows(ctx, &check{
		verifier: v,
		tables:   tables{tx: v.tx, generation: v.generation, source: name},
		adapter:  adapter,
		upTo:     shard.Position,
	})
}

// rows folds the source's log to its checkpoint, a range of tickets at a time, and compares all rows.
func (v *verifier) rows(ctx context.Context, c *check) error {
	if err := c.decisions(ctx); err != nil {
		return err
	}
	for _, m := range v.models {
		c.models = append(c.models, m.Check(v.tx, c.tables.set(), c.tables.source, v.report))
	}
	for after, more := "", true; more; {
		ids, err := eventstore.TicketsAfter(ctx, v.tx, c.tables.source, after, verifyTickets, verifyEvents)
		if err != nil {
			return err
		}
		in := Range{After: after}
		if more = len(ids) > 0; more {
			in.Through = ids[len(ids)-1]
		}
		if err := c.tickets(ctx, in, ids); err != nil {
			return err
		}
		after = in.Through
	}
	if err := c.ticketless(ctx); err != nil {
		return err
	}
	c.dismissals()
	for _, m := range c.models {
		if err := m.Finish(ctx); err != nil {
			return err
		}
	}
	return nil
}
