package api

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"queuetrack/projection"
)

// NewRegistry returns a registry of our own with what the process and the Go runtime tell.
func NewRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// MetricsHandler answers /metrics.
func MetricsHandler(reg *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg})
}

// lag tells how far the read models are at the time of each scrape.
type lag struct {
	read                        func(context.Context) ([]projection.Progress, error)
	events, seconds, dead, halt *prometheus.Desc
}

// NewLagCollector returns a collector of the projections' lag, dead letters and halts; read is asked at each scrape.
func NewLagCollector(read func(context.Context) ([]projection.Progress, error)) prometheus.Collector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("queuetrack_projection_"+name, help, []string{"source", "state"}, nil)
	}
	return &lag{
		read:    read,
		events:  desc("lag_events", "Events in the log that the read models have not folded yet."),
		seconds: desc("lag_seconds", "Age of the oldest event that the read models have not folded yet."),
		dead:    desc("dead_letters", "Events that could not be decoded or folded."),
		halt:    desc("halted", "1 when the shard has stopped and needs a person."),
	}
}

// Describe implements prometheus.Collector.
func (c *lag) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.events, c.seconds, c.dead, c.halt} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. Without a database the lag is not known, and the scrape has none.
func (c *lag) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), CheckTimeout)
	defer cancel()
	progress, err := c.read(ctx)
	if err != nil {
		return
	}
	for _, p := range progress {
		gauge := func(d *prometheus.Desc, value float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, p.Source, p.State)
		}
		gauge(c.events, float64(max(0, p.Tail-p.Position)))
		gauge(c.seconds, p.LagSeconds)
		gauge(c.dead, float64(p.DeadLetters))
		halted := 0.0
		if p.Halted != "" {
			halted = 1
		}
		gauge(c.halt, halted)
	}
}
