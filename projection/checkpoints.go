package projection

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Checkpoints are how far the serving generation has been folded.
type Checkpoints struct {
	Generation int
	Positions  map[string]int64 // by source; a source that no one has folded yet has none

	// Epochs move with every owner of a shard, and whenever rows change at a checkpoint that stays where it is: after the
	// retry of a dead letter. So with the same generation, positions and epochs, the read models hold the same rows.
	Epochs map[string]int64
}

// Checkpoints reads how far the serving generation has been folded, with one statement.
func (r *Reader) Checkpoints(ctx context.Context) (Checkpoints, error) {
	return checkpoints(ctx, r.pool)
}

// querier is a pool, or a transaction of its.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func checkpoints(ctx context.Context, db querier) (Checkpoints, error) {
	c := Checkpoints{Positions: map[string]int64{}, Epochs: map[string]int64{}}
	rows, err := db.Query(ctx, `
		SELECT g.generation, s.source, s.position, s.epoch
		FROM generation g
		LEFT JOIN shard s ON s.generation = g.generation
		WHERE g.state = 'serving'`)
	if err != nil {
		return c, fmt.Errorf("read the serving generation: %w", err)
	}
	var source *string
	var position, epoch *int64
	tag, err := pgx.ForEachRow(rows, []any{&c.Generation, &source, &position, &epoch}, func() error {
		if source != nil {
			c.Positions[*source], c.Epochs[*source] = *position, *epoch
		}
		return nil
	})
	if err != nil {
		return c, fmt.Errorf("read the serving generation: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return c, errNoGeneration
	}
	return c, nil
}

// behind returns the source that is furthest from what is wanted, and how far it is; "" when all of it has been folded.
func (c Checkpoints) behind(want map[string]int64) (source string, by int64) {
	for name, position := range want {
		missing := position - c.Positions[name]
		if missing > by || missing == by && missing > 0 && name < source {
			source, by = name, missing
		}
	}
	return source, by
}
