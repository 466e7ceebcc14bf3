package eventstore_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"queuetrack/eventstore"
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

// BenchmarkAppendBatch500 is the log with all its checks; `queuetrack bench ingest` sets it beside a bare INSERT.
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
