package wait

import (
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// holdColumns are what becomes of the holds of some tickets: from which number on they are cut, and the rows from there.
type holdColumns struct {
	cut  []string
	keep []int32

	tickets           []string
	numbers, segments []int32
	from              []time.Time
	to                []*time.Time
}

// change notes the difference between a ticket's holds as they were and as they are: mostly none.
func (c *holdColumns) change(id string, old, now []holdRow) {
	same := commonLength(old, now)
	if same < len(old) {
		c.cut, c.keep = append(c.cut, id), append(c.keep, int32(same))
	}
	for i, r := range now[same:] {
		c.tickets, c.numbers, c.segments = append(c.tickets, id), append(c.numbers, int32(same+i+1)), append(c.segments, int32(r.Segment))
		c.from, c.to = append(c.from, r.FromAt), append(c.to, projection.NullTime(r.ToAt))
	}
}

func (c *holdColumns) queue(batch *pgx.Batch, set projection.Set, source string) {
	if len(c.cut) > 0 {
		batch.Queue(set.SQL(`
			DELETE FROM wait_hold_{set} AS h
			USING unnest($2::text[], $3::int[]) AS c (ticket, keep)
			WHERE h.source = $1 AND h.ticket = c.ticket AND h.n > c.keep`), source, c.cut, c.keep)
	}
	if len(c.tickets) > 0 {
		batch.Queue(set.SQL(`
			INSERT INTO wait_hold_{set} (source, ticket, n, segment, from_at, to_at)
			SELECT $1, h.*
			FROM unnest($2::text[], $3::int[], $4::int[], $5::timestamptz[], $6::timestamptz[]) AS h`),
			source, c.tickets, c.numbers, c.segments, c.from, c.to)
	}
}
