package eventstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Stats is a source's log in numbers. The counters are those of all processes, at most a second old.
type Stats struct {
	Source         string
	Tail           int64
	LastReceivedAt time.Time // zero: nothing yet. Only what the vendor sent: our own events and retries are no sign of life
	Quarantined    int64
	Duplicates     int64
	Rejected       map[string]int64 // by cause
	VerifiedBy     map[string]int64 // by key
}

// Stats returns one entry for each of the sources asked for, in that order, also for those without events.
func (l *Log) Stats(ctx context.Context, sources []string) ([]Stats, error) {
	all := make([]Stats, 0, len(sources))
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, l.pool, snapshot, func(tx pgx.Tx) error {
		for _, source := range sources {
			s, err := stats(ctx, tx, source)
			if err != nil {
				return fmt.Errorf("count %s: %w", source, err)
			}
			all = append(all, s)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// lastReceived selects when the vendor's last event came. The last event mostly is the vendor's: this walks back over few.
const lastReceived = `
		       SELECT e.received_at
		         FROM event AS e
		        WHERE e.source = $1 AND e.verified_by <> $2 AND e.repeat_of IS NULL
		        ORDER BY e.position DESC
		        LIMIT 1`

// LastReceived returns when the last webhook of each of the sources came, zero when none has. Our own events and
// retries are no sign of life.
func (l *Log) LastReceived(ctx context.Context, sources []string) (map[string]time.Time, error) {
	last := make(map[string]time.Time, len(sources))
	for _, source := range sources {
		var at time.Time
		err := l.pool.QueryRow(ctx, lastReceived, source, Own).Scan(&at)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return nil, fmt.Errorf("read when %s was last received: %w", source, err)
		}
		last[source] = at.UTC()
	}
	return last, nil
}

func stats(ctx context.Context, tx pgx.Tx, source string) (Stats, error) {
	s := Stats{Source: source, Rejected: map[string]int64{}, VerifiedBy: map[string]int64{}}
	var received *time.Time
	err := tx.QueryRow(ctx, `
		SELECT coalesce((SELECT e.position FROM event AS e WHERE e.source = $1 ORDER BY e.position DESC LIMIT 1), 0),
		       (`+lastReceived+`),
		       (SELECT count(*) FROM event AS e WHERE e.source = $1 AND e.quarantined IS NOT NULL)`,
		source, Own).Scan(&s.Tail, &received, &s.Quarantined)
	if err != nil {
		return Stats{}, err
	}
	s.LastReceivedAt = value(received).UTC()
	return s, s.addCounters(ctx, tx)
}

func (s *Stats) addCounters(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `SELECT c.name, c.key, c.value FROM counter AS c WHERE c.source = $1`, s.Source)
	if err != nil {
		return err
	}
	var name Counter
	var key string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&name, &key, &n}, func() error {
		switch name {
		case CounterDuplicate:
			s.Duplicates += n
		case CounterRejected:
			s.Rejected[key] = n
		case CounterVerified:
			s.VerifiedBy[key] = n
		case counterNoted: // numbers the rejections, and says nothing to people
		}
		return nil
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return err
}
