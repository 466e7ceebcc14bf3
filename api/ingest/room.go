package ingest

import (
	"slices"
	"sync"
)

// room bounds what is in flight: deliveries that are being read or wait for the log, and their bytes.
//
// Whoever knows a source's name can open connections and be slow, so a body that is still arriving holds its place
// only until somebody else needs it: of the source whose bodies hold the most, the oldest one gives way. A sender that
// sends its body at once is never that one, and no source's senders can shut the others out.
type room struct {
	deliveries int   // at most
	bytes      int64 // at most

	mu        sync.Mutex
	held      int
	heldBytes int64
	arriving  []*place // the oldest first
}

// place is what one delivery holds of the room.
type place struct {
	room   *room
	source string
	bytes  int64
	lost   bool   // it gave way
	cut    func() // ends the reading
}

// enter takes a place for a body that is about to arrive, or reports that there is none. It never waits. cut is called
// when the place is lost, at most once and not after arrived or leave; it must not block.
func (r *room) enter(source string, bytes int64, cut func()) (*place, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &place{room: r, source: source, cut: cut}
	for r.held >= r.deliveries {
		if !r.giveWay(func(*place) int64 { return 1 }) {
			return nil, false
		}
	}
	if !r.widen(p, bytes) {
		return nil, false
	}
	r.held++
	r.arriving = append(r.arriving, p)
	return p, true
}

// grow takes more bytes while the body arrives, or reports that there are none or that the place is lost.
func (p *place) grow(bytes int64) bool {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	return p.room.widen(p, bytes)
}

// arrived keeps the place until leave, whoever needs it: the body is whole. It reports whether the place was kept.
func (p *place) arrived() bool {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	p.room.settle(p)
	return !p.lost
}

// leave gives back what is still held.
func (p *place) leave() {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	if !p.lost {
		p.room.remove(p)
	}
}

// inFlight returns what is held now.
func (r *room) inFlight() (deliveries int, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held, r.heldBytes
}

// widen makes room for more bytes of a place; of those that give way for it, it may itself be one.
func (r *room) widen(p *place, bytes int64) bool {
	for !p.lost && r.heldBytes+bytes > r.bytes {
		if !r.giveWay(func(p *place) int64 { return p.bytes }) {
			return false
		}
	}
	if p.lost {
		return false
	}
	p.bytes += bytes
	r.heldBytes += bytes
	return true
}

// giveWay takes its place from the oldest arriving body of the source that weighs the most.
func (r *room) giveWay(weight func(*place) int64) bool {
	weights := map[string]int64{}
	for _, p := range r.arriving {
		weights[p.source] += weight(p)
	}
	var loser *place
	for _, p := range r.arriving {
		if loser == nil || weights[p.source] > weights[loser.source] {
			loser = p
		}
	}
	if loser == nil {
		return false
	}
	r.remove(loser)
	loser.lost = true
	loser.cut()
	return true
}

func (r *room) remove(p *place) {
	r.settle(p)
	r.held--
	r.heldBytes -= p.bytes
}

func (r *room) settle(p *place) {
	r.arriving = slices.DeleteFunc(r.arriving, func(other *place) bool { return other == p })
}
