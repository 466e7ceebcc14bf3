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

	counterNoted Counter = "noted" // key: empty. Rejections that were written down; numbers them
)

const (
	flushEvery = time.Second
	flushTime  = 10 * time.Second // bounds a flush: a database that says nothing must not stop the next one
	lastFlush  = 2 * time.Second  // bounds the one after Run's context has ended
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

// tally is what a source has to be written.
type tally struct {
	sums     []sum // few
	noted    []Rejection
	admitted int // rejections that were or are being described since the last flush
}

func (t *tally) add(s sum) {
	if i := slices.IndexFunc(t.sums, func(o sum) bool { return o.name == s.name && o.key == s.key }); i >= 0 {
		t.sums[i].value += s.value
		return
	}
	t.sums = append(t.sums, s)
}

// note keeps the latest, whether they come before or after those that are there.
func (t *tally) note(all []Rejection) {
	t.noted = slices.Clone(all[max(0, len(all)-notedRejections):])
}

// counters are the tallies of all sources.
type counters struct {
	mu      sync.Mutex
	tallies map[string]*tally // by source
}

func newCounters() *counters { return &counters{tallies: map[string]*tally{}} }

// of returns the source's tally; the caller holds mu.
func (c *counters) of(source string) *tally {
	t, ok := c.tallies[source]
	if !ok {
		t = &tally{}
		c.tallies[source] = t
	}
	return t
}

func (c *counters) add(source string, s sum) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of(source).add(s)
}

// admit reports whether one more rejection may be described before the next flush.
func (c *counters) admit(source string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.of(source)
	if t.admitted == notedRejections {
		return false
	}
	t.admitted++
	return true
}

func (c *counters) note(source string, r Rejection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.of(source)
	t.note(append(t.noted, r))
}

// take empties the tallies.
func (c *counters) take() map[string]*tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.tallies
	c.tallies = map[string]*tally{}
	return taken
}

// putBack keeps what could not be written; it is older than what has come meanwhile.
func (c *counters) putBack(source string, failed *tally) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.of(source)
	for _, s := range failed.sums {
		t.add(s)
	}
	t.note(append(failed.noted, t.noted...))
}

// flushLoop adds the sums to the database each second, and once more when ctx has ended.
func (l *Log) flushLoop(ctx context.Context) {
	for sleep(ctx, flushEvery) {
		_ = l.flush(ctx, flushTime) // what fails is kept; the next second tries again
	}
	_ = l.flush(context.WithoutCancel(ctx), lastFlush)
}

// flush writes the tallies to the database, source by source, each in a transaction of its own, all of them in
// patience. What fails goes back into memory.
func (l *Log) flush(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var failure error
	for source, t := range l.counters.take() {
		if err := l.flushSource(ctx, source, t); err != nil {
			failure = err
			l.counters.putBack(source, t)
		}
	}
	return failure
}

func (l *Log) flushSource(ctx context.Context, source string, t *tally) error {
	err := pgx.BeginTxFunc(ctx, l.working, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		if err := addSums(ctx, tx, source, t.sums); err != nil || len(t.noted) == 0 {
			return err
		}
		return writeRejections(ctx, tx, source, t.noted)
	})
	if err != nil {
		return fmt.Errorf("add to the counters of %s: %w", source, err)
	}
	return nil
}

func addSums(ctx context.Context, tx pgx.Tx, source string, sums []sum) error {
	// All processes take the rows in one order, so that none waits for the other in a circle.
	slices.SortFunc(sums, func(a, b sum) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.key, b.key)) })
	var names, keys []string
	var values []int64
	for _, s := range sums {
		names, keys, values = append(names, string(s.name)), append(keys, s.key), append(values, s.value)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO counter AS c (source, name, key, value)
		SELECT $1, s.name, s.key, s.value
		  FROM unnest($2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY AS s (name, key, value, ord)
		 ORDER BY s.ord
		    ON CONFLICT (source, name, key) DO UPDATE SET value = c.value + excluded.value`,
		source, names, keys, values)
	return err
}
