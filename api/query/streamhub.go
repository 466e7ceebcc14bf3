package query

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"queuetrack/projection"
)

// How far a listener may fall behind.
const (
	heldSteps = 128
	heldBytes = 4 << 20
)

// hub reads what changes, once for all who listen: while somebody does, it looks at the checkpoints every poll, reads the
// stretch between the last look and this one, and hands each step to every listener. It waits for none of them: a
// listener that can't keep up is cut, and goes on from its last id when it comes back, on its own time.
//
// The bookmark at is what has been handed out. It begins with the first listener's, and moves by steps without a hole; so
// does who joins at a place, and reads by itself up to there (and further, which does no harm: see stream.send).
type hub struct {
	door      *Door
	poll      time.Duration
	heartbeat time.Duration
	logger    *slog.Logger
	metrics   streamMetrics
	life      context.Context // of all streams
	end       context.CancelFunc
	places    chan struct{} // each stream takes one
	turns     chan struct{} // who reads by itself takes one

	mu        sync.Mutex
	listeners map[*listener]bool
	at        bookmark
	somebody  chan struct{}

	// Of Run alone.
	generation int
	epochs     map[string]int64 // as of the step before; none: not read since somebody listens
}

// listener is one stream's place at the hub.
type listener struct {
	steps chan *step
	held  atomic.Int64  // bytes in steps
	cut   chan struct{} // closed: no more steps will come
	why   string        // once it is closed
}

func newHub(d *Door, c StreamConfig) *hub {
	life, end := context.WithCancel(context.Background())
	h := &hub{
		door: d, poll: c.Poll, heartbeat: c.Heartbeat, logger: c.Logger, life: life, end: end,
		places: make(chan struct{}, c.AtMost), turns: make(chan struct{}, readersAtOnce),
		listeners: map[*listener]bool{}, somebody: make(chan struct{}, 1), epochs: map[string]int64{},
	}
	h.metrics = newStreamMetrics(c.Metrics)
	return h
}

// join adds a listener that knows everything through at. Where nobody else listens to a source, its steps begin there.
func (h *hub) join(at bookmark) *listener {
	l := &listener{steps: make(chan *step, heldSteps), cut: make(chan struct{})}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.at == nil {
		h.at = bookmark{}
	}
	for source, position := range at {
		if _, followed := h.at[source]; !followed {
			h.at[source] = position
		}
	}
	h.listeners[l] = true
	select {
	case h.somebody <- struct{}{}:
	default:
	}
	return l
}

func (h *hub) leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners, l)
}

// listening returns where to go on from; nil while nobody listens, and then all places are forgotten.
func (h *hub) listening() bookmark {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.listeners) == 0 {
		h.at = nil
		clear(h.epochs)
		return nil
	}
	return maps.Clone(h.at)
}

// run feeds the listeners until ctx ends, and then ends all streams.
func (h *hub) run(ctx context.Context) {
	defer h.end()
	var away bool // the database is, and it has been said
	for ctx.Err() == nil {
		pause, wake := h.poll, (<-chan struct{})(nil)
		if from := h.listening(); from == nil {
			pause, wake = time.Hour, h.somebody
		} else if more, err := h.look(ctx, from); err != nil {
			if !away && ctx.Err() == nil {
				h.logger.WarnContext(ctx, "streams stand still: what changed can't be read", "error", err)
			}
			away, pause = true, time.Second
		} else {
			if away {
				h.logger.InfoContext(ctx, "streams go on")
			}
			away = false
			if more {
				continue
			}
		}
		select {
		case <-wake:
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// look hands out what changed since from, a page of each source at most; more tells whether there is more.
func (h *hub) look(ctx context.Context, from bookmark) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, h.door.cfg.Timeout)
	defer cancel()
	err = h.door.view(ctx, func(v *projection.View) error {
		if v.Generation != h.generation {
			h.generation = v.Generation
			clear(h.epochs) // they are another shard's
			h.publish(&step{generation: v.Generation})
		}
		for source, after := range from {
			epoch, known := h.epochs[source]
			if known && epoch == v.Epochs[source] && after == v.Positions[source] {
				continue
			}
			if after > v.Positions[source] {
				h.cutAll("the read models went back")
				return nil
			}
			s, err := h.door.step(ctx, v, source, after)
			if err != nil {
				return err
			}
			h.publish(s)
			more = more || s.through < v.Positions[source]
			h.epochs[source] = v.Epochs[source]
		}
		return nil
	})
	return more, err
}

// publish hands a step to every listener, and waits for none.
func (h *hub) publish(s *step) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.source != "" {
		h.at[s.source] = s.through
	}
	for l := range h.listeners {
		if !l.push(s) {
			h.cutOff(l, endedSlow)
		}
	}
}

// push reports whether the step found room.
func (l *listener) push(s *step) bool {
	if l.held.Load()+int64(s.size) > heldBytes && l.held.Load() > 0 {
		return false
	}
	select {
	case l.steps <- s:
		l.held.Add(int64(s.size))
		return true
	default:
		return false
	}
}

// took makes room for what the listener took.
func (l *listener) took(s *step) { l.held.Add(-int64(s.size)) }

// cutOff ends a listener. The hub is locked.
func (h *hub) cutOff(l *listener, why string) {
	delete(h.listeners, l)
	l.why = why
	close(l.cut)
}

func (h *hub) cutAll(why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		h.cutOff(l, why)
	}
}
