package history

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// Changed is a ticket whose state changed between two positions.
type Changed struct {
	Ticket string
	Last   int64    // the last position that changed it
	Queues []string // where it was at the first position, and after each change since. Empty when nobody said
}

// ChangedBetween returns what became of these tickets with after < position ≤ through, ordered by ticket. One that no event
// changed there is left out: what a quarantined or dead one says is not known, and feedback tells nothing of a state.
func ChangedBetween(ctx context.Context, v *projection.View, source string, tickets []string, after, through int64) ([]Changed, error) {
	rows, err := v.Tx.Query(ctx, v.Set.SQL(`
		SELECT t.ticket, h.position, h.state
		FROM unnest($2::text[]) AS t (ticket),
			LATERAL (
				(SELECT position, state
				FROM history_{set}
				WHERE source = $1 AND ticket = t.ticket AND position <= $3 AND state IS NOT NULL
				ORDER BY position DESC
				LIMIT 1)
				UNION ALL
				SELECT position, state
				FROM history_{set}
				WHERE source = $1 AND ticket = t.ticket AND position > $3 AND position <= $4 AND state IS NOT NULL) AS h
		ORDER BY t.ticket, h.position`), source, tickets, after, through)
	if err != nil {
		return nil, fmt.Errorf("read the changes of %s after position %d: %w", source, after, err)
	}
	var all []Changed
	var one Changed
	var state []byte
	keep := func() {
		if one.Last > after {
			all = append(all, one)
		}
	}
	var ticket string
	var position int64
	_, err = pgx.ForEachRow(rows, []any{&ticket, &position, &state}, func() error {
		if ticket != one.Ticket {
			keep()
			one = Changed{Ticket: ticket}
		}
		one.Last = position
		return one.was(state)
	})
	if err != nil {
		return nil, fmt.Errorf("read the changes of %s after position %d: %w", source, after, err)
	}
	keep()
	return all, nil
}

// was adds the queue of a stored state.
func (c *Changed) was(state []byte) error {
	s, err := projection.DecodeState(state)
	if err != nil || s.Status == "" {
		return err
	}
	if n := len(c.Queues); n == 0 || c.Queues[n-1] != s.Queue {
		c.Queues = append(c.Queues, s.Queue)
	}
	return nil
}
