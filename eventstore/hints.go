package eventstore

import "sync"

// hints tell those who follow a source that there may be something new. A hint can be lost or come twice: polling
// is the truth.
type hints struct {
	mu       sync.Mutex
	waiters  map[string]map[chan struct{}]bool // by source
	untold   map[string]bool                   // sources whose news other processes haven't been sent
	somebody chan struct{}                     // wakes the announcer
}

func newHints() *hints {
	return &hints{
		waiters:  map[string]map[chan struct{}]bool{},
		untold:   map[string]bool{},
		somebody: make(chan struct{}, 1),
	}
}

// Wake returns a channel that receives (never blocks, coalesced) after this or another process appended to the
// source: a hint only, polling is the truth. Other processes' appends need Run, in both. stop ends it; the channel is
// never closed.
func (l *Log) Wake(source string) (hint <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	h := l.hints
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiters[source] == nil {
		h.waiters[source] = map[chan struct{}]bool{}
	}
	h.waiters[source][c] = true
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.waiters[source], c)
	}
}

// appended wakes who follows the source here, and leaves word for the other processes.
func (h *hints) appended(source string) {
	h.wake(source)
	h.leave(source)
}

// leave leaves word of the source for the other processes.
func (h *hints) leave(source string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.untold[source] = true
	nudge(h.somebody)
}

// wake wakes who follows the source in this process.
func (h *hints) wake(source string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.waiters[source] {
		nudge(c)
	}
}

// wakeAll is for when it isn't known what was missed.
func (h *hints) wakeAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, waiters := range h.waiters {
		for c := range waiters {
			nudge(c)
		}
	}
}

// news takes the sources that other processes haven't been told of.
func (h *hints) news() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var sources []string
	for source := range h.untold {
		sources = append(sources, source)
	}
	clear(h.untold)
	return sources
}

// nudge sends unless a hint is already waiting there.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
