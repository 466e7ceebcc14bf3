package eventstore_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
	"queuetrack/migrations/dbtest"
)

const batchSize = 500

// delivery is one of a day at the counter: a body like Qminder's, five events a ticket, each in another batch. So most
// tickets are known, and every rule has its look-ups to do.
func delivery(n int64) eventstore.Delivery {
	ticket := fmt.Sprint(10_000_000 + n/(5*batchSize)*batchSize + n%batchSize)
	return eventstore.Delivery{
		Ticket: ticket, Type: "ticket_changed", OccurredAt: noon, ReceivedAt: noon, VerifiedBy: "env:SECRET",
		Body: fmt.Appendf(nil, `{"type":"ticket_changed","data":{"id":%s,"number":"%d","status":"NEW","line":"37338","source":"MANUAL",`+
			`"firstName":"Somebody","created":{"date":"2026-11-20T12:00:00Z"},"called":{"date":"2026-11-20T12:10:00Z","caller":114,"desk":3},`+
			`"extra":[{"title":"Reason","value":"Passport"},{"title":"Language","value":"et"}],"step":%d}}`, ticket, n/5%1000, n),
	}
}

// BenchmarkAppendBatch500 is the log with all its checks.
func BenchmarkAppendBatch500(b *testing.B) {
	log, _ := newLog(b)
	n := int64(0)
	for b.Loop() {
		ds := make([]eventstore.Delivery, batchSize)
		for i := range ds {
			n++
			ds[i] = delivery(n)
		}
		if _, err := log.AppendBatch(b.Context(), source, ds); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkInsertUnnest500 is the yardstick: the same rows, without any check, into a table of the same columns and
// indexes.
func BenchmarkInsertUnnest500(b *testing.B) {
	pool := dbtest.New(b)
	if _, err := pool.Exec(b.Context(), `CREATE TABLE bare (LIKE event INCLUDING ALL)`); err != nil {
		b.Fatal(err)
	}
	n := int64(0)
	for b.Loop() {
		n = insertBare(b.Context(), b, pool, n)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

func insertBare(ctx context.Context, b *testing.B, pool *pgxpool.Pool, n int64) int64 {
	var positions []int64
	var tickets, types, verifiers []string
	var bodies, digests [][]byte
	var ids []uuid.UUID
	for range batchSize {
		n++
		d := delivery(n)
		digest := sha256.Sum256(d.Body)
		positions, tickets, types = append(positions, n), append(tickets, d.Ticket), append(types, d.Type)
		verifiers, bodies = append(verifiers, d.VerifiedBy), append(bodies, d.Body)
		digests, ids = append(digests, digest[:]), append(ids, uuid.New())
	}
	_, err := pool.Exec(ctx, `
		INSERT INTO bare (source, position, ticket, type, occurred_at, received_at, body, digest, delivery_id, verified_by)
		SELECT $1, t.*, $9
		  FROM (SELECT u.position, u.ticket, u.type, $10::timestamptz, $10::timestamptz, u.body, u.digest, u.id
		          FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::uuid[], $8::text[])
		               AS u (position, ticket, type, body, digest, id, verifier)) AS t`,
		source, positions, tickets, types, bodies, digests, ids, verifiers, "env:SECRET", noon)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkAppend64 is the group commit under 64 callers.
func BenchmarkAppend64(b *testing.B) {
	log, _ := newLog(b)
	var n atomic.Int64
	b.SetParallelism(32) // times GOMAXPROCS
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := log.Append(context.Background(), source, delivery(n.Add(1))); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(n.Load())/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkAppend1 is a lone caller: what one append costs.
func BenchmarkAppend1(b *testing.B) {
	log, _ := newLog(b)
	for n := int64(0); b.Loop(); n++ {
		if _, err := log.Append(b.Context(), source, delivery(n)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead500 pages through a log.
func BenchmarkRead500(b *testing.B) {
	log, _ := newLog(b)
	for n := int64(0); n < 20_000; n += batchSize {
		ds := make([]eventstore.Delivery, batchSize)
		for i := range ds {
			ds[i] = delivery(n + int64(i))
		}
		mustAppend(b, log, ds...)
	}
	after, read := int64(0), 0
	for b.Loop() {
		events, err := log.Read(b.Context(), source, after, batchSize)
		if err != nil {
			b.Fatal(err)
		}
		after += int64(len(events))
		read += len(events)
		if len(events) == 0 {
			after = 0
		}
	}
	b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "events/s")
}
