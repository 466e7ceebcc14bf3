package ingest

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
)

// metrics are what the door measures. Labels are bounded: a source is a configured one or "unknown".
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	last     *prometheus.GaugeVec
}

// results are what can become of a request to a configured source.
var results = []string{
	string(eventstore.Accepted), string(eventstore.Duplicate), string(eventstore.Quarantined), statusPing,
	string(CauseMethod), string(CauseContentType), string(CauseEncoding), string(CauseTooLarge), string(CauseTruncated),
	string(CauseSlow), string(CauseSignature), string(CauseBusy), resultError,
}

// newMetrics registers the door's metrics; reg may be nil. Every count begins at 0 and is there from the start: of a count
// that appears with its first event, nobody can tell that it grew.
func newMetrics(reg prometheus.Registerer, sources map[string]source.Source, room *room) metrics {
	m := metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "queuetrack_webhook_requests_total",
			Help: "Requests to the webhook door by what became of them.",
		}, []string{"source", "result"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "queuetrack_webhook_request_duration_seconds",
			Help:    "Time from a webhook's headers to its answer, the commit included.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"source"}),
		last: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "queuetrack_webhook_last_received_timestamp_seconds",
			Help: "When this process last received an authentic webhook.",
		}, []string{"source"}),
	}
	if reg == nil {
		return m
	}
	for name := range sources {
		for _, result := range results {
			m.requests.WithLabelValues(name, result)
		}
	}
	reg.MustRegister(m.requests, m.duration, m.last,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "queuetrack_webhook_in_flight",
			Help: "Webhooks that are being read or wait for the log.",
		}, func() float64 { n, _ := room.inFlight(); return float64(n) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "queuetrack_webhook_in_flight_bytes",
			Help: "Bytes of the webhooks in flight.",
		}, func() float64 { _, n := room.inFlight(); return float64(n) }),
	)
	return m
}

// observe counts one request and how long it took.
func (m metrics) observe(source, result string, took time.Duration) {
	m.requests.WithLabelValues(source, result).Inc()
	m.duration.WithLabelValues(source).Observe(took.Seconds())
}

// received remembers when the source last gave a sign of life.
func (m metrics) received(source string, at time.Time) {
	m.last.WithLabelValues(source).Set(float64(at.UnixMilli()) / 1000)
}
