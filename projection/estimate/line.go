package estimate

import (
	"cmp"
	"slices"
	"time"
)

// standing names a wait: a ticket's segment, counted from 1.
type standing struct {
	Ticket  string
	Segment int32
}

// waiting is one who stands in a line.
type waiting struct {
	standing
	EnteredAt     time.Time
	Priority      int32
	OrderAt       time.Time
	OrderPosition int64
	prediction
}

// compare is the queue's order: priority descending, then the vendor's order or the entry, then position.
func (w waiting) compare(other waiting) int {
	return cmp.Or(cmp.Compare(other.Priority, w.Priority), w.OrderAt.Compare(other.OrderAt),
		cmp.Compare(w.OrderPosition, other.OrderPosition), cmp.Compare(w.Ticket, other.Ticket), cmp.Compare(w.Segment, other.Segment))
}

// line is who waits in a queue, in its order.
type line struct {
	ordered []waiting
	places  map[standing]waiting
}

// before counts those who stand before a place.
func (l *line) before(w waiting) int {
	i, _ := slices.BinarySearchFunc(l.ordered, w, waiting.compare)
	return i
}

// head is the entry of the first one; zero: nobody waits.
func (l *line) head() time.Time {
	if len(l.ordered) == 0 {
		return time.Time{}
	}
	return l.ordered[0].EnteredAt
}

func (l *line) join(w waiting) {
	l.leave(w.standing)
	if l.places == nil {
		l.places = map[standing]waiting{}
	}
	l.places[w.standing] = w
	l.ordered = slices.Insert(l.ordered, l.before(w), w)
}

// leave returns what is known of the one who leaves; false when they did not stand in the line.
func (l *line) leave(s standing) (waiting, bool) {
	w, ok := l.places[s]
	if ok {
		delete(l.places, s)
		i := l.before(w)
		l.ordered = slices.Delete(l.ordered, i, i+1)
	}
	return w, ok
}
