package projection

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Rebuilding is how far the work on a generation is.
type Rebuilding struct {
	Generation int
	Phase      Phase
	Events     int64   // folded so far, of all sources
	Total      int64   // in their logs
	Rate       float64 // events a second, in this phase; 0: not known
}

// Left is how long the rest takes at this rate; 0: not known.
func (p Rebuilding) Left() time.Duration {
	if p.Rate <= 0 {
		return 0
	}
	return time.Duration(float64(p.Total-p.Events) / p.Rate * float64(time.Second))
}

const (
	// reportEvery is how often the work is reported to who called for it, tellEvery to everybody else.
	reportEvery = 250 * time.Millisecond
	tellEvery   = time.Second
)

// meter counts what has been folded. Safe for concurrent use.
type meter struct {
	mu         sync.Mutex
	generation int
	phase      Phase
	events     int64 // folded, by whomever
	total      int64
	folded     int64 // of these, by this process
	since      time.Time
	before     int64 // folded when the phase began
	entered    chan struct{}
	spans      phases
}

// enter begins a phase.
func (m *meter) enter(p Phase) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.phase, m.since, m.before = p, time.Now(), m.folded
	m.spans.enter(p)
	select {
	case m.entered <- struct{}{}:
	default: // the last one is not reported yet
	}
}

// known says what has been folded and what there is; add, that so many more have been.
func (m *meter) known(events, total int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events, m.total = events, max(total, events)
}

func (m *meter) add(events int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events, m.folded = m.events+events, m.folded+events
	m.total = max(m.total, m.events)
}

func (m *meter) read() (Rebuilding, int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := Rebuilding{Generation: m.generation, Phase: m.phase, Events: m.events, Total: m.total}
	if seconds := time.Since(m.since).Seconds(); seconds > 0 && !m.since.IsZero() {
		p.Rate = float64(m.folded-m.before) / seconds
	}
	return p, m.folded
}

// watch keeps the lease while the work goes on, and stops the work when the lease is lost or can't be kept.
func (j *job) watch(ctx context.Context, stop context.CancelCauseFunc, report func(Rebuilding)) {
	renewed := time.Now()
	asked := time.Now()
	for {
		p, _ := j.meter.read()
		if report != nil {
			report(p)
		}
		if now := time.Now(); now.Sub(asked) >= min(tellEvery, j.runner.cfg.Lease/4) {
			asked = now
			switch err := j.renew(ctx, j.runner.pool, p.Phase, p.Rate, j.runner.cfg.Lease); {
			case err == nil:
				renewed = now
			case errors.Is(err, errLost), time.Since(renewed) > j.runner.cfg.Lease:
				stop(err)
				return
			}
		}
		wait(ctx, j.meter.entered, reportEvery)
		if ctx.Err() != nil {
			return
		}
	}
}
