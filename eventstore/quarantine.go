package eventstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Quarantine returns quarantined events after a (source, position), ordered by source and position, at most limit;
// source "" means all. Like those of List they come without their bodies, and a page shorter than limit is the last.
func (l *Log) Quarantine(ctx context.Context, source string, afterSource string, after int64, limit int) ([]Event, error) {
	rows, err := l.pool.Query(ctx, `
		SELECT `+listColumns+`
		  FROM event AS e
		 WHERE e.quarantined IS NOT NULL AND ($1 = '' OR e.source = $1)
		   AND (e.source, e.position) > ($2, $3)
		 ORDER BY e.source, e.position
		 LIMIT $4`, source, afterSource, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list the quarantine: %w", err)
	}
	events, err := pgx.CollectRows(rows, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("list the quarantine: %w", err)
	}
	return events, nil
}
