package api

import (
	"sync"
	"time"
)

// linesPerSecond is how many requests get a log line of their own, of each status. With what a line can hold (its path is
// cut, and no header, body or query is in it), a flood of them writes less than 50 KB a second of each status; failures of
// ours have their stacks with them. Nor does writing cost a busy door its time: what it took is in the event log.
const linesPerSecond = 50

// gate bounds the lines that senders can have written: a request costs its sender nothing, a full disk a lot.
// Safe for concurrent use.
type gate struct {
	mu      sync.Mutex
	opened  time.Time
	written map[int]int // by status, since it opened
	held    int         // lines not written
}

// next opens the gate anew each second. It returns how many lines were held back while it was open before.
func (g *gate) next(now time.Time) (held int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Sub(g.opened) < time.Second {
		return 0
	}
	held = g.held
	g.opened, g.written, g.held = now, map[int]int{}, 0
	return held
}

// pass reports whether there may be one more line of an answer with the status.
func (g *gate) pass(status int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.written[status] >= linesPerSecond {
		g.held++
		return false
	}
	g.written[status]++
	return true
}
