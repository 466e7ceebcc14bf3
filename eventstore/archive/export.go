package archive

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"slices"

	"queuetrack/eventstore"
)

// Scope says what to export.
type Scope struct {
	Sources []string         // nil: all that have a log
	After   map[string]int64 // by source, the position to go on after; not beyond the log's end
}

// tellEvery is after how many events Export tells how far it is.
const tellEvery = 1000

// Export writes the log up to where it ended in the beginning. That needs no snapshot, which would keep the database
// from cleaning up for as long as it is open: what is up to there never changes, and can be read in any order at any
// time. Memory is constant. tell is called now and then with how many events are done, of how many.
func Export(ctx context.Context, log *eventstore.Log, w io.Writer, scope Scope, tell func(done, total int64)) ([]Span, error) {
	tails, err := log.Tails(ctx)
	if err != nil {
		return nil, err
	}
	sources := slices.Sorted(maps.Keys(tails))
	if scope.Sources != nil {
		sources = slices.Compact(slices.Sorted(slices.Values(scope.Sources)))
	}
	seams, err := seamsOf(ctx, log, sources, scope.After, tails)
	if err != nil {
		return nil, err
	}
	done, total := int64(0), int64(0)
	for _, source := range sources {
		total += tails[source] - scope.After[source]
	}
	archive := NewWriter(w, seams)
	for _, source := range sources {
		for e, err := range log.Walk(ctx, source, scope.After[source], tails[source]) {
			if err == nil {
				err = archive.Write(&e)
			}
			if err != nil {
				return nil, fmt.Errorf("export %s: %w", source, err)
			}
			if done++; done%tellEvery == 0 {
				tell(done, total)
			}
		}
	}
	tell(done, total)
	return archive.Close()
}

// seamsOf describes where the export begins, for those sources that don't begin with their first event.
func seamsOf(ctx context.Context, log *eventstore.Log, sources []string, after, tails map[string]int64) ([]Seam, error) {
	var seams []Seam
	for _, source := range slices.Sorted(maps.Keys(after)) {
		position := after[source]
		if position > tails[source] {
			return nil, fmt.Errorf("export %s after %d: its log ends at %d", source, position, tails[source])
		}
		if position == 0 || !slices.Contains(sources, source) {
			continue
		}
		digest, err := lineDigest(ctx, log, source, position)
		if err != nil {
			return nil, fmt.Errorf("export %s after %d: %w", source, position, err)
		}
		seams = append(seams, Seam{Source: source, Position: position, Digest: digest})
	}
	return seams, nil
}

// lineDigest is the SHA-256 of an event's line.
func lineDigest(ctx context.Context, log *eventstore.Log, source string, position int64) (digest [sha256.Size]byte, err error) {
	for e, err := range log.Walk(ctx, source, position-1, position) {
		if err != nil {
			return digest, err
		}
		digest = sha256.Sum256(appendEvent(nil, &e))
	}
	return digest, nil
}
