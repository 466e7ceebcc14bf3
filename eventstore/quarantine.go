package eventstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Quarantine returns quarantined events after a (source, position), ordered by source and position, at most limit;
// source "" means all. Like those of Read, a page ends before its bodies exceed 16 MiB: only an empty page is the end.
func (l *Log) Quarantine(ctx context.Context, source string, afterSource string, after int64, limit int) ([]Event, error) {
	rows, err := l.pool.Query(ctx, `
		SELECT `+eventColumns+`
		  FROM (
		       SELECT e.*, sum(octet_length(e.body)) OVER (ORDER BY e.source, e.position ROWS UNBOUNDED PRECEDING) AS bytes
		         FROM event AS e
		        WHERE e.quarantined IS NOT NULL AND ($1 = '' OR e.source = $1)
		          AND (e.source, e.position) > ($2, $3)
		        ORDER BY e.source, e.position
		        LIMIT $4) AS e
		 WHERE e.bytes <= $5 OR e.bytes = octet_length(e.body)
		 ORDER BY e.source, e.position`, source, afterSource, after, limit, pageBytes)
	if err != nil {
		return nil, fmt.Errorf("list the quarantine: %w", err)
	}
	events, err := pgx.CollectRows(rows, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("list the quarantine: %w", err)
	}
	return events, nil
}
