package wait_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"queuetrack/eventstore/ticket"
	"queuetrack/projection/wait"
)

// stay is a segment with all that a report needs of it, and naive is a report of such: counted one by one, by local
// times as they are written, without buckets or SQL.
type stay struct {
	source, id string
	n          int
	ticket.Segment
	holds []ticket.Spell // in the wait; To zero: it lasts
}

type naive struct {
	wait.Request
	stays []stay
	now   time.Time
	step  time.Duration // all instants are multiples of it, cut to the second

	place   []int64 // of each stay, at its entry
	waiting [][]int // stays that wait, at each step from the window's beginning up to now
}

// walk is what doesn't depend on how the report is grouped.
func walk(r wait.Request, stays []stay, now time.Time, step time.Duration) naive {
	n := naive{Request: r, stays: stays, now: now, step: step}
	for _, s := range stays {
		place, at := int64(1), second(s.EnteredAt)
		for _, other := range stays {
			before := cmp.Or(second(other.EnteredAt).Compare(at), cmp.Compare(other.id, s.id), cmp.Compare(other.n, s.n)) < 0
			if before && other.source == s.source && other.Queue == s.Queue && other.waitsAt(at) {
				place++
			}
		}
		n.place = append(n.place, place)
	}
	for t := r.From; t.Before(r.To) && t.Before(now); t = t.Add(step) {
		var waiting []int
		for i, s := range stays {
			if s.waitsAt(t) {
				waiting = append(waiting, i)
			}
		}
		n.waiting = append(n.waiting, waiting)
	}
	return n
}

func second(t time.Time) time.Time { return t.Truncate(time.Second) }

// at is the instant that places a segment; zero: none does.
func (n naive) at(s stay) time.Time {
	switch n.AttributedBy {
	case wait.AtCall:
		return second(s.CalledAt)
	case wait.AtEnd:
		return second(s.LeftAt)
	case wait.AtArrival:
	}
	return second(s.EnteredAt)
}

// lane and key are what an item is called, by its groups of the one and the other kind.
func (n naive) lane(s stay) string {
	var parts []string
	for _, g := range n.GroupBy {
		switch g {
		case wait.BySource:
			parts = append(parts, s.source)
		case wait.ByLocation:
			parts = append(parts, n.Locations[wait.QueueID{Source: s.source, Queue: s.Queue}])
		case wait.ByQueue:
			parts = append(parts, s.source+"/"+s.Queue)
		case wait.ByDesk:
			parts = append(parts, s.source+"/"+s.Desk)
		case wait.ByAgent:
			parts = append(parts, s.source+"/"+s.Agent)
		case wait.ByHour, wait.ByDay, wait.ByWeek, wait.ByMonth, wait.ByWeekday, wait.ByHourOfDay:
		}
	}
	return strings.Join(parts, " ")
}

func (n naive) key(t time.Time) string {
	t = t.In(n.Zone)
	var parts []string
	for _, g := range n.GroupBy {
		switch g {
		case wait.ByHour:
			layout := "2006-01-02T15 -07:00"
			if n.Zone.String() == "Australia/Lord_Howe" { // half of an hour comes twice there: one hour of 90 minutes
				layout = "2006-01-02T15"
			}
			parts = append(parts, t.Format(layout))
		case wait.ByDay:
			parts = append(parts, t.Format(time.DateOnly))
		case wait.ByWeek:
			year, week := t.ISOWeek()
			parts = append(parts, fmt.Sprintf("%d-W%02d", year, week))
		case wait.ByMonth:
			parts = append(parts, t.Format("2006-01"))
		case wait.ByWeekday:
			parts = append(parts, fmt.Sprint((int(t.Weekday())+6)%7+1))
		case wait.ByHourOfDay:
			parts = append(parts, t.Format("15"))
		case wait.BySource, wait.ByLocation, wait.ByQueue, wait.ByDesk, wait.ByAgent:
		}
	}
	return strings.Join(parts, " ")
}

// report counts everything, by lane and key.
func (n naive) report() map[[2]string]wait.Measures {
	mine := map[[2]string][]int{}
	lanes := map[string]bool{}
	for i, s := range n.stays {
		if at := n.at(s); !at.IsZero() && !at.Before(n.From) && at.Before(n.To) {
			lane := n.lane(s)
			lanes[lane] = true
			mine[[2]string{lane, n.key(at)}] = append(mine[[2]string{lane, n.key(at)}], i)
		}
	}
	if !slices.ContainsFunc(n.GroupBy, func(g wait.GroupKey) bool { return slices.Contains(wait.GroupKeys[:5], g) }) {
		lanes[""] = true // one item, whether anybody was there or not
	}
	all := map[[2]string]wait.Measures{}
	for t := n.From; t.Before(n.To); t = t.Add(n.step) {
		key := n.key(t)
		for lane := range lanes {
			all[[2]string{lane, key}] = wait.Measures{}
		}
	}
	for at := range all {
		all[at] = n.count(mine[at])
	}
	if n.QueueLength {
		n.lengths(all, lanes)
	}
	return all
}

func (n naive) count(stays []int) (m wait.Measures) {
	var waits, abandoned, services []int64
	for _, i := range stays {
		s := n.stays[i]
		m.Offered++
		*map[ticket.Outcome]*int64{
			ticket.OutcomeServed: &m.Served, ticket.OutcomeAbandoned: &m.Abandoned, ticket.OutcomeNoShow: &m.NoShow,
			ticket.OutcomeCancelled: &m.Cancelled, ticket.OutcomeReturned: &m.Returned, ticket.OutcomeTransferred: &m.Transferred,
			ticket.OutcomeExpired: &m.Expired, ticket.OutcomeMerged: &m.Merged, ticket.OutcomeOpen: &m.Open,
		}[s.Outcome]++
		if !s.CalledAt.IsZero() {
			m.Calls.Called++
			m.Calls.Recalls += int64(s.Recalls)
			if s.Recalls > 0 {
				m.Calls.Recalled++
			}
		}
		waited, over := s.Wait()
		self := s.Has(ticket.FlagSelfRegistered)
		if s.Outcome == ticket.OutcomeAbandoned && waited <= n.ServiceLevel {
			m.AbandonedWithin++
		}
		if self {
			put(&m, "self_registered")
			continue
		}
		switch {
		case over && waited < 0:
			put(&m, "negative_wait")
		case over && !s.CalledAt.IsZero():
			waits = append(waits, waited)
			if s.Outcome == ticket.OutcomeServed && waited <= n.ServiceLevel {
				m.ServedWithin++
			}
		case s.Outcome == ticket.OutcomeAbandoned:
			abandoned = append(abandoned, waited)
		}
		if service, served := s.Service(); served && service < 0 {
			put(&m, "negative_service")
		} else if served {
			services = append(services, service)
		}
	}
	m.Wait, m.AbandonedWait, m.Service = n.stats(waits), n.stats(abandoned), n.stats(services)
	m.ServiceLevel = n.level(m)
	if n.DropOff {
		m.DropOff = n.places(stays)
	}
	return m
}

func put(m *wait.Measures, cause string) {
	if m.Excluded == nil {
		m.Excluded = map[string]int64{}
	}
	m.Excluded[cause]++
}

func (n naive) stats(values []int64) wait.Stats {
	if len(values) == 0 {
		return wait.Stats{}
	}
	slices.Sort(values)
	var sum int64
	for _, v := range values {
		sum += v
	}
	s := wait.Stats{N: int64(len(values)), Mean: float64(sum) / float64(len(values)), Max: values[len(values)-1], Percentiles: map[int]int64{}}
	for _, p := range n.Percentiles {
		for i, v := range values {
			if 100*(i+1) >= p*len(values) {
				s.Percentiles[p] = v
				break
			}
		}
	}
	return s
}

func (n naive) level(m wait.Measures) *float64 {
	a, b := map[wait.Formula]int64{
		wait.F1: m.ServedWithin + m.AbandonedWithin, wait.F2: m.ServedWithin, wait.F3: m.ServedWithin, wait.F4: m.ServedWithin,
	}[n.Formula], map[wait.Formula]int64{
		wait.F1: m.Served + m.Abandoned, wait.F2: m.Served, wait.F3: m.Served + m.Abandoned, wait.F4: m.Served + m.Abandoned - m.AbandonedWithin,
	}[n.Formula]
	if b == 0 {
		return nil
	}
	level := float64(a) / float64(b)
	return &level
}

// waitsAt reports whether the segment waits at an instant.
func (s stay) waitsAt(t time.Time) bool {
	end := s.CalledAt
	if end.IsZero() {
		end = s.LeftAt
	}
	if t.Before(second(s.EnteredAt)) || !end.IsZero() && !t.Before(second(end)) {
		return false
	}
	for _, h := range s.holds {
		if !t.Before(second(h.From)) && (h.To.IsZero() || t.Before(second(h.To))) {
			return false
		}
	}
	return true
}

func (n naive) places(stays []int) []wait.Place {
	places := slices.Clone(wait.Places)
	for _, s := range stays {
		for i, class := range places {
			if n.place[s] >= class.From && (class.To == 0 || n.place[s] <= class.To) {
				places[i].Offered++
				if n.stays[s].Outcome == ticket.OutcomeAbandoned {
					places[i].Abandoned++
				}
			}
		}
	}
	return places
}

// lengths goes through the window step by step, and counts who waits.
func (n naive) lengths(all map[[2]string]wait.Measures, lanes map[string]bool) {
	names := make([]string, len(n.stays))
	for i, s := range n.stays {
		names[i] = n.lane(s)
	}
	for i, who := range n.waiting {
		waiting := map[string]int64{}
		for _, s := range who {
			waiting[names[s]]++
		}
		key := n.key(n.From.Add(time.Duration(i) * n.step))
		for lane := range lanes {
			at := [2]string{lane, key}
			m := all[at]
			q := &m.QueueLength
			q.ElapsedSeconds += int64(n.step.Seconds())
			q.WaitingSeconds += waiting[lane] * int64(n.step.Seconds())
			q.Max = max(q.Max, waiting[lane])
			all[at] = m
		}
	}
}

// visitors are tickets with one to three segments each, which came from a day before the window on: with returns,
// transfers, holds, bad clocks, and some that still wait.
func visitors(rng *rand.Rand, count int, from, to time.Time, step time.Duration) (stays []stay, states map[[2]string]ticket.State) {
	states = map[[2]string]ticket.State{}
	some := func(most time.Duration) time.Duration { return time.Duration(rng.Int64N(int64(most/step)+1)) * step }
	noise := func() time.Duration { return time.Duration(rng.Int64N(1e9)) }
	for i := range count {
		source, id := []string{"city", "store"}[rng.IntN(2)], fmt.Sprint("t", i)
		at := from.Add(some(to.Sub(from)+24*time.Hour) - 24*time.Hour)
		var state ticket.State
		for n := 1; n <= 1+rng.IntN(3); n++ {
			s := stay{source: source, id: id, n: n, Segment: ticket.Segment{
				Queue: fmt.Sprint("q", rng.IntN(3)), EnteredAt: at.Add(noise()), Outcome: ticket.Outcomes[rng.IntN(len(ticket.Outcomes))],
			}}
			s.live(rng, some, noise, step)
			stays = append(stays, s)
			state.Segments = append(state.Segments, s.Segment)
			state.Spells = append(state.Spells, s.holds...)
			state.Status = ticket.StatusWaiting
			if s.LeftAt.IsZero() {
				if len(s.holds) > 0 && s.holds[len(s.holds)-1].To.IsZero() {
					state.Status = ticket.StatusOnHold
				}
				break
			}
			at = second(s.LeftAt)
		}
		states[[2]string{source, id}] = state
	}
	return stays, states
}

// live lets the segment wait, be held, be called, and leave.
func (s *stay) live(rng *rand.Rand, some func(time.Duration) time.Duration, noise func() time.Duration, step time.Duration) {
	entered := second(s.EnteredAt)
	length := some(40 * time.Minute)
	if rng.IntN(15) == 0 {
		length = some(60 * time.Hour)
	}
	end := entered.Add(length)
	if rng.IntN(4) == 0 && length > 0 {
		s.holds = []ticket.Spell{{Status: ticket.StatusOnHold, Queue: s.Queue, From: entered.Add(some(length - step)), To: end}}
		h := &s.holds[0]
		if rng.IntN(2) == 0 {
			h.To = h.From.Add(step + some(end.Sub(h.From)-step))
		}
		s.HeldWaitingSeconds = int64(h.To.Sub(h.From).Seconds())
	} else if rng.IntN(30) == 0 {
		end = entered.Add(-some(time.Minute)) // a bad clock
	}
	called := true
	switch s.Outcome {
	case ticket.OutcomeServed, ticket.OutcomeNoShow, ticket.OutcomeCancelled, ticket.OutcomeReturned:
	case ticket.OutcomeOpen, ticket.OutcomeTransferred:
		called = rng.IntN(2) == 0
	case ticket.OutcomeAbandoned, ticket.OutcomeExpired, ticket.OutcomeMerged:
		called = false
	}
	if !called && s.Outcome == ticket.OutcomeOpen {
		if len(s.holds) > 0 {
			s.holds[0].To = time.Time{}
			s.HeldWaitingSeconds = 0
		}
		return
	}
	if !called {
		s.LeftAt = end.Add(noise())
		return
	}
	s.CalledAt, s.Desk, s.Agent = end.Add(noise()), fmt.Sprint(rng.IntN(3)), []string{"", "A", "B"}[rng.IntN(3)]
	s.Recalls = max(0, rng.IntN(5)-2)
	if s.Outcome != ticket.OutcomeOpen {
		s.LeftAt = end.Add(some(20*time.Minute) - time.Duration(rng.IntN(2))*step)
		if s.LeftAt.Before(end) && (s.Outcome != ticket.OutcomeServed || len(s.holds) > 0) {
			s.LeftAt = end // nobody is held after they left
		}
		s.LeftAt = s.LeftAt.Add(noise())
	}
	if rng.IntN(20) == 0 {
		s.Flags = []ticket.Flag{ticket.FlagSelfRegistered}
	}
}
