package eventstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// What a look for one quarantined event may find instead.
var (
	ErrNoEvent        = errors.New("no such event in the log")
	ErrNotQuarantined = errors.New("the event is not quarantined")
)

// Held is a quarantined event, and what became of it.
type Held struct {
	Event
	RetriedAs int64 // the position that repeats it; 0: none. There is at most one, and it is never quarantined itself
}

// replayCause begins Event.Quarantined of a replay. The statement of an append writes it.
const replayCause = "replay of position "

// Replay reports whether nothing is wrong with the event but that it came again after so long a time.
func (h Held) Replay() bool { return strings.HasPrefix(h.Quarantined, replayCause) }

// retriedAs finds an event's repetition in the unique index (source, repeat_of).
const retriedAs = `(
		       SELECT r.position
		         FROM event AS r
		        WHERE r.source = e.source AND r.repeat_of = e.position) AS retried_as`

// Quarantine returns quarantined events after a (source, position), ordered by source and position, at most limit;
// source "" means all. Like those of List they come without their bodies, and a page shorter than limit is the last.
func (l *Log) Quarantine(ctx context.Context, source string, afterSource string, after int64, limit int) ([]Held, error) {
	rows, err := l.pool.Query(ctx, `
		SELECT `+listColumns+`, `+retriedAs+`
		  FROM event AS e
		 WHERE e.quarantined IS NOT NULL AND ($1 = '' OR e.source = $1)
		   AND (e.source, e.position) > ($2, $3)
		 ORDER BY e.source, e.position
		 LIMIT $4`, source, afterSource, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list the quarantine: %w", err)
	}
	held, err := pgx.CollectRows(rows, scanHeld)
	if err != nil {
		return nil, fmt.Errorf("list the quarantine: %w", err)
	}
	return held, nil
}

// Held returns one quarantined event with its body; else ErrNoEvent or ErrNotQuarantined.
func (l *Log) Held(ctx context.Context, source string, position int64) (Held, error) {
	h, err := l.held(ctx, source, position)
	if err != nil {
		return Held{}, fmt.Errorf("read position %d of %s: %w", position, source, err)
	}
	return h, nil
}

func (l *Log) held(ctx context.Context, source string, position int64) (Held, error) {
	rows, err := l.pool.Query(ctx, `
		SELECT `+eventColumns+`, `+retriedAs+`
		  FROM event AS e
		 WHERE e.source = $1 AND e.position = $2`, source, position)
	if err != nil {
		return Held{}, err
	}
	h, err := pgx.CollectExactlyOneRow(rows, scanHeld)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Held{}, ErrNoEvent
	case err != nil:
		return Held{}, err
	case h.Quarantined == "":
		return Held{}, ErrNotQuarantined
	}
	return h, nil
}

func scanHeld(row pgx.CollectableRow) (Held, error) {
	var h Held
	var retried *int64
	e, err := scanEvent(withMore{row, []any{&retried}})
	h.Event, h.RetriedAs = e, value(retried)
	return h, err
}

// withMore is a row with more columns than who scans it knows of.
type withMore struct {
	pgx.CollectableRow
	more []any
}

// Scan implements pgx.CollectableRow.
func (r withMore) Scan(dest ...any) error { return r.CollectableRow.Scan(append(dest, r.more...)...) }
