package projection_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
	"queuetrack/projection/board"
	"queuetrack/projection/estimate"
	"queuetrack/projection/history"
	"queuetrack/projection/wait"
)

// BenchmarkVerify is for a log of 100,000 events, three a ticket (QUEUETRACK_VERIFY_EVENTS makes it another number), and
// its read models: how many events are verified in a second, and the most memory that the process has taken. Run it with
// -benchtime 1x.
func BenchmarkVerify(b *testing.B) {
	events := 100_000
	if n, err := strconv.Atoi(os.Getenv("QUEUETRACK_VERIFY_EVENTS")); err == nil {
		events = n
	}
	pool := dbtest.New(b)
	w := &world{pool: pool, log: eventstore.New(pool, eventstore.Config{}), sources: map[string]source.Source{"city": fake{}}}
	w.models = []projection.ReadModel{board.Model{}, history.Model{}, wait.Model{}, estimate.Model{}}
	if _, err := pool.Exec(b.Context(), manyEvents, events/3); err != nil {
		b.Fatal(err)
	}
	if _, err := pool.Exec(b.Context(), `INSERT INTO log_head VALUES ('city')`); err != nil {
		b.Fatal(err)
	}
	if _, err := projection.NewRebuilder(pool, w.log, w.sources, w.models, projection.Config{}).Rebuild(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(peak(b), "MiB-rebuild")
	for b.Loop() {
		start := time.Now()
		done, err := projection.Verify(b.Context(), pool, w.sources, w.models, func(v eventstore.Violation) { b.Error(v) }, projection.VerifyConfig{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(done.Events)/time.Since(start).Seconds(), "events/s")
	}
	b.ReportMetric(peak(b), "MiB")
}

// manyEvents makes a log as the door would have: tickets that come, are called and are served, several at a time.
const manyEvents = `
	INSERT INTO event (source, position, ticket, type, received_at, body, digest, delivery_id, verified_by)
	SELECT 'city', position, ticket, 'any', at, body, sha256(body), gen_random_uuid(), 'literal-1'
	FROM (
		SELECT (n - 1) * 3 + 1 + step AS position, n::text AS ticket, at, convert_to(json_strip_nulls(json_build_object(
			'Says', (ARRAY['created', 'called', 'served'])[step + 1],
			'Status', (ARRAY['waiting', 'called', 'served'])[step + 1],
			'Queue', CASE step WHEN 0 THEN (n % 10)::text END,
			'Desk', CASE step WHEN 1 THEN (n % 7)::text END,
			'CalledAt', CASE step WHEN 1 THEN at END,
			'At', at))::text, 'UTF8') AS body
		FROM generate_series(1, $1::int) AS n, generate_series(0, 2) AS step,
			LATERAL (SELECT timestamptz '2026-01-01 08:00Z' + make_interval(secs => n * 20 + step * 300) AS at) AS t) AS e`
