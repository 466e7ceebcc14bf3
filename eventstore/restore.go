package eventstore

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Restore appends events as they once were read, in one transaction: same positions, same ids, same verdicts. Nothing
// is deduplicated or judged anew, so that a log that was exported comes back as it was. The events must follow the
// log's tail without a hole, from position 1 in an empty log, and each digest must be its body's; otherwise nothing is
// appended. Unlike an append it talks to the database under the source's lock: not for a source that receives.
func (l *Log) Restore(ctx context.Context, source string, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	if err := restorable(events); err != nil {
		return fmt.Errorf("restore %s: %w", source, err)
	}
	if _, err := l.since(ctx, l.lane(source)); err != nil {
		return fmt.Errorf("restore %s: %w", source, err)
	}
	err := pgx.BeginTxFunc(ctx, l.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		return restore(ctx, tx, source, events)
	})
	if err != nil {
		return fmt.Errorf("restore %s from position %d: %w", source, events[0].Position, err)
	}
	l.hints.appended(source)
	return nil
}

// restorable checks what can be checked without the log.
func restorable(events []Event) error {
	for i := range events {
		e := &events[i]
		if want := events[0].Position + int64(i); e.Position != want {
			return fmt.Errorf("position %d comes where %d belongs", e.Position, want)
		}
		if sha256.Sum256(e.Body) != e.Digest {
			return fmt.Errorf("the body at position %d is not the one that the digest was made of", e.Position)
		}
	}
	return nil
}

func restore(ctx context.Context, tx pgx.Tx, source string, events []Event) error {
	if _, err := tx.Exec(ctx, lockHead, source); err != nil {
		return err
	}
	tail, err := tailOf(ctx, tx, source)
	if err != nil {
		return err
	}
	if tail != events[0].Position-1 {
		return fmt.Errorf("the log ends at position %d", tail)
	}
	columns := []string{
		"source", "position", "ticket", "type", "event_key", "occurred_at", "received_at", "body", "digest",
		"delivery_id", "verified_by", "quarantined", "repeat_of",
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"event"}, columns, pgx.CopyFromSlice(len(events), func(i int) ([]any, error) {
		e := &events[i]
		return []any{
			source, e.Position, nullable(e.Ticket), e.Type, nullable(e.EventKey), instant(e.OccurredAt), e.ReceivedAt,
			bytesOf(e.Body), e.Digest[:], e.DeliveryID, e.VerifiedBy, nullable(e.Quarantined), nullable(e.RepeatOf),
		}, nil
	}))
	return err
}
