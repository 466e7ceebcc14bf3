package bench

import (
	"container/heap"
	"strconv"
	"time"
)

// step is what happens to a visitor next.
type step int

const (
	edited step = iota
	called
	recalled
	returned
	forwarded
	missed // called, and never came
	served
	removed // from the list, while waiting
)

// visitor is one who is at the site: the ticket as it was told last, and what comes next.
type visitor struct {
	words
	edits int
	step  step
	due   time.Time // when its webhook arrives
}

// plan decides what happens next to the visitor, and when. Steps are whole seconds apart, so that the vendor's times,
// which are older than their webhooks, stay in their order.
func (s *site) plan(v *visitor, now time.Time) {
	chance := s.random.IntN(100)
	seconds := 5 + s.random.IntN(400)
	if v.status == "NEW" {
		seconds += s.random.IntN(500)
		v.step = pick(chance, []odds{{25, edited}, {33, removed}, {100, called}})
	} else {
		v.step = pick(chance, []odds{{15, edited}, {30, recalled}, {37, returned}, {44, forwarded}, {51, missed}, {100, served}})
	}
	v.due = now.Add(time.Duration(seconds)*time.Second + time.Duration(s.random.IntN(1_000_000))*time.Microsecond)
}

// odds are a step, and the chance in a hundred of it or one before it.
type odds struct {
	below int
	step  step
}

func pick(chance int, all []odds) step {
	for _, o := range all {
		if chance < o.below {
			return o.step
		}
	}
	return all[len(all)-1].step
}

// move takes the step that is due.
func (s *site) move() event {
	v := s.here[0]
	at := v.due
	occurred := s.take(v, at)
	if v.status != "NEW" && v.status != "CALLED" {
		heap.Pop(&s.here)
		return v.tell(occurred, at)
	}
	s.plan(v, at)
	heap.Fix(&s.here, 0)
	return v.tell(occurred, at)
}

// take words the visitor's step anew, and tells when it occurred, as the adapter would read it.
func (s *site) take(v *visitor, at time.Time) (occurred time.Time) {
	switch v.step {
	case edited:
		v.edits++
		v.event, v.reason = "ticket_changed", "No, visit "+strconv.Itoa(v.edits+1)
	case called:
		v.event, v.status, v.called = "ticket_called", "CALLED", s.vendorTime(at)
		v.caller, v.desk = 4000+s.random.Int64N(clerks), 1+s.random.Int64N(clerks)
		return v.called
	case recalled:
		v.event, v.called = "ticket_recalled", s.vendorTime(at)
		return v.called
	case returned:
		v.event, v.status, v.called = "ticket_created", "NEW", time.Time{}
		return v.created
	case forwarded:
		v.event, v.status, v.called = "ticket_changed", "NEW", time.Time{}
		v.line = 100 + (v.line-100+1+s.random.Int64N(lines-1))%lines
	case missed:
		v.event, v.status = "ticket_changed", "NOSHOW"
	case served:
		v.event, v.status, v.served = "ticket_served", "SERVED", s.vendorTime(at)
		return v.served
	case removed:
		v.event, v.status = "ticket_cancelled", "CANCELLED_BY_CLERK"
	}
	return time.Time{}
}

// tell is the visitor's webhook as the log keeps it.
func (v *visitor) tell(occurred, received time.Time) event {
	row := Row{Ticket: strconv.FormatInt(v.id, 10), Type: v.event, Body: v.body()}
	return event{Row: row, occurredAt: occurred, receivedAt: received}
}

// visitors are those who are there: a heap by what is due first.
type visitors []*visitor

// soonest is when the next of them moves; far away, when nobody is there.
func (v visitors) soonest() time.Time {
	if len(v) == 0 {
		return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return v[0].due
}

func (v visitors) Len() int           { return len(v) }
func (v visitors) Less(i, j int) bool { return v[i].due.Before(v[j].due) }
func (v visitors) Swap(i, j int)      { v[i], v[j] = v[j], v[i] }
func (v *visitors) Push(x any)        { *v = append(*v, x.(*visitor)) }
func (v *visitors) Pop() any {
	last := len(*v) - 1
	gone := (*v)[last]
	(*v)[last] = nil
	*v = (*v)[:last]
	return gone
}
