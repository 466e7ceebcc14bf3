package main

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/cmd/queuetrack/doctor"
	"queuetrack/eventstore"
	"queuetrack/projection"
)

// contents looks at the log and at what is folded from it.
func (x *examination) contents(pool *pgxpool.Pool, log *eventstore.Log, server doctor.Server) []doctor.Check {
	reader := projection.NewReader(pool)
	if len(x.mistakes) == 0 { // of half a configuration everything would differ
		reader.Fingerprint = x.config.fingerprint()
	}
	var names []string
	sources := doctor.Sources{Log: log, Now: x.now}
	for _, s := range x.sources() {
		names = append(names, s.Name)
		sources.Configured = append(sources.Configured, s.examined())
	}
	folds := doctor.Projections{Reader: reader, Sources: names}
	negative := func(ctx context.Context) ([]doctor.Finding, error) { return sources.NegativeWaits(ctx, reader) }
	return append(sources.Checks(),
		doctor.Check{Section: "other sources", Name: "logs", Look: sources.Unknown},
		doctor.Check{Section: "clocks", Name: "database clock", Look: server.Clock},
		doctor.Check{Section: "clocks", Name: "vendors' clocks", Look: sources.Clocks},
		doctor.Check{Section: "clocks", Name: "waits", Look: negative},
		doctor.Check{Section: "projections", Name: "folded", Look: folds.Folded},
		doctor.Check{Section: "projections", Name: "processes", Look: folds.Processes},
		doctor.Check{Section: "projections", Name: "version", Look: folds.Version},
		doctor.Check{Section: "projections", Name: "rebuild", Look: folds.Rebuild},
	)
}

// examined is what doctor has to know of a source.
func (s sourceConfig) examined() doctor.Source {
	return doctor.Source{
		Name: s.Name, Header: s.signatureHeader(), Unsigned: s.Kind.unsigned(), Secrets: s.secretNames(), SilentAfter: s.SilentAfter, Zone: s.Location,
	}
}
