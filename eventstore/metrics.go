package eventstore

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what the log measures of its appends, by source. They tell a busy source from a slow disk: under load
// batches grow and nothing else does; with a slow commit the duration grows, and with a busy neighbour the lock wait.
type metrics struct {
	batch    *prometheus.HistogramVec
	duration *prometheus.HistogramVec
	lockWait *prometheus.HistogramVec
	failures *prometheus.CounterVec
}

// newMetrics registers the log's metrics; reg may be nil.
func newMetrics(reg prometheus.Registerer) metrics {
	seconds := []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	m := metrics{
		batch: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "queuetrack_log_append_batch_deliveries",
			Help:    "Deliveries that one append transaction took.",
			Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 500},
		}, []string{"source"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "queuetrack_log_append_duration_seconds",
			Help:    "Time of one append transaction, from a free connection to the commit's answer.",
			Buckets: seconds,
		}, []string{"source"}),
		lockWait: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "queuetrack_log_lock_wait_seconds",
			Help:    "Time that an append waited for the source's lock, which another process held.",
			Buckets: seconds,
		}, []string{"source"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "queuetrack_log_append_failures_total",
			Help: "Append transactions that failed; most are tried again.",
		}, []string{"source"}),
	}
	if reg != nil {
		reg.MustRegister(m.batch, m.duration, m.lockWait, m.failures)
	}
	return m
}

// appended notes a batch that is settled.
func (m metrics) appended(source string, deliveries int) {
	m.batch.WithLabelValues(source).Observe(float64(deliveries))
}

// transacted notes a transaction that was committed.
func (m metrics) transacted(source string, took, lockWait time.Duration) {
	m.duration.WithLabelValues(source).Observe(took.Seconds())
	m.lockWait.WithLabelValues(source).Observe(lockWait.Seconds())
}

// failed notes one that was not, as far as we know.
func (m metrics) failed(source string) { m.failures.WithLabelValues(source).Inc() }
