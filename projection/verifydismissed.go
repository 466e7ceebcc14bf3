package projection

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
)

// decisions reads what was dismissed of the source: few, for each was a person's doing. A generation that doesn't serve
// honours them when it is to serve: until then its dead letters stand.
func (c *check) decisions(ctx context.Context) error {
	rows, err := c.tx.Query(ctx, `
		SELECT d.position
		FROM dismissal d
		WHERE d.source = $1 AND ($3 OR NOT EXISTS (
			SELECT
			FROM dead_letter l
			WHERE l.source = $1 AND l.generation = $2 AND l.position = d.position))`,
		c.source, c.generation, c.state == serving)
	if err != nil {
		return fmt.Errorf("read dismissals of %s: %w", c.source, err)
	}
	positions, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("read dismissals of %s: %w", c.source, err)
	}
	c.dismissed, c.unmet = map[int64]bool{}, map[int64]bool{}
	for _, p := range positions {
		c.dismissed[p], c.unmet[p] = true, true
	}
	return nil
}

// dismissals reports those of no event that could ever have been folded. Events after the checkpoint were not gone
// through: of those it is enough that the log has them.
func (c *check) dismissals() {
	for _, p := range slices.Sorted(maps.Keys(c.unmet)) {
		if p <= c.upTo || p > c.tails[c.source] {
			c.say(p, "", "dismissal: row %d is of no event that can be dismissed", p)
		}
	}
}
