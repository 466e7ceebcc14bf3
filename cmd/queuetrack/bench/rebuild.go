package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/projection"
)

// RebuildLevel is what was measured with a log of one length, a rebuild and a run of the yardstick a round.
type RebuildLevel struct {
	Events    int64 // in all sources together
	Sources   int
	Rebuilds  []Rebuild
	Yardstick []time.Duration
}

// RebuildPlan is what to measure.
type RebuildPlan struct {
	Events  []int64 // lengths of the log, all sources together
	Sources []string
	Rounds  int
}

// MeasureRebuild fills the log, then rebuilds and runs the yardstick turn about, and calls progress with what it does
// next. The first rebuild is not counted: it fills what readers see, which the others are compared with. The tables that
// a rebuild is to fill are full before each, of the yardstick's rows, so that it has as much to clear as it always has
// but for the first times. The database must be migrated, empty, and nobody else's.
func MeasureRebuild(ctx context.Context, pool *pgxpool.Pool, rebuild Command, p RebuildPlan, events int64, progress func(string)) (RebuildLevel, error) {
	each := events / int64(len(p.Sources))
	l := RebuildLevel{Events: each * int64(len(p.Sources)), Sources: len(p.Sources)}
	progress(fmt.Sprintf("%d events: fill the log", l.Events))
	if err := FillLog(ctx, pool, p.Sources, each); err != nil {
		return l, err
	}
	server, err := findPostgres(ctx, pool)
	if err != nil {
		return l, err
	}
	progress(fmt.Sprintf("%d events: first rebuild", l.Events))
	if _, err := rebuild.measure(ctx, server, silently); err != nil {
		return l, err
	}
	for round := range p.Rounds {
		progress(fmt.Sprintf("%d events: round %d of %d", l.Events, round+1, p.Rounds))
		took, err := yardstickTurn(ctx, pool, p.Sources)
		if err != nil {
			return l, err
		}
		if err := flush(ctx, pool); err != nil {
			return l, err
		}
		rebuilt, err := rebuild.measure(ctx, server, silently)
		if err != nil {
			return l, err
		}
		if rebuilt.Other > 0 {
			return l, fmt.Errorf("a rebuild made something else of %d tickets than the one before of the same log", rebuilt.Other)
		}
		l.Yardstick, l.Rebuilds = append(l.Yardstick, took), append(l.Rebuilds, rebuilt)
	}
	return l, nil
}

func silently(string, time.Time) {}

// yardstickTurn says how long SQL takes to fill the tables that no reader sees, once they are empty.
func yardstickTurn(ctx context.Context, pool *pgxpool.Pool, sources []string) (time.Duration, error) {
	var serving int
	if err := pool.QueryRow(ctx, `SELECT generation FROM generation WHERE state = 'serving'`).Scan(&serving); err != nil {
		return 0, fmt.Errorf("read the serving generation: %w", err)
	}
	other := projection.SetOf(serving + 1)
	if err := EmptySet(ctx, pool, other); err != nil {
		return 0, err
	}
	if err := flush(ctx, pool); err != nil {
		return 0, err
	}
	began := time.Now()
	err := FillSet(ctx, pool, other, sources)
	return time.Since(began), err
}

// flush makes the database write down what it has in memory: no turn pays for another.
func flush(ctx context.Context, pool *pgxpool.Pool) error {
	if _, err := pool.Exec(ctx, `CHECKPOINT`); err != nil && !notAllowed(err) {
		return fmt.Errorf("CHECKPOINT: %w", err)
	}
	return nil
}
