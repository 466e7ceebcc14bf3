package eventstore

import (
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// DefaultReplayWindow is how long ago an older equal event may have been received, for its return to be an edit
// and not a replay.
const DefaultReplayWindow = 24 * time.Hour

// Config is what a Log needs beside its database. The zero value works.
type Config struct {
	ReplayWindow func(source string) time.Duration // nil, or an answer of 0 or less: DefaultReplayWindow

	// Working is the pool for what must go on, so that it never waits behind those who only ask: appends (one connection
	// a source at a time), counters, and those who follow a log. Nil: the log's other one.
	Working *pgxpool.Pool
	Metrics prometheus.Registerer // nil: not measured
	Tracer  trace.Tracer          // nil: not traced
}

// Log is the event log. All methods are safe for concurrent use.
type Log struct {
	pool     *pgxpool.Pool
	working  *pgxpool.Pool
	window   func(source string) time.Duration
	metrics  metrics
	tracer   trace.Tracer
	counters *counters
	hints    *hints

	mu    sync.Mutex
	lanes map[string]*lane // by source
}

// New returns the log in the pool's database. Nothing runs until it is used, and Append doesn't need Run.
func New(pool *pgxpool.Pool, cfg Config) *Log {
	if cfg.Working == nil {
		cfg.Working = pool
	}
	return &Log{
		pool:     pool,
		working:  cfg.Working,
		window:   windowOf(cfg),
		metrics:  newMetrics(cfg.Metrics),
		tracer:   cfg.Tracer,
		counters: newCounters(),
		hints:    newHints(),
		lanes:    map[string]*lane{},
	}
}

func windowOf(cfg Config) func(string) time.Duration {
	return func(source string) time.Duration {
		if cfg.ReplayWindow != nil {
			if w := cfg.ReplayWindow(source); w > 0 {
				return w
			}
		}
		return DefaultReplayWindow
	}
}

func (l *Log) lane(source string) *lane {
	l.mu.Lock()
	defer l.mu.Unlock()
	ln, ok := l.lanes[source]
	if !ok {
		ln = &lane{source: source}
		l.metrics.failures.WithLabelValues(source) // 0 from the start: of a count that appears late, nobody can tell that it grew
		l.lanes[source] = ln
	}
	return ln
}
