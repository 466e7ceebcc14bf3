package eventstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// At returns the events of the source at these positions, in order; a position that the log doesn't have is passed over.
//
// It also ends before the bodies exceed 16 MiB, so it can be shorter than positions: it has at least one event, and those
// left out for their weight come after those returned.
func (l *Log) At(ctx context.Context, source string, positions []int64) ([]Event, error) {
	rows, err := l.working.Query(ctx, `
		SELECT `+eventColumns+`
		  FROM (
		       SELECT e.*, sum(octet_length(e.body)) OVER (ORDER BY e.position ROWS UNBOUNDED PRECEDING) AS bytes
		         FROM event AS e
		        WHERE e.source = $1 AND e.position = ANY ($2)) AS e
		 WHERE e.bytes <= $3 OR e.bytes = octet_length(e.body)
		 ORDER BY e.position`, source, positions, pageBytes)
	if err != nil {
		return nil, fmt.Errorf("read %d positions of %s: %w", len(positions), source, err)
	}
	events, err := pgx.CollectRows(rows, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("read %d positions of %s: %w", len(positions), source, err)
	}
	return events, nil
}
