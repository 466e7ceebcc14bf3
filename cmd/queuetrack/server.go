package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"golang.org/x/sync/errgroup"

	"queuetrack/api"
	"queuetrack/api/access"
	"queuetrack/api/dashboard"
	"queuetrack/api/ingest"
	"queuetrack/api/query"
	"queuetrack/migrations"
)

// Limits of the HTTP server. How long a body may take is the doors' to say, and how long an answer, package api's;
// readTimeout and writeTimeout hold where those say nothing, and end no request that they would let live: they are
// longer than any answer may take.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = time.Minute
	writeTimeout      = time.Minute
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10
	// maxConnections bounds memory and files: a connection holds one of them, some 20 KiB, and its headers while
	// they arrive.
	maxConnections = 4096
	// shutdownTimeout bounds finishing the requests that run when the server is told to stop.
	shutdownTimeout = 15 * time.Second
)

// server is what serve and demo run: the two doors and the projectors on one database.
type server struct {
	parts    *parts
	database *database
	logger   *slog.Logger
	now      func() time.Time
	health   *api.Health
	guard    *access.Guard
	door     *query.Door
	pages    *dashboard.Dashboard
	rebuilds *rebuilds
	handler  http.Handler
	reload   func(context.Context) error // runs beside the rest; nil: the configuration is not read again
	drain    time.Duration               // between saying no on /readyz and the end of accepting requests
	rebuild  bool                        // by itself, when the read models are another version's
}

func newServer(p *parts, logger *slog.Logger, now func() time.Time) *server {
	s := &server{parts: p, database: &database{}, logger: logger, now: now, rebuilds: newRebuilds(p.rebuilder(logger), logger)}
	s.guard = access.NewGuard(p.keys, p.config.guard())
	ownName := api.OwnName(p.config.Listen.Value)
	s.health = api.NewHealth(api.Checks{
		Database:    p.pools.working.Ping,
		Schema:      func(ctx context.Context) error { return migrations.Check(ctx, p.pools.working) },
		Projections: p.reader.Progress,
		Drift:       p.reader.Drift,
		MayRead:     func(r *http.Request) bool { return ownName(r) && s.guard.MayRead(r) },
		Logger:      logger,
	})
	s.handler = s.routes()
	return s
}

// routes mounts the doors, the pages, health and metrics. Webhooks, health and the public pages need no key, everything
// else does.
func (s *server) routes() http.Handler {
	p := s.parts
	p.metrics.MustRegister(api.NewLagCollector(p.reader.Progress), api.NewRebuildCollector(p.reader.Rebuilding), p.silence(s.now))
	proxies, _ := p.config.Access.proxies() // checked when it was read
	around := []func(http.Handler) http.Handler{api.Clients(proxies)}
	if p.config.tracer != nil {
		around = append(around, api.Trace(p.config.tracer))
	}
	r := api.NewRouter(s.logger, around...)
	s.health.Mount(r)
	r.Handle(ingest.Prefix+"*", ingest.New(p.log, p.sources, ingest.Config{Now: s.now, Metrics: p.metrics}))
	asked := p.config.query(s.now)
	asked.Build = buildDigest()
	asked.Operator, asked.Rebuilds = p.operator(s.now), s.rebuilds
	asked.Stream = query.StreamConfig{Logger: s.logger, Metrics: p.metrics}
	s.door = query.New(p.reader, p.log, asked)
	rest := chi.NewRouter()
	s.door.Mount(rest)
	s.pages = dashboard.New(dashboard.Config{
		REST: rest, Waits: s.door.WaitsPageOf, Estimates: s.door.BacktestPageOf, Sessions: s.guard,
		Build: asked.Build, Now: s.now, Logger: s.logger,
	})
	sameSite := api.SameSite(p.config.Listen.Value)
	r.Group(func(r chi.Router) {
		r.Use(sameSite, s.guard.Handler)
		r.Get(api.MetricsPath, api.MetricsHandler(p.metrics).ServeHTTP)
		s.door.Mount(r)
	})
	r.Group(func(r chi.Router) {
		r.Use(s.pages.Readable, sameSite)
		s.pages.MountPublic(r)
		r.Group(func(r chi.Router) {
			r.Use(s.guard.Handler)
			s.pages.Mount(r)
		})
	})
	r.NotFound(s.pages.Readable(http.HandlerFunc(api.NotFound)).ServeHTTP) // who mistypes an address in a browser gets a page
	return r
}

// run serves until ctx ends or a part fails, then ends in order: the doors, the projectors, and the caller the rest.
func (s *server) run(ctx context.Context, l net.Listener) error {
	// The projectors outlive ctx: they go on until the last webhook is answered.
	work, endWork := context.WithCancel(context.WithoutCancel(ctx))
	defer endWork()
	group, working := errgroup.WithContext(work)
	part := func(name string, run func(context.Context) error) {
		group.Go(func() error {
			if err := run(working); err != nil && !errors.Is(err, context.Canceled) {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	part("event log", s.parts.log.Run)
	part("projections", s.parts.runner(s.logger, 0).Run)
	part("expiry", s.parts.expirer(s.now).Run)
	part("API keys", s.parts.keys.Run)
	part("rebuilds", s.rebuilds.Run)
	part("drift", s.onDrift().run)
	part("private postgres", s.database.watch)
	if s.reload != nil {
		part("reload", s.reload)
	}
	// Streams end when the server stops accepting requests: it would wait for them.
	streaming, endStreams := context.WithCancel(working)
	part("streams", func(context.Context) error { return s.door.Run(streaming) })
	part("pages", func(context.Context) error { return s.pages.Run(streaming) })
	group.Go(func() error {
		defer endWork()
		defer endStreams()
		return s.serveHTTP(ctx, working, l, endStreams)
	})
	return group.Wait()
}

// serveHTTP answers until ctx ends or a part has failed, and finishes what runs; it calls stopping when that begins.
func (s *server) serveHTTP(ctx, working context.Context, l net.Listener, stopping func()) error {
	clients := &connections{most: maxConnections}
	h := &http.Server{
		Handler:           s.handler,
		ConnState:         clients.changed,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
	}
	h.RegisterOnShutdown(stopping)
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
	case <-working.Done():
	}
	s.logger.InfoContext(ctx, "shutting down")
	s.health.Drain()
	select { // whoever asks /readyz to know where to send requests, sends them elsewhere from now on
	case <-time.After(s.drain):
	case <-working.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := h.Shutdown(end); err != nil {
		// A client that neither sends nor reads must not turn an orderly end into a failure. What was answered is kept.
		s.logger.WarnContext(ctx, "cut off the requests that did not end in time", "error", errors.Join(err, h.Close()))
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP: %w", err)
	}
	return nil
}
