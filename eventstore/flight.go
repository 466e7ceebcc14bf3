package eventstore

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// What may fly together, and what may wait for it. The first bound keeps the lock short, the second memory.
const (
	flightEvents = 500
	flightBytes  = 1 << 20
	queueEvents  = 5000
	queueBytes   = 32 << 20
)

// passenger is a delivery on its way through a lane.
type passenger struct {
	entry
	landed chan outcome // room for one: the flight never waits for a caller who has gone
}

// lane is the group commit of one source. While a flight is out, deliveries gather; when it returns, they are the
// next one. So a lone delivery leaves at once, and the batches grow with the load by themselves: no timer, no
// tuning. At most one flight is out, which bounds the sessions that wait for the source's lock to one a process.
type lane struct {
	source string

	mu      sync.Mutex
	waiting []*passenger
	bytes   int  // of the bodies waiting
	flying  bool // a goroutine is at work: it ends when nothing waits
	pace    pace
	horizon horizon
}

// boarding is what became of a delivery that came to the lane.
type boarding int

const (
	full   boarding = iota // refused
	queued                 // the goroutine at work takes it along
	first                  // the caller starts the goroutine
)

func (ln *lane) board(p *passenger) boarding {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if len(ln.waiting) >= queueEvents || len(ln.waiting) > 0 && ln.bytes+len(p.Body) > queueBytes {
		return full
	}
	ln.waiting = append(ln.waiting, p)
	ln.bytes += len(p.Body)
	if ln.flying {
		return queued
	}
	ln.flying = true
	return first
}

// leave takes back a delivery that waits; one that flies stays.
func (ln *lane) leave(p *passenger) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if i := slices.Index(ln.waiting, p); i >= 0 {
		ln.waiting = slices.Delete(ln.waiting, i, i+1)
		ln.bytes -= len(p.Body)
	}
}

// fly makes flights until nothing waits. They have no caller's context: the callers are many, and one who gives up
// must not take the others down.
func (l *Log) fly(ln *lane) {
	for flight := ln.depart(); flight != nil; flight = ln.depart() {
		es := make([]entry, len(flight))
		for i, p := range flight {
			es[i] = p.entry
		}
		outcomes := l.settle(context.Background(), ln, es)
		for i, p := range flight {
			outcomes[i].flight = len(flight)
			p.landed <- outcomes[i]
		}
		if last := outcomes[len(outcomes)-1]; errors.Is(last.err, ErrBusy) {
			ln.ground(last)
		}
	}
}

// depart takes the next flight off the queue; nil ends the goroutine, under the lock that board starts one with.
func (ln *lane) depart() []*passenger {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if len(ln.waiting) == 0 {
		ln.flying, ln.waiting = false, nil
		return nil
	}
	n, bytes := 0, 0
	for _, p := range ln.waiting[:min(len(ln.waiting), flightEvents)] {
		if n > 0 && bytes+len(p.Body) > flightBytes {
			break
		}
		n, bytes = n+1, bytes+len(p.Body)
	}
	ln.pace.count(n, time.Now())
	flight := slices.Clone(ln.waiting[:n])
	clear(ln.waiting[:n]) // the array lives on: let go of the bodies
	ln.waiting, ln.bytes = ln.waiting[n:], ln.bytes-bytes
	return flight
}

// ground turns everything away that waits. A flight found the log busy after seconds of trying: to let the next
// one find out anew, and the one behind it, would keep the last of them waiting for a minute.
func (ln *lane) ground(o outcome) {
	ln.mu.Lock()
	turned := ln.waiting
	ln.waiting, ln.bytes = nil, 0
	ln.mu.Unlock()
	for _, p := range turned {
		p.landed <- o
	}
}
