package bench

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// event is one event as the log keeps it.
type event struct {
	Row                  // an empty ticket: about none
	occurredAt time.Time // zero: not told
	receivedAt time.Time
}

// site is a service point, and tells everything that happens there as Qminder does: visitors come during the day, wait
// some minutes, are called, mostly served, sometimes called again, sent back, sent on to another queue, missed or taken
// off the list; now and then somebody edits their ticket. About 4.2 events a ticket, a few hundred tickets open at a
// time, in the order in which their webhooks arrive. One seed tells one day after the other always the same. It holds
// those who are there, and nothing of those who left.
type site struct {
	random *rand.Rand
	number int64     // of the last ticket
	day    time.Time // its opening
	comes  time.Time // when the next visitor does
	here   visitors
	notes  []event // what is to be told next, and is about no ticket
}

// What there is at a site.
const (
	lines       = 20
	firstTicket = 100_000_000 // the one before it
	clerks      = 40
	opens       = 8 * time.Hour
	closes      = 18 * time.Hour
	between     = 3300 * time.Millisecond // arrivals, on average
)

var (
	firstNames = []string{"Mari", "Juhan", "Liis", "Tõnu", "Anneli", "Olga", "Peeter", "Katrin", "Siim", "Jelena"}
	lastNames  = []string{"Maasikas", "Tamm", "Kask", "Ivanova", "Põldmäe", "Saar", "Kuznetsov", "Rebane"}
	languages  = []string{"et", "ru", "en"}
	sources    = []string{"MANUAL", "NAME", "MICROSITE"}
)

func newSite(seed uint64) *site {
	first := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	s := &site{random: rand.New(rand.NewPCG(seed, 1)), number: firstTicket, day: first.Add(opens - 24*time.Hour)}
	s.open()
	s.notes = append(s.notes, s.note("location_created", 1, "City Hall"))
	for i := range int64(lines) {
		s.notes = append(s.notes, s.note("line_changed", 100+i, fmt.Sprintf("Counter %d", i+1)))
	}
	return s
}

// next is what happens next.
func (s *site) next() event {
	switch {
	case !s.comes.Before(s.here.soonest()):
		return s.move()
	case len(s.notes) > 0:
		e := s.notes[0]
		s.notes = s.notes[1:]
		return e
	}
	return s.arrive()
}

// open begins the next day: one of the lines has got another name over night.
func (s *site) open() {
	s.day = s.day.Add(24 * time.Hour)
	s.comes = s.day
	line := s.random.Int64N(lines)
	s.notes = append(s.notes, s.note("line_changed", 100+line, fmt.Sprintf("Counter %d, as of %s", line+1, s.day.Format(time.DateOnly))))
}

func (s *site) note(typ string, id int64, name string) event {
	body := fmt.Appendf(nil, `{"type":"%s","data":{"id":%d,"name":"%s"}}`, typ, id, name)
	return event{Row: Row{Type: typ, Body: body}, receivedAt: s.comes}
}

// arrive is the next visitor, whose ticket is then among those that are there.
func (s *site) arrive() event {
	s.number++
	v := &visitor{words: words{
		event: "ticket_created", status: "NEW", id: s.number, public: string(rune('A'+s.number%lines)) + "-" + strconv.FormatInt(s.number%1000, 10),
		source: sources[s.random.IntN(len(sources))], line: 100 + s.random.Int64N(lines),
		first: firstNames[s.random.IntN(len(firstNames))], last: lastNames[s.random.IntN(len(lastNames))],
		phone: 37250000000 + s.random.Int64N(9_999_999), language: languages[s.random.IntN(len(languages))], reason: "Yes",
	}}
	at := s.comes
	v.created = s.vendorTime(at)
	s.comes = s.comes.Add(time.Duration(s.random.ExpFloat64() * float64(between))).Truncate(time.Microsecond)
	if !s.comes.Before(s.day.Add(closes - opens)) {
		s.open()
	}
	s.plan(v, at)
	heap.Push(&s.here, v)
	return v.tell(v.created, at)
}

// vendorTime is when the vendor says that it happened: webhooks take a while, and Qminder tells whole seconds.
func (s *site) vendorTime(received time.Time) time.Time {
	return received.Add(-time.Duration(200+s.random.IntN(1700)) * time.Millisecond).Truncate(time.Second)
}
