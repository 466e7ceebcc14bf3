package projection

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Fingerprint tells what decides the rows that a log is folded to: of two generations with the same one, the same logs
// give the same rows. Without a Code nothing is recorded and nothing drifts.
type Fingerprint struct {
	Code     string            // of the fold, the adapters and the read models
	Settings map[string]string // by source: of the settings that its adapter reads
}

// What may have changed since a shard's events were folded, as Progress.Drift names it.
const (
	DriftCode     = "code"     // the fold, an adapter or a read model: another version of this program
	DriftSettings = "settings" // of the source, as far as its adapter reads them
)

// Drift is what the serving generation was folded with, held against what this process folds with.
type Drift struct {
	Generation int
	Code       bool     // another version folded it, or a part of it
	Settings   []string // sources that were folded with other settings, or in part; sorted
	// Served: a generation that began with this process's fingerprint serves, or has served and was replaced: by a newer
	// version, by an operator who went back, or it is the present one and another process folded a part of it. To rebuild
	// again is for a person to decide. Else two versions that both rebuild by themselves would never come to an end.
	Served bool
}

// Any reports whether anything differs: a rebuild is due.
func (d Drift) Any() bool { return d.Code || len(d.Settings) > 0 }

// Advice says what to do about it, for a person.
func (d Drift) Advice() string {
	if d.Served {
		return "a generation of this version and these settings has served already: if this is the one to keep, end the processes that have others, then run 'queuetrack rebuild'"
	}
	return "run 'queuetrack rebuild', or start serve with --rebuild-on-drift"
}

// record notes, in the transaction that writes the first rows, what the source's events after a position are folded with.
// Rows are never taken away: they are the memory of which fingerprints have had their generation.
func (f Fingerprint) record(ctx context.Context, tx pgx.Tx, generation int, source string, after int64) error {
	if f.Code == "" {
		return nil
	}
	if after == 0 { // the first generation is begun by whoever folds first
		_, err := tx.Exec(ctx, `
			UPDATE generation
			SET fingerprint = $2
			WHERE generation = $1 AND fingerprint = ''`, generation, f.Code)
		if err != nil {
			return fmt.Errorf("record the fingerprint of generation %d: %w", generation, err)
		}
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO folded_with (source, generation, code, settings, after)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (source, generation, code, settings) DO NOTHING`, source, generation, f.Code, f.Settings[source], after)
	if err != nil {
		return fmt.Errorf("record the fingerprint of %s in generation %d: %w", source, generation, err)
	}
	return nil
}

// Drift holds the serving generation against r.Fingerprint. A source that nothing was folded of yet is no drift, nor is
// one that is not configured any more.
func (r *Reader) Drift(ctx context.Context) (d Drift, err error) {
	if r.Fingerprint.Code == "" {
		return Drift{}, nil
	}
	err = snapshot(ctx, r.pool, func(tx pgx.Tx) error {
		v := &View{Tx: tx}
		if err := v.open(ctx); err != nil {
			return err
		}
		differ, err := r.drifts(ctx, tx)
		if err != nil {
			return err
		}
		d = driftOf(v.Generation, differ)
		d.Served, err = r.Fingerprint.served(ctx, tx)
		return err
	})
	if err != nil {
		return Drift{}, fmt.Errorf("read the generation's fingerprint: %w", err)
	}
	return d, nil
}

// drifts tells for each shard what differs, in the caller's transaction.
func (r *Reader) drifts(ctx context.Context, tx pgx.Tx) (map[shardKey][]string, error) {
	if r.Fingerprint.Code == "" {
		return nil, nil
	}
	return r.Fingerprint.differences(ctx, tx)
}

func driftOf(generation int, differ map[shardKey][]string) Drift {
	d := Drift{Generation: generation}
	for key, what := range differ {
		if key.generation != generation {
			continue
		}
		d.Code = d.Code || slices.Contains(what, DriftCode)
		if slices.Contains(what, DriftSettings) {
			d.Settings = append(d.Settings, key.source)
		}
	}
	slices.Sort(d.Settings)
	return d
}

// shardKey is what a shard is found by.
type shardKey struct {
	source     string
	generation int
}

// differences tells for each shard of a generation that has rows what any part of it was folded with and differs.
func (f Fingerprint) differences(ctx context.Context, tx pgx.Tx) (map[shardKey][]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT w.source, w.generation, w.code, w.settings
		FROM folded_with w
		JOIN generation g ON g.generation = w.generation
		WHERE g.state IN ('building', 'serving', 'previous')`)
	if err != nil {
		return nil, err
	}
	differ := map[shardKey][]string{}
	var key shardKey
	var code, settings string
	_, err = pgx.ForEachRow(rows, []any{&key.source, &key.generation, &code, &settings}, func() error {
		now, configured := f.Settings[key.source]
		if code != f.Code {
			differ[key] = append(differ[key], DriftCode)
		}
		if configured && settings != now {
			differ[key] = append(differ[key], DriftSettings)
		}
		return nil
	})
	for key, what := range differ {
		slices.Sort(what)
		differ[key] = slices.Compact(what)
	}
	return differ, err
}

// served reports whether a generation was begun with this very fingerprint and has become the serving one.
func (f Fingerprint) served(ctx context.Context, tx pgx.Tx) (served bool, err error) {
	sources, settings := f.lists()
	err = tx.QueryRow(ctx, `
		SELECT EXISTS (
			SELECT
			FROM generation g
			WHERE g.switched_at IS NOT NULL AND g.fingerprint = $1
				AND NOT EXISTS (
					SELECT
					FROM (
						SELECT DISTINCT ON (w.source) w.source, w.code, w.settings
						FROM folded_with w
						WHERE w.generation = g.generation
						ORDER BY w.source, w.after) AS begun
					JOIN unnest($2::text[], $3::text[]) AS mine (source, settings) ON mine.source = begun.source
					WHERE begun.code <> $1 OR begun.settings <> mine.settings))`, f.Code, sources, settings).Scan(&served)
	return served, err
}

func (f Fingerprint) lists() (sources, settings []string) {
	for source, s := range f.Settings {
		sources, settings = append(sources, source), append(settings, s)
	}
	return sources, settings
}
