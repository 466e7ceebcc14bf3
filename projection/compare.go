package projection

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// Comparer is a read model that can tell which tickets two generations see differently.
type Comparer interface {
	// Differing counts the tickets of one source whose last event is at or before a position and whose states in the two
	// sets differ, and names the first few of them.
	Differing(ctx context.Context, tx pgx.Tx, source string, a, b Set, upTo int64) (n int64, some []string, err error)
}

// Differences are what a switch changes for readers: nothing, unless the fold, an adapter or a setting has changed, or
// the rows were damaged.
type Differences struct {
	Tickets int64    // whose state another one
	Some    []string // of them: "city/184223"
}

// look has Postgres look at what the tables hold now, and compares meanwhile.
func (j *job) look(ctx context.Context) (d Differences, err error) {
	j.meter.enter(PhaseComparing)
	group, looking := errgroup.WithContext(ctx)
	group.Go(func() error { return j.analyze(looking) })
	group.Go(func() (err error) {
		d, err = j.compare(looking)
		return err
	})
	err = group.Wait()
	return d, err
}

// compare holds the generation's tickets against those that readers see. It decides nothing: a rebuild after a mended fold
// is there to differ. It says what the switch is about to change.
func (j *job) compare(ctx context.Context) (Differences, error) {
	var d Differences
	err := snapshot(ctx, j.runner.pool, func(tx pgx.Tx) error {
		for _, s := range j.shards {
			for _, m := range j.runner.models {
				if c, ok := m.(Comparer); ok {
					if err := j.differing(ctx, tx, c, s.source, &d); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		return Differences{}, fmt.Errorf("compare generations %d and %d: %w", j.before.Number, j.generation, err)
	}
	return d, nil
}

func (j *job) differing(ctx context.Context, tx pgx.Tx, c Comparer, name string, d *Differences) error {
	var upTo int64
	err := tx.QueryRow(ctx, `
		SELECT coalesce(min(position), 0)
		FROM shard
		WHERE source = $1 AND generation IN ($2, $3)`, name, j.before.Number, j.generation).Scan(&upTo)
	if err != nil {
		return err
	}
	n, some, err := c.Differing(ctx, tx, name, SetOf(j.before.Number), SetOf(j.generation), upTo)
	if err != nil {
		return err
	}
	d.Tickets += n
	for _, ticket := range some {
		d.Some = append(d.Some, name+"/"+ticket)
	}
	return nil
}
