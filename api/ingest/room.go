package ingest

import (
	"container/list"
	"sync"
)

// room bounds what is in flight: deliveries that are being read or wait for the log, and their bytes.
//
// No source holds more of it than it leaves free, so alone it takes half, two of them a third each, and whatever one is
// sent, there is room for another.
//
// Whoever knows a source's name can open connections and be slow, so a body that is still arriving holds its place
// only until somebody else needs it: of the source that holds the most, the one that has not grown for longest gives
// way. A sender that sends its body at once is never that one, nor does anyone give way to a source that holds more.
type room struct {
	deliveries int   // at most
	bytes      int64 // at most

	mu    sync.Mutex
	held  load
	parts map[string]*part
}

// load is what is held: by everybody, by a source, or by one delivery.
type load struct {
	deliveries int
	bytes      int64
}

func (l *load) add(more load) {
	l.deliveries += more.deliveries
	l.bytes += more.bytes
}

func (l *load) remove(less load) {
	l.deliveries -= less.deliveries
	l.bytes -= less.bytes
}

// part is what one source holds of the room.
type part struct {
	held     load
	arriving list.List // of *place; the one that has not grown for longest comes first
}

// place is what one delivery holds of the room.
type place struct {
	room *room
	part *part
	held load
	in   *list.Element // of part.arriving; nil: arrived, lost or gone
	lost bool          // it gave way
	cut  func()        // ends the reading
}

// enter takes a place for a body that is about to arrive, or reports that there is none. It never waits. cut is called
// when the place is lost, at most once and not after arrived or leave; it must not block.
func (r *room) enter(source string, bytes int64, cut func()) (*place, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &place{room: r, part: r.partOf(source), cut: cut}
	if !r.widen(p, load{deliveries: 1, bytes: bytes}) {
		return nil, false
	}
	p.in = p.part.arriving.PushBack(p)
	return p, true
}

func (r *room) partOf(source string) *part {
	if r.parts == nil {
		r.parts = map[string]*part{}
	}
	if r.parts[source] == nil {
		r.parts[source] = &part{}
	}
	return r.parts[source]
}

// grow takes more bytes while the body arrives, or reports that there are none or that the place is lost.
func (p *place) grow(bytes int64) bool {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	if !p.room.widen(p, load{bytes: bytes}) {
		return false
	}
	p.part.arriving.MoveToBack(p.in)
	return true
}

// arrived keeps the place until leave, whoever needs it: the body is whole. It reports whether the place was kept.
func (p *place) arrived() bool {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	p.settle()
	return !p.lost
}

// leave gives back what is still held.
func (p *place) leave() {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	p.giveBack()
}

// inFlight returns what is held now.
func (r *room) inFlight() (deliveries int, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held.deliveries, r.held.bytes
}

// widen makes room for more of a place; of those that give way for it, it may itself be one.
func (r *room) widen(p *place, more load) bool {
	for !p.lost && !r.fits(p.part, more) {
		if !r.giveWay(p.part, more) {
			return false
		}
	}
	if p.lost {
		return false
	}
	p.held.add(more)
	p.part.held.add(more)
	r.held.add(more)
	return true
}

// fits reports whether the source would not hold more than is left free.
func (r *room) fits(of *part, more load) bool {
	return r.fitsDeliveries(of, more.deliveries) &&
		(more.bytes == 0 || of.held.bytes+more.bytes <= r.bytes-r.held.bytes-more.bytes)
}

func (r *room) fitsDeliveries(of *part, more int) bool {
	return more == 0 || of.held.deliveries+more <= r.deliveries-r.held.deliveries-more
}

// giveWay takes a place from one that is still arriving, or reports that there is none: of what is short, its source
// holds the most, and no less than the source that needs more.
func (r *room) giveWay(needs *part, more load) bool {
	weight := func(p *part) int64 { return p.held.bytes }
	if !r.fitsDeliveries(needs, more.deliveries) {
		weight = func(p *part) int64 { return int64(p.held.deliveries) }
	}
	heaviest := needs
	for _, p := range r.parts {
		if p.arriving.Len() > 0 && weight(p) > weight(heaviest) {
			heaviest = p
		}
	}
	first := heaviest.arriving.Front()
	if first == nil {
		return false
	}
	loser := first.Value.(*place) // nothing else is in it
	loser.giveBack()
	loser.lost = true
	loser.cut()
	return true
}

// giveBack empties the place; a second time changes nothing.
func (p *place) giveBack() {
	p.settle()
	p.part.held.remove(p.held)
	p.room.held.remove(p.held)
	p.held = load{}
}

// settle takes it from those that are arriving.
func (p *place) settle() {
	if p.in != nil {
		p.part.arriving.Remove(p.in)
		p.in = nil
	}
}
