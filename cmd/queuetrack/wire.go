package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"queuetrack/api"
	"queuetrack/api/access"
	"queuetrack/api/query"
	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/projection"
	"queuetrack/projection/board"
	"queuetrack/projection/estimate"
	"queuetrack/projection/history"
	"queuetrack/projection/wait"
)

// parts are what the commands work with, on one database.
type parts struct {
	config  config
	pools   pools
	metrics *prometheus.Registry
	live    liveSources
	sources map[string]source.Source // the live ones, for whoever need not know that
	log     *eventstore.Log
	reader  *projection.Reader
	keys    *access.Keys
}

// pools are connections to one database. What must go on has its own, so that it never waits behind those who read.
type pools struct {
	reading *pgxpool.Pool // what is asked for
	working *pgxpool.Pool // appends, projectors, health
	filling *pgxpool.Pool // rebuilds, which would leave the others none
}

// newParts puts them together. The pools stay the caller's to close.
func newParts(c config, db pools) (*parts, error) {
	live, err := c.openSources()
	if err != nil {
		return nil, err
	}
	metrics := api.NewRegistry()
	reader := projection.NewReader(db.reading)
	reader.Fingerprint = c.fingerprint()
	return &parts{
		config:  c,
		pools:   db,
		metrics: metrics,
		live:    live,
		sources: live.sources(),
		log:     eventstore.New(db.reading, eventstore.Config{ReplayWindow: c.replayWindow, Working: db.working, Metrics: metrics, Tracer: c.tracer}),
		reader:  reader,
		keys:    access.NewKeys(db.working, nil),
	}, nil
}

// models are the read models, a line each.
func (p *parts) models() []projection.ReadModel {
	return []projection.ReadModel{board.Model{}, history.Model{}, wait.Model{}, p.config.estimates()}
}

// estimates count by the sources' local days.
func (c config) estimates() estimate.Model {
	zones := make(map[string]*time.Location, len(c.Sources))
	for _, s := range c.Sources {
		zones[s.Name] = s.ZoneOrUTC()
	}
	return estimate.Model{Zones: zones}
}

func (p *parts) runner(logger *slog.Logger, pageSize int) *projection.Runner {
	return projection.NewRunner(p.pools.working, p.log, p.sources, p.models(), projection.Config{
		Logger: logger, Tracer: p.config.tracer, PageSize: pageSize, Fingerprint: p.reader.Fingerprint,
	})
}

func (p *parts) expirer(now func() time.Time) *projection.Expirer {
	after := make(map[string]time.Duration, len(p.config.Sources))
	for _, s := range p.config.Sources {
		after[s.Name] = s.ExpireAfter
	}
	return projection.NewExpirer(p.pools.working, p.log, after, now)
}

// silence measures which sources have stopped sending, by the log.
func (p *parts) silence(now func() time.Time) prometheus.Collector {
	var names []string
	after := make(map[string]time.Duration, len(p.config.Sources))
	for _, s := range p.config.Sources {
		names = append(names, s.Name)
		after[s.Name] = s.SilentAfter
	}
	received := func(ctx context.Context) (map[string]time.Time, error) { return p.log.LastReceived(ctx, names) }
	return api.NewSilenceCollector(received, after, now)
}

func (c config) replayWindow(name string) time.Duration {
	for _, s := range c.Sources {
		if s.Name == name {
			return s.ReplayWindow
		}
	}
	return defaultReplayWindow
}

// logger writes to w in the configured format.
func (c config) logger(w io.Writer, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat.Value == logJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// withParts loads the settings, opens the database as it is, and runs do on it: for commands that end by themselves.
func (a *app) withParts(ctx context.Context, do func(context.Context, *parts) error) (err error) {
	c, err := a.loadConfig()
	if err != nil {
		return err
	}
	logger := c.logger(a.stderr, slog.LevelWarn)
	tracer, endTracing := a.startTracing(ctx, logger)
	defer endTracing()
	c.tracer = tracer
	db, pool, err := ready(ctx, c, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close(ctx)) }()
	defer pool.Close()
	p, err := newParts(c, pools{pool, pool, pool})
	if err != nil {
		return err
	}
	return do(ctx, p)
}

// query is what the door out needs to know of the sources.
func (c config) query(now func() time.Time) query.Config {
	infos := make([]query.SourceInfo, len(c.Sources))
	for i, s := range c.Sources {
		queues := make(map[string]query.QueueInfo, len(s.Queues))
		for id, q := range s.Queues {
			queues[id] = query.QueueInfo{Name: q.Name, Location: q.Location}
		}
		infos[i] = query.SourceInfo{Name: s.Name, Kind: string(s.Kind), Zone: s.Location, SilentAfter: s.SilentAfter, Queues: queues}
	}
	return query.Config{Sources: infos, Version: buildVersion(), Now: now}
}
