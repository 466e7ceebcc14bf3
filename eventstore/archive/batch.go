package archive

import (
	"context"
	"errors"
	"hash/maphash"
	"io"

	"queuetrack/eventstore"
)

// A batch is written in one transaction. Appends to its source wait for it, so it is short.
const (
	batchEvents = 1000
	batchBytes  = 4 << 20 // of bodies; a batch has at least one event, however large
)

// batch is a row of events of one source, or why there are no more.
type batch struct {
	events []eventstore.Event
	mark   uint64 // of its lines: equal in both passes if the file is
	read   int64  // bytes of the file, up to its end
	err    error
}

// batches reads ahead: one batch waits while the one before it is worked on. Where they end depends on the file alone. It
// ends after the last event, after an error, or with ctx.
func (a *Reader) batches(ctx context.Context, seed maphash.Seed) <-chan batch {
	batches := make(chan batch)
	go func() {
		defer close(batches)
		c := collector{}
		c.marks.SetSeed(seed)
		send := func(b batch) bool {
			b.read = a.bytes
			select {
			case batches <- b:
				return b.err == nil
			case <-ctx.Done():
				return false
			}
		}
		for {
			e, err := a.Next()
			if full := err != nil || c.full(&e); full && len(c.events) > 0 && !send(c.take()) {
				return
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					send(batch{err: err})
				}
				return
			}
			c.add(e, a.line)
		}
	}()
	return batches
}

// collector gathers a batch.
type collector struct {
	events []eventstore.Event
	bytes  int
	marks  maphash.Hash
}

// full says whether the event belongs into the next batch.
func (c *collector) full(e *eventstore.Event) bool {
	return len(c.events) == batchEvents || len(c.events) > 0 &&
		(c.events[0].Source != e.Source || c.bytes+len(e.Body) > batchBytes)
}

func (c *collector) add(e eventstore.Event, line []byte) {
	c.events = append(c.events, e)
	c.bytes += len(e.Body)
	_, _ = c.marks.Write(line) // it has no way to go wrong
}

func (c *collector) take() batch {
	b := batch{events: c.events, mark: c.marks.Sum64()}
	c.events, c.bytes = nil, 0
	c.marks.Reset()
	return b
}
