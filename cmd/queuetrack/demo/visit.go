package demo

import (
	"fmt"
	"slices"
	"time"
)

// room is a place in action.
type room struct {
	Place
	day    *Day
	voice  voice
	lines  []*line
	number int // of the last ticket
}

// line is a queue in action.
type line struct {
	Queue
	waiting []*visitor
	letter  byte  // begins its tickets' labels
	free    []int // desks
}

// visitor is one visit.
type visitor struct {
	number  int
	id      string
	label   string
	first   string
	last    string
	room    *room
	line    *line
	desk    int
	agent   int
	waits   bool
	visit   int // counts entries to a queue: what was planned for an earlier one is void
	retries int

	booking   bool
	slot      time.Time
	created   time.Time
	activated time.Time
	called    time.Time // the last call
	started   time.Time
	ended     time.Time
}

// open starts a place's day: what the vendor says of it, then the first arrivals.
func open(d *Day, p Place) {
	r := &room{Place: p, day: d, voice: voiceOf(p.Vendor)}
	for _, body := range r.voice.opening(p) {
		d.send(p.Source, "", body)
	}
	desks := 0
	for i, q := range p.Queues {
		l := &line{Queue: q, letter: byte('A' + i)}
		for range q.desks {
			desks++
			l.free = append(l.free, desks)
		}
		r.lines = append(r.lines, l)
		r.expect(l)
	}
}

// expect plans the next arrival: a Poisson stream, as busy as the hour.
func (r *room) expect(l *line) {
	mean := float64(time.Hour) / (l.perHour * r.day.bustle())
	r.day.after(time.Duration(r.day.rng.ExpFloat64()*mean), func() {
		r.newcomer(l)
		r.expect(l)
	})
}

var (
	firstNames = []string{"Mari", "Mart", "Liis", "Astrid", "Erik", "Nora", "Olav", "Kadri", "Sven", "Ingrid"}
	lastNames  = []string{"Mets", "Tamm", "Saar", "Lind", "Berg", "Hansen", "Dahl", "Kask", "Nyman", "Vik"}
)

func (r *room) newcomer(l *line) {
	d := r.day
	r.number++
	v := &visitor{
		number: r.number, room: r, line: l, created: d.now,
		label: fmt.Sprintf("%c%02d", l.letter, r.number%100),
		first: firstNames[d.rng.IntN(len(firstNames))], last: lastNames[d.rng.IntN(len(lastNames))],
	}
	v.id = r.id(v)
	if d.chance(r.habits.books) {
		v.book()
		return
	}
	v.say(arrives)
	v.wait()
}

func (r *room) id(v *visitor) string {
	switch r.Vendor {
	case Qminder:
		return fmt.Sprint(70_000_000 + v.number)
	case Ombori:
		return guid(r.day)
	case SuperOffice:
		return fmt.Sprint(1000 + v.number)
	}
	panic("demo: no ids for " + string(r.Vendor))
}

// book makes an appointment some minutes ahead; it begins to wait when its time has come.
func (v *visitor) book() {
	d := v.room.day
	v.booking = true
	v.slot = d.now.Add(d.between(10*time.Minute, 50*time.Minute)).Truncate(5 * time.Minute)
	v.say(books)
	if d.chance(150) {
		v.slot = v.slot.Add(10 * time.Minute)
		d.after(2*time.Minute, func() { v.say(rebooks) })
	}
	d.after(max(v.slot.Sub(d.now), 3*time.Minute), func() {
		v.activated = d.now
		v.say(activates)
		v.wait()
	})
}

func (v *visitor) say(s step) {
	if body := v.room.voice.say(v.room.day, v, s); body != nil {
		v.room.day.send(v.room.Source, v.id, body)
	}
}

// wait joins the queue's end.
func (v *visitor) wait() {
	d, h := v.room.day, v.room.habits
	v.waits = true
	v.visit++
	v.line.waiting = append(v.line.waiting, v)
	this := v.visit
	still := func(do func()) func() {
		return func() {
			if v.waits && v.visit == this {
				do()
			}
		}
	}
	if d.chance(h.edits) {
		d.after(d.between(5*time.Second, time.Minute), still(func() { v.say(isEdited) }))
	}
	if d.chance(h.leaves) {
		d.after(d.about(h.patience), still(func() { v.giveUp(leaves) }))
	}
	if d.chance(h.merges) {
		d.after(d.between(time.Minute, 3*time.Minute), still(func() { v.giveUp(merges) }))
	}
	v.line.callNext()
}

func (v *visitor) giveUp(s step) {
	v.line.waiting = slices.DeleteFunc(v.line.waiting, func(other *visitor) bool { return other == v })
	v.waits = false
	v.ended = v.room.day.now
	v.say(s)
}

// callNext calls as many as there are free desks.
func (l *line) callNext() {
	for len(l.free) > 0 && len(l.waiting) > 0 {
		v := l.waiting[0]
		l.waiting = l.waiting[1:]
		v.waits = false
		v.desk, v.agent = l.free[0], 14260+l.free[0]
		l.free = l.free[1:]
		v.call(isCalled)
	}
}

// call calls the visitor to a desk; what follows is drawn when there was time to walk.
func (v *visitor) call(s step) {
	d := v.room.day
	v.called = d.now
	v.say(s)
	d.after(max(d.about(v.room.habits.walk), 3*time.Second), func() { v.answerCall(s == isRecalled) })
}

func (v *visitor) answerCall(again bool) {
	h := v.room.habits
	fate := v.room.day.rng.IntN(1000)
	if !again {
		if fate < h.recalled {
			v.call(isRecalled)
			return
		}
		fate -= h.recalled
	}
	switch {
	case fate < 0:
		v.serve()
	case fate < h.returns:
		v.goBack()
	case fate < h.returns+h.noShow:
		v.leaveDesk(noShow)
	case fate < h.returns+h.noShow+h.moves:
		v.moveOn()
	default:
		v.serve()
	}
}

func (v *visitor) goBack() {
	v.retries++
	v.say(returns)
	v.line.freeDesk(v.room, v.desk)
	v.wait()
}

// moveOn sends the visitor to the place's next queue.
func (v *visitor) moveOn() {
	from := v.line
	v.line = v.room.lines[(slices.Index(v.room.lines, from)+1)%len(v.room.lines)]
	v.say(moves)
	from.freeDesk(v.room, v.desk)
	v.wait()
}

func (v *visitor) serve() {
	d, h := v.room.day, v.room.habits
	v.started = d.now
	v.say(starts)
	length := max(d.about(h.service), 20*time.Second)
	if d.chance(h.pauses) {
		pause := d.between(time.Minute, 4*time.Minute)
		d.after(length/2, func() { v.say(pauses) })
		d.after(length/2+pause, func() { v.say(resumes) })
		length += pause
	}
	d.after(length, func() { v.leaveDesk(isServed) })
}

func (v *visitor) leaveDesk(s step) {
	d, h := v.room.day, v.room.habits
	v.ended = d.now
	v.say(s)
	v.line.freeDesk(v.room, v.desk)
	if s != isServed {
		return
	}
	if d.chance(h.rates) {
		d.after(d.between(10*time.Second, 2*time.Minute), func() { v.say(rates) })
	}
	if d.chance(h.reopens) {
		d.after(d.between(2*time.Minute, 20*time.Minute), func() {
			v.say(reopens)
			v.wait()
		})
	}
}

// freeDesk gives a desk to the next one, after a moment.
func (l *line) freeDesk(r *room, desk int) {
	r.day.after(r.day.between(2*time.Second, 15*time.Second), func() {
		l.free = append(l.free, desk)
		l.callNext()
	})
}
