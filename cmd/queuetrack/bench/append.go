package bench

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
)

// batchSize is the most that a group commit takes, so what the log does at its busiest.
const batchSize = 500

// Append is the log alone, without HTTP, beside a bare INSERT of the same rows: how many events a second each took in
// batches of 500, a figure a turn.
type Append struct{ Log, Bare []float64 }

// MeasureAppend appends batches to the log and inserts the same rows, without any check, into a table of the same
// columns and indexes, turn about. Nothing else may use the database.
func MeasureAppend(ctx context.Context, pool *pgxpool.Pool, log *eventstore.Log, turns, batches int) (Append, error) {
	if _, err := pool.Exec(ctx, `CREATE TABLE bare (LIKE event INCLUDING ALL)`); err != nil {
		return Append{}, fmt.Errorf("make the yardstick's table: %w", err)
	}
	var a Append
	// As many visitors as two batches take: the deliveries of one come in different batches.
	visits, position := &visits{next: 1, stride: 1, crowd: 2 * batchSize, began: time.Now()}, int64(0)
	for range turns {
		rows := make([][]eventstore.Delivery, batches)
		for i := range rows {
			rows[i] = deliveries(visits)
		}
		perSecond, err := clock(rows, func(ds []eventstore.Delivery) error {
			_, err := log.AppendBatch(ctx, Source+"-append", ds)
			return err
		})
		if err != nil {
			return Append{}, err
		}
		a.Log = append(a.Log, perSecond)
		perSecond, err = clock(rows, func(ds []eventstore.Delivery) error {
			defer func() { position += int64(len(ds)) }()
			return insertBare(ctx, pool, position, ds)
		})
		if err != nil {
			return Append{}, err
		}
		a.Bare = append(a.Bare, perSecond)
	}
	return a, nil
}

// deliveries are the next batch.
func deliveries(v *visits) []eventstore.Delivery {
	ds := make([]eventstore.Delivery, batchSize)
	for i := range ds {
		row := v.row()
		ds[i] = eventstore.Delivery{
			Ticket: row.Ticket, Type: row.Type, OccurredAt: v.began, ReceivedAt: time.Now(), Body: row.Body, VerifiedBy: "literal-1",
		}
	}
	return ds
}

// clock says how many deliveries a second do takes.
func clock(batches [][]eventstore.Delivery, do func([]eventstore.Delivery) error) (float64, error) {
	began, n := time.Now(), 0
	for _, ds := range batches {
		if err := do(ds); err != nil {
			return 0, err
		}
		n += len(ds)
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

// insertBare inserts the rows behind a position.
func insertBare(ctx context.Context, pool *pgxpool.Pool, position int64, ds []eventstore.Delivery) error {
	var positions []int64
	var tickets, types, verifiers []string
	var times []time.Time
	var bodies, digests [][]byte
	var ids []uuid.UUID
	for _, d := range ds {
		position++
		digest := sha256.Sum256(d.Body)
		positions, tickets, types = append(positions, position), append(tickets, d.Ticket), append(types, d.Type)
		times, bodies, digests = append(times, d.ReceivedAt), append(bodies, d.Body), append(digests, digest[:])
		ids, verifiers = append(ids, uuid.New()), append(verifiers, d.VerifiedBy)
	}
	_, err := pool.Exec(ctx, `
		INSERT INTO bare (source, position, ticket, type, occurred_at, received_at, body, digest, delivery_id, verified_by)
		SELECT $1, u.*
		  FROM unnest($2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $5::timestamptz[], $6::bytea[], $7::bytea[],
		              $8::uuid[], $9::text[]) AS u`,
		Source, positions, tickets, types, times, bodies, digests, ids, verifiers)
	if err != nil {
		return fmt.Errorf("insert %d rows: %w", len(ds), err)
	}
	return nil
}
