package projection

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
)

var errStub = errors.New("stub")

// Config is what a Runner does not have to be given. The zero value works.
type Config struct {
	PageSize int           // events folded in one transaction; 0: DefaultPageSize
	Lease    time.Duration // 0: DefaultLease
	Poll     time.Duration // how often the log's tail is looked at without a hint; 0: DefaultPoll
	Logger   *slog.Logger  // nil: slog.Default()
}

// Runner folds the sources' logs into the read models.
type Runner struct{}

// NewRunner returns a runner of the serving generation over these sources.
func NewRunner(pool *pgxpool.Pool, log *eventstore.Log, sources map[string]source.Source, models []ReadModel, cfg Config) *Runner {
	return &Runner{}
}

// Run claims shards and follows their logs until ctx ends. A database that is away is waited for.
func (r *Runner) Run(ctx context.Context) error { return errStub }

// CatchUp folds everything that is in the log now, then returns: for tests, commands and the end of a demo.
func (r *Runner) CatchUp(ctx context.Context) error { return errStub }

// Verify checks every invariant of the log and of the read models in one snapshot and reports each violation.
func Verify(ctx context.Context, pool *pgxpool.Pool, sources map[string]source.Source, models []ReadModel, report func(eventstore.Violation)) (Verified, error) {
	return Verified{}, errStub
}

// Verified is what Verify went through.
type Verified struct {
	Sources, Events, Tickets int64
}

// Expirer appends eventstore.TypeExpired for open tickets that no event has touched for too long.
type Expirer struct{}

// NewExpirer returns an expirer; after gives each source's expire_after, 0 for never.
func NewExpirer(pool *pgxpool.Pool, log *eventstore.Log, after map[string]time.Duration, now func() time.Time) *Expirer {
	return &Expirer{}
}

// Run expires once a minute until ctx ends.
func (e *Expirer) Run(ctx context.Context) error { return errStub }

// ExpireOnce appends what is due now and returns how many.
func (e *Expirer) ExpireOnce(ctx context.Context) (int, error) { return 0, errStub }

// ErrNotOpen means that the ticket is unknown or has ended.
var ErrNotOpen = errors.New("no such open ticket")

// Close appends eventstore.TypeClosed for an open ticket: an operator's end of one that a lost webhook left open.
func Close(ctx context.Context, pool *pgxpool.Pool, log *eventstore.Log, source, ticket, reason string) (eventstore.Receipt, error) {
	return eventstore.Receipt{}, errStub
}
