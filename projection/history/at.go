package history

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

// ErrUntold means that no event up to the position told of the ticket.
var ErrUntold = errors.New("no event had told of the ticket yet")

// At returns what had been told of a ticket by a position of its source's log, else ErrUntold.
func At(ctx context.Context, v *projection.View, source, id string, position int64) (ticket.State, error) {
	var stored []byte
	err := v.Tx.QueryRow(ctx, v.Set.SQL(`
		SELECT state
		FROM history_{set}
		WHERE source = $1 AND ticket = $2 AND position <= $3 AND state IS NOT NULL
		ORDER BY position DESC
		LIMIT 1`), source, id, position).Scan(&stored)
	if errors.Is(err, pgx.ErrNoRows) {
		return ticket.State{}, ErrUntold
	}
	if err != nil {
		return ticket.State{}, fmt.Errorf("read ticket %s of %s at %d: %w", id, source, position, err)
	}
	state, err := projection.DecodeState(stored)
	if err == nil && state.Status == "" {
		err = ErrUntold
	}
	return state, err
}

// near is how many positions a row holds at most that the events right before a position lead to; what holds for longer is
// in an index of its own.
const near = 4096

// reach is the column of that index: the number of these steps that a row's reach (next_position - position) has come to.
const reach = `width_bucket(h.next_position - h.position, '{16384, 65536, 262144, 1048576}'::bigint[])`

// OpenAt returns every ticket of a source that stood in a queue at a position of its log, by what had been told by then,
// in no order.
//
// A row that held at p began before it by less than its reach. Where that is under near, its event is among the near ones
// before p, and the log tells which tickets those were about. A row that still holds is the latest of a ticket that is open
// now. Of the others, in each class of reaches, which quadruple, only rows from p back by as much as the class allows are
// looked at. So it costs what is found, wherever p is, and however long the history.
func OpenAt(ctx context.Context, v *projection.View, source string, position int64) (map[string]ticket.State, error) {
	ids, err := eventstore.TicketsBetween(ctx, v.Tx, source, position-near, position)
	if err != nil {
		return nil, err
	}
	rows, err := v.Tx.Query(ctx, v.Set.SQL(`
		WITH class (n, least) AS (
			SELECT n, CASE WHEN n < 4 THEN $2 - (16384::bigint << 2 * n) ELSE 0 END
			FROM generate_series(0, 4) AS n
		),
		held AS (
			SELECT t.ticket, h.position, h.state
			FROM unnest($3::text[]) AS t (ticket),
				LATERAL (
					SELECT h.position, h.next_position, h.open, h.state
					FROM history_{set} h
					WHERE h.source = $1 AND h.ticket = t.ticket AND h.position <= $2
					ORDER BY h.position DESC
					LIMIT 1) AS h
			WHERE h.open AND h.next_position - h.position < 4096
			UNION ALL
			SELECT h.ticket, h.position, h.state
			FROM class,
				LATERAL (
					SELECT h.ticket, h.position, h.state
					FROM history_{set} h
					WHERE h.source = $1 AND h.open AND h.next_position - h.position >= 4096 AND `+reach+` = class.n
						AND h.position > class.least AND h.position <= $2 AND h.next_position > $2) AS h
			UNION ALL
			SELECT h.ticket, h.position, h.state
			FROM folded_{set} f
			JOIN history_{set} h ON h.source = f.source AND h.ticket = f.ticket AND h.position = f.last_position
			WHERE f.source = $1 AND f.status IN ('booked', 'waiting', 'called', 'serving', 'on_hold')
				AND f.last_position <= $2
		)
		SELECT h.ticket, coalesce(h.state, (
			-- As before: the last one that was stored.
			SELECT b.state
			FROM history_{set} b
			WHERE b.source = $1 AND b.ticket = h.ticket AND b.position < h.position AND b.state IS NOT NULL
			ORDER BY b.position DESC
			LIMIT 1))
		FROM held h`), source, position, ids)
	if err != nil {
		return nil, fmt.Errorf("read who stood in the queues of %s at %d: %w", source, position, err)
	}
	states := map[string]ticket.State{}
	var id string
	var stored []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &stored}, func() (err error) {
		states[id], err = projection.DecodeState(stored)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read who stood in the queues of %s at %d: %w", source, position, err)
	}
	return states, nil
}
