package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"

	"queuetrack/projection"
)

// The paths that machines ask all day.
const (
	LivePath    = "/livez"
	ReadyPath   = "/readyz"
	MetricsPath = "/metrics"
)

// CheckTimeout bounds what a readiness check waits for the database.
const CheckTimeout = 2 * time.Second

// Checks are what readiness depends on.
type Checks struct {
	Database    func(context.Context) error                          // whether the database answers
	Schema      func(context.Context) error                          // whether it has the schema that this binary needs
	Projections func(context.Context) ([]projection.Progress, error) // only reported; nil: nothing to report
	Drift       func(context.Context) (projection.Drift, error)      // only reported; nil: nothing to report
	MayRead     func(*http.Request) bool                             // whether who asks is told the details; nil: everybody is
	Logger      *slog.Logger                                         // nil: slog.Default()
}

// Health answers whether the process lives and whether it should get requests. A slow projector is only reported:
// it must not close the door to webhooks.
type Health struct {
	checks   Checks
	draining atomic.Bool
}

// NewHealth returns the health of a process.
func NewHealth(c Checks) *Health {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return &Health{checks: c}
}

// Drain makes /readyz fail from now on, so that no new requests are sent here while the process shuts down.
func (h *Health) Drain() { h.draining.Store(true) }

// Mount adds /livez and /readyz to the router.
func (h *Health) Mount(r chi.Router) {
	r.Get(LivePath, h.live)
	r.Get(ReadyPath, h.ready)
}

// live never touches the database: a restart doesn't mend that.
func (h *Health) live(w http.ResponseWriter, _ *http.Request) {
	writeHealth(w, http.StatusOK, readiness{Status: "ok"})
}

// readiness is the answer of /readyz; the lists only with ?verbose, for those who may read.
type readiness struct {
	Status      string            `json:"status"`
	Checks      map[string]string `json:"checks,omitempty"`
	Drift       *drift            `json:"drift,omitempty"`
	Projections []shard           `json:"projections,omitempty"`
}

// drift is what the read models that answers come from were folded with and differs from what this process folds with.
type drift struct {
	Generation int      `json:"generation"`
	Code       bool     `json:"code"`
	Settings   []string `json:"settings"`
	Advice     string   `json:"advice"`
}

// shard is the progress of one source in one generation of the read models.
type shard struct {
	Source      string  `json:"source"`
	Generation  int     `json:"generation"`
	State       string  `json:"state"`
	Position    int64   `json:"position"`
	Tail        int64   `json:"tail"`
	LagEvents   int64   `json:"lag_events"`
	LagSeconds  float64 `json:"lag_seconds"`
	DeadLetters int64   `json:"dead_letters"`
	Halted      *string `json:"halted"`
	// Drift names what the shard was folded with and differs now: code, settings.
	Drift []string `json:"drift,omitempty"`
}

func (h *Health) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), CheckTimeout)
	defer cancel()
	answer, status := readiness{Status: "ready", Checks: h.run(ctx)}, http.StatusOK
	for _, outcome := range answer.Checks {
		if outcome != passed {
			answer.Status, status = "unavailable", http.StatusServiceUnavailable
		}
	}
	if !h.verbose(r) {
		if status == http.StatusOK {
			answer.Checks = nil
		}
		writeHealth(w, status, answer)
		return
	}
	answer.Drift, answer.Projections = h.drift(ctx), h.projections(ctx)
	writeHealth(w, status, answer)
}

// verbose reports whether the details are asked for, by somebody who may read. Anybody else gets the plain answer: a probe
// must not fail for want of a key.
func (h *Health) verbose(r *http.Request) bool {
	return r.URL.Query().Has("verbose") && (h.checks.MayRead == nil || h.checks.MayRead(r))
}

// What a check comes to. The cause of a failure is in the log.
const (
	passed = "ok"
	failed = "failed"
)

// run does the checks that readiness depends on.
func (h *Health) run(ctx context.Context) map[string]string {
	outcomes := map[string]string{"shutdown": passed, "database": passed, "schema": passed}
	if h.draining.Load() {
		outcomes["shutdown"] = "shutting down"
	}
	if err := h.checks.Database(ctx); err != nil {
		h.checks.Logger.WarnContext(ctx, "readiness check failed", "check", "database", "error", err)
		outcomes["database"], outcomes["schema"] = failed, "not checked"
		return outcomes
	}
	if err := h.checks.Schema(ctx); err != nil {
		h.checks.Logger.WarnContext(ctx, "readiness check failed", "check", "schema", "error", err)
		outcomes["schema"] = failed
	}
	return outcomes
}

// drift reports what differs; nothing when that can't be told.
func (h *Health) drift(ctx context.Context) *drift {
	if h.checks.Drift == nil {
		return nil
	}
	d, err := h.checks.Drift(ctx)
	if err != nil {
		h.checks.Logger.WarnContext(ctx, "drift can't be read", "error", err)
		return nil
	}
	if !d.Any() {
		return nil
	}
	return &drift{Generation: d.Generation, Code: d.Code, Settings: append([]string{}, d.Settings...), Advice: d.Advice()}
}

// projections reports how far the read models are; nothing when that can't be told.
func (h *Health) projections(ctx context.Context) []shard {
	if h.checks.Projections == nil {
		return nil
	}
	progress, err := h.checks.Projections(ctx)
	if err != nil {
		h.checks.Logger.WarnContext(ctx, "progress can't be read", "error", err)
		return nil
	}
	shards := make([]shard, 0, len(progress))
	for _, p := range progress {
		s := shard{
			Source: p.Source, Generation: p.Generation, State: p.State, Position: p.Position, Tail: p.Tail,
			LagEvents: max(0, p.Tail-p.Position), LagSeconds: p.LagSeconds, DeadLetters: p.DeadLetters, Drift: p.Drift,
		}
		if p.Halted != "" {
			s.Halted = &p.Halted
		}
		shards = append(shards, s)
	}
	return shards
}

func writeHealth(w http.ResponseWriter, status int, answer readiness) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // the client is gone: nobody is left to tell
}
