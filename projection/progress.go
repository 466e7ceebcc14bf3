package projection

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
)

// Progress is one shard of a generation.
type Progress struct {
	Generation  int
	State       string // building, serving, previous
	Source      string
	Position    int64   // the checkpoint
	Tail        int64   // of the log, read in the same snapshot
	LagSeconds  float64 // age of the oldest event not yet folded; 0 when there is none
	DeadLetters int64   // without those that wait behind one
	Waiting     int64   // those that do
	Halted      string  // why it stopped; empty: it runs

	Owner      string    // of the process that holds it: host, process id, a random part; empty: nobody does
	LeaseUntil time.Time // by the database's clock, while somebody does

	// Drift names what it was folded with and differs from what the reader's process folds with: DriftCode, DriftSettings.
	Drift []string
}

// Progress returns how far each shard of each generation is, ordered by generation and source. Checkpoints and tails are
// read afresh each time, and together: a lag against a mark that somebody else keeps up to date would look well for as
// long as that somebody is stuck too. A source with a log that no one folds is there, at 0.
func (r *Reader) Progress(ctx context.Context) ([]Progress, error) {
	var all []Progress
	err := snapshot(ctx, r.pool, func(tx pgx.Tx) error {
		generations, err := shardsOf(ctx, tx)
		if err != nil {
			return err
		}
		differ, err := r.drifts(ctx, tx)
		if err != nil {
			return err
		}
		for _, g := range generations {
			shards, err := g.progress(ctx, tx, r.Now())
			if err != nil {
				return err
			}
			for i, s := range shards {
				shards[i].Drift = differ[shardKey{s.Source, s.Generation}]
			}
			all = append(all, shards...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the projections' progress: %w", err)
	}
	return all, nil
}

// generationShards is one generation's shards by source.
type generationShards struct {
	generation int
	state      string
	shards     map[string]Progress
}

// shardsOf reads all generations with their shards, in order.
func shardsOf(ctx context.Context, tx pgx.Tx) ([]generationShards, error) {
	rows, err := tx.Query(ctx, `
		SELECT g.generation, g.state, s.source, coalesce(s.position, 0), coalesce(s.halted, ''),
			CASE WHEN s.lease_until >= statement_timestamp() THEN s.owner ELSE '' END,
			CASE WHEN s.lease_until >= statement_timestamp() THEN s.lease_until END,
			d.dead, d.waiting
		FROM generation g
		LEFT JOIN shard s ON s.generation = g.generation
		LEFT JOIN LATERAL (
			SELECT count(*) FILTER (WHERE behind IS NULL) AS dead, count(behind) AS waiting
			FROM dead_letter
			WHERE source = s.source AND generation = g.generation) AS d ON true
		WHERE g.state <> 'dropped'
		ORDER BY g.generation, s.source`)
	if err != nil {
		return nil, err
	}
	var all []generationShards
	var p Progress
	var source *string
	var until *time.Time
	row := []any{&p.Generation, &p.State, &source, &p.Position, &p.Halted, &p.Owner, &until, &p.DeadLetters, &p.Waiting}
	_, err = pgx.ForEachRow(rows, row, func() error {
		if len(all) == 0 || all[len(all)-1].generation != p.Generation {
			all = append(all, generationShards{p.Generation, p.State, map[string]Progress{}})
		}
		if source != nil {
			p.Source = *source
			p.LeaseUntil = time.Time{}
			if until != nil {
				p.LeaseUntil = until.UTC()
			}
			all[len(all)-1].shards[p.Source] = p
		}
		return nil
	})
	return all, err
}

// progress holds the generation's shards against the logs, in the snapshot that both were read in.
func (g generationShards) progress(ctx context.Context, tx pgx.Tx, now time.Time) ([]Progress, error) {
	positions := map[string]int64{}
	for source, p := range g.shards {
		positions[source] = p.Position
	}
	heads, err := eventstore.Heads(ctx, tx, positions)
	if err != nil {
		return nil, err
	}
	for _, h := range heads {
		p, ok := g.shards[h.Source]
		if !ok {
			p = Progress{Generation: g.generation, State: g.state, Source: h.Source}
		}
		p.Tail = h.Tail
		if !h.NextReceivedAt.IsZero() {
			p.LagSeconds = max(0, now.Sub(h.NextReceivedAt).Seconds())
		}
		g.shards[h.Source] = p
	}
	var all []Progress
	for _, source := range slices.Sorted(maps.Keys(g.shards)) {
		all = append(all, g.shards[source])
	}
	return all, nil
}
