package eventstore

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

var errStub = errors.New("stub")

// Config is what a Log needs beside its database. The zero value works.
type Config struct {
	ReplayWindow func(source string) time.Duration // nil: DefaultReplayWindow for all
}

// Log is the event log. All methods are safe for concurrent use.
type Log struct{ pool *pgxpool.Pool }

// New returns the log in the pool's database.
func New(pool *pgxpool.Pool, cfg Config) *Log { return &Log{pool: pool} }

// Append adds the delivery to the source's log, unless it is known, and returns after the commit. Concurrent calls
// share a transaction.
func (l *Log) Append(ctx context.Context, source string, d Delivery) (Receipt, error) {
	return Receipt{}, errStub
}

// AppendBatch appends the deliveries in their order in one transaction: what Append's group commit does.
func (l *Log) AppendBatch(ctx context.Context, source string, ds []Delivery) ([]Receipt, error) {
	return nil, errStub
}

// Read returns the events of the source after a position, in order, at most limit. Contiguous: no holes.
func (l *Log) Read(ctx context.Context, source string, after int64, limit int) ([]Event, error) {
	return nil, errStub
}

// Tail returns the position of the source's last event, 0 when it has none.
func (l *Log) Tail(ctx context.Context, source string) (int64, error) { return 0, errStub }

// Wake returns a channel that receives (never blocks, coalesced) after this or another process appended to the
// source: a hint only, polling is the truth.
func (l *Log) Wake(source string) (hint <-chan struct{}, stop func()) { return nil, func() {} }

// Run flushes counters each second and exchanges notifications with other processes, until ctx ends.
func (l *Log) Run(ctx context.Context) error { return errStub }

// Count adds to a counter of the source in memory; Run adds the sums to the database each second.
func (l *Log) Count(source string, c Counter, key string) {}

// Counter names what is counted.
type Counter string

// The counters. Append itself counts duplicates and keys; the door counts rejections.
const (
	CounterDuplicate Counter = "duplicate" // key: empty
	CounterRejected  Counter = "rejected"  // key: the cause
	CounterVerified  Counter = "verified"  // key: the name of the secret
)

// Stats is a source's log in numbers.
type Stats struct {
	Source         string
	Tail           int64
	LastReceivedAt time.Time // zero: nothing yet. Our own events don't count: they are no sign of life from the vendor
	Quarantined    int64
	Duplicates     int64
	Rejected       map[string]int64 // by cause
	VerifiedBy     map[string]int64 // by key
}

// Stats returns one entry for each of the sources asked for, in that order, also for those without events.
func (l *Log) Stats(ctx context.Context, sources []string) ([]Stats, error) { return nil, errStub }

// Quarantine returns quarantined events after a (source, position), ordered by source and position, at most limit;
// source "" means all.
func (l *Log) Quarantine(ctx context.Context, source string, afterSource string, after int64, limit int) ([]Event, error) {
	return nil, errStub
}

// ReadTickets returns the events of these tickets up to a position, ordered by ticket and position, within the
// caller's transaction: what verify folds anew.
func ReadTickets(ctx context.Context, tx pgx.Tx, source string, tickets []string, upTo int64) ([]Event, error) {
	return nil, errStub
}

// Violation is one broken invariant.
type Violation struct {
	Source   string
	Position int64  // 0: of the source as a whole
	Ticket   string // empty: of no one ticket
	What     string // in words, for a person
}

// Verify checks, in the caller's transaction and in constant memory, that positions are dense from 1 and that each
// digest is its body's. It reports each violation and returns the number of events checked.
func Verify(ctx context.Context, tx pgx.Tx, source string, report func(Violation)) (int64, error) {
	return 0, errStub
}
