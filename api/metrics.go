package api

import (
	"context"
	"net/http"
	"time"

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

// scrapesAtOnce bounds what /metrics can take of the database's connections; one more gets 503.
const scrapesAtOnce = 2

// MetricsHandler answers /metrics. Each collector that asks the database gives up within [CheckTimeout], and is then
// missing from an answer that has all the others.
func MetricsHandler(reg *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg, MaxRequestsInFlight: scrapesAtOnce})
}

// lag tells how far the read models are at the time of each scrape.
type lag struct {
	read                                        func(context.Context) ([]projection.Progress, error)
	events, seconds, dead, waiting, halt, drift *prometheus.Desc
}

// NewLagCollector returns a collector of the projections' lag, dead letters, halts and drift; read is asked at each scrape.
func NewLagCollector(read func(context.Context) ([]projection.Progress, error)) prometheus.Collector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("queuetrack_projection_"+name, help, []string{"source", "state"}, nil)
	}
	return &lag{
		read:    read,
		events:  desc("lag_events", "Events in the log that the read models have not folded yet."),
		seconds: desc("lag_seconds", "Age of the oldest event that the read models have not folded yet."),
		dead:    desc("dead_letters", "Events that could not be decoded or folded."),
		waiting: desc("dead_letters_waiting", "Later events about the same tickets, which wait behind the dead letters."),
		halt:    desc("halted", "1 when the shard has stopped and needs a person."),
		drift:   desc("drift", "1 when the shard was folded by another version, or with other settings of its source, than this process has: a rebuild is due."),
	}
}

// Describe implements prometheus.Collector.
func (c *lag) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.events, c.seconds, c.dead, c.waiting, c.halt, c.drift} {
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
		gauge(c.waiting, float64(p.Waiting))
		gauge(c.halt, oneIf(p.Halted != ""))
		gauge(c.drift, oneIf(len(p.Drift) > 0))
	}
}

func oneIf(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}

// rebuild tells how far the last rebuild is at the time of each scrape.
type rebuild struct {
	read                       func(context.Context) (projection.Work, error)
	state, events, total, rate *prometheus.Desc
}

// NewRebuildCollector returns a collector of the last rebuild, rollback or discard, by whichever process; read is asked at
// each scrape.
func NewRebuildCollector(read func(context.Context) (projection.Work, error)) prometheus.Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("queuetrack_rebuild_"+name, help, labels, nil)
	}
	return &rebuild{
		read:   read,
		state:  desc("state", "1 for what is done to a generation, or was last: none, running, interrupted, failed, done. The phase is empty once it is done.", "state", "task", "phase"),
		events: desc("events", "Events folded so far, of all sources. Missing when nothing is under way or waits to be gone on with."),
		total:  desc("log_events", "Events in the logs, which are to be folded. Missing as above."),
		rate:   desc("events_per_second", "How fast it is folding. Missing when nobody is at it."),
	}
}

// Describe implements prometheus.Collector.
func (c *rebuild) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.state, c.events, c.total, c.rate} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. Without a database nobody knows, and the scrape has none.
func (c *rebuild) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), CheckTimeout)
	defer cancel()
	w, err := c.read(ctx)
	if err != nil {
		return
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	gauge(c.state, 1, string(w.State), string(w.Task), string(w.Phase))
	switch w.State {
	case projection.WorkNone, projection.WorkDone:
	case projection.WorkRunning:
		gauge(c.rate, w.Rate)
		fallthrough
	case projection.WorkInterrupted, projection.WorkFailed:
		gauge(c.events, float64(w.Events))
		gauge(c.total, float64(w.Total))
	}
}

// Silent reports whether a source has been without a webhook for longer than after, which 0 turns off. One that never
// had any (last is zero) is silent.
func Silent(last, now time.Time, after time.Duration) bool {
	return after > 0 && now.Sub(last) > after
}

// silence tells, at the time of each scrape, when the log last received something of each source.
type silence struct {
	received     func(context.Context) (map[string]time.Time, error)
	after        map[string]time.Duration
	now          func() time.Time
	last, silent *prometheus.Desc
}

// NewSilenceCollector returns a collector of when each source last gave a sign of life, by the log: through whichever
// process it came. received is asked at each scrape for the last receipt by source, zero for none; after is how long
// each source may be without a webhook, 0 for as long as it likes.
func NewSilenceCollector(received func(context.Context) (map[string]time.Time, error), after map[string]time.Duration, now func() time.Time) prometheus.Collector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("queuetrack_source_"+name, help, []string{"source"}, nil)
	}
	return &silence{
		received: received, after: after, now: now,
		last:   desc("last_received_timestamp_seconds", "When the log last received a webhook of the source, by any process. Missing before the first."),
		silent: desc("silent", "1 when the source has been without a webhook for longer than its silent_after. Only for sources that have one."),
	}
}

// Describe implements prometheus.Collector.
func (c *silence) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.last
	ch <- c.silent
}

// Collect implements prometheus.Collector. Without a database nobody knows, and the scrape has none.
func (c *silence) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), CheckTimeout)
	defer cancel()
	received, err := c.received(ctx)
	if err != nil {
		return
	}
	for source, last := range received {
		if !last.IsZero() {
			ch <- prometheus.MustNewConstMetric(c.last, prometheus.GaugeValue, float64(last.UnixMilli())/1000, source)
		}
		if after := c.after[source]; after > 0 {
			ch <- prometheus.MustNewConstMetric(c.silent, prometheus.GaugeValue, oneIf(Silent(last, c.now(), after)), source)
		}
	}
}
