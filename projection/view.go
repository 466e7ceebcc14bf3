package projection

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Reader opens views. Safe for concurrent use.
type Reader struct{ pool *pgxpool.Pool }

// NewReader returns a reader of the pool's database.
func NewReader(pool *pgxpool.Pool) *Reader { return &Reader{pool: pool} }

// View calls f with one consistent look at the serving generation; everything f reads belongs together.
func (r *Reader) View(ctx context.Context, f func(*View) error) error { return errStub }

// Progress is one shard of a generation.
type Progress struct {
	Generation  int
	State       string // building, serving, previous
	Source      string
	Position    int64 // the checkpoint
	Tail        int64 // of the log, read in the same snapshot
	LagSeconds  float64 // age of the oldest event not yet folded; 0 when there is none
	DeadLetters int64
	Halted      string // why it stopped; empty: it runs
}

// Progress returns how far each shard of each generation is, ordered by generation and source.
func (r *Reader) Progress(ctx context.Context) ([]Progress, error) { return nil, errStub }

// DeadLetter is an event that could not be decoded or folded, of the serving generation.
type DeadLetter struct {
	Source   string
	Position int64
	Ticket   string
	Cause    string
	Waiting  int64 // events that wait behind it
}

// DeadLetters returns dead letters after a (source, position), ordered so, at most limit; source "" means all.
func (r *Reader) DeadLetters(ctx context.Context, source, afterSource string, after int64, limit int) ([]DeadLetter, error) {
	return nil, errStub
}
