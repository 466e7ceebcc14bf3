package archive

import (
	"context"
	"fmt"
	"iter"

	"queuetrack/eventstore"
)

// known holds an archive against what the log has already, before anything is written.
type known struct {
	log    *eventstore.Log
	tails  map[string]int64
	source string
	next   func() (eventstore.Event, error, bool)
	stop   func()
}

// begin holds each seam against the log.
func (k *known) begin(ctx context.Context, seams []Seam) error {
	for _, s := range seams {
		if tail := k.tails[s.Source]; tail < s.Position {
			return gap(s.Source, tail, s.Position+1)
		}
		digest, err := lineDigest(ctx, k.log, s.Source, s.Position)
		if err != nil {
			return err
		}
		if digest != s.Digest {
			return &eventstore.DivergedError{Source: s.Source, Position: s.Position}
		}
	}
	return nil
}

func gap(source string, tail, first int64) error {
	return fmt.Errorf("the log of %s ends at %d here, and the file goes on at %d: export it with --after %s:%d",
		source, tail, first, source, tail)
}

// check holds the archive's next event against the log's, if the log goes that far.
func (k *known) check(ctx context.Context, e *eventstore.Event) error {
	if k.source != e.Source {
		k.end()
		k.source = e.Source
		k.next, k.stop = iter.Pull2(k.log.Walk(ctx, e.Source, e.Position-1, k.tails[e.Source]))
	}
	if e.Position > k.tails[e.Source] {
		return nil
	}
	held, err, _ := k.next()
	if err != nil {
		return err
	}
	if !held.Same(e) {
		return &eventstore.DivergedError{Source: e.Source, Position: e.Position}
	}
	return nil
}

// end lets go of the log. It may be called at any time, and again.
func (k *known) end() {
	if k.stop != nil {
		k.stop()
	}
}
