package query

import "github.com/prometheus/client_golang/prometheus"

// streamMetrics are what streams measure.
type streamMetrics struct {
	open prometheus.Gauge
	slow prometheus.Counter
}

// newStreamMetrics registers the metrics; reg may be nil.
func newStreamMetrics(reg prometheus.Registerer) streamMetrics {
	m := streamMetrics{
		open: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "queuetrack_streams_open",
			Help: "Clients of /v1/stream.",
		}),
		slow: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "queuetrack_streams_cut_total",
			Help: "Clients of /v1/stream that were hung up on because they read too slowly. They resume where they were.",
		}),
	}
	if reg != nil {
		reg.MustRegister(m.open, m.slow)
	}
	return m
}
