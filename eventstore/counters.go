package eventstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Counter names what is counted.
type Counter string

// The counters. Append itself counts duplicates and keys; the door counts rejections.
const (
	CounterDuplicate Counter = "duplicate" // key: empty
	CounterRejected  Counter = "rejected"  // key: the cause
	CounterVerified  Counter = "verified"  // key: the name of the secret
)

const (
	flushEvery = time.Second
	flushTime  = 2 * time.Second // bounds the last flush, after Run's context has ended
)

// Count adds to a counter of the source in memory; Run adds the sums to the database each second.
//
// Counts are for people: a crash loses the last second of them, and a flush whose answer was lost counts twice.
func (l *Log) Count(source string, c Counter, key string) {
	l.counters.add(source, sum{c, key, 1})
}

// sum is what was counted since the last flush.
type sum struct {
	name  Counter
	key   string
	value int64
}

// counters are the sums of all sources.
type counters struct {
	mu   sync.Mutex
	sums map[string][]sum // by source; few a source
}

func newCounters() *counters { return &counters{sums: map[string][]sum{}} }

func (c *counters) add(source string, s sum) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sums := c.sums[source]
	if i := slices.IndexFunc(sums, func(o sum) bool { return o.name == s.name && o.key == s.key }); i >= 0 {
		sums[i].value += s.value
		return
	}
	c.sums[source] = append(sums, s)
}

func (c *counters) take() map[string][]sum {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.sums
	c.sums = map[string][]sum{}
	return taken
}

// flushLoop adds the sums to the database each second, and once more when ctx has ended.
func (l *Log) flushLoop(ctx context.Context) {
	for sleep(ctx, flushEvery) {
		_ = l.flush(ctx) // the sums are kept; the next second tries again
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
	defer cancel()
	_ = l.flush(last)
}

// flush adds the sums to the database, source by source. What fails goes back into memory.
func (l *Log) flush(ctx context.Context) error {
	var failure error
	for source, sums := range l.counters.take() {
		if err := l.flushSource(ctx, source, sums); err != nil {
			failure = err
			for _, s := range sums {
				l.counters.add(source, s)
			}
		}
	}
	return failure
}

func (l *Log) flushSource(ctx context.Context, source string, sums []sum) error {
	// All processes take the rows in one order, so that none waits for the other in a circle.
	slices.SortFunc(sums, func(a, b sum) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.key, b.key)) })
	var names, keys []string
	var values []int64
	for _, s := range sums {
		names, keys, values = append(names, string(s.name)), append(keys, s.key), append(values, s.value)
	}
	err := pgx.BeginTxFunc(ctx, l.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO counter AS c (source, name, key, value)
			SELECT $1, s.name, s.key, s.value
			  FROM unnest($2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY AS s (name, key, value, ord)
			 ORDER BY s.ord
			    ON CONFLICT (source, name, key) DO UPDATE SET value = c.value + excluded.value`,
			source, names, keys, values)
		return err
	})
	if err != nil {
		return fmt.Errorf("add to the counters of %s: %w", source, err)
	}
	return nil
}
