package projection_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"queuetrack/eventstore"
	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

// ledger is one source's log as a list, by the words of the design: one delivery after the other. (That they are all
// received within the replay window keeps it short.)
type ledger []eventstore.Delivery

func (l *ledger) append(d eventstore.Delivery) eventstore.Receipt {
	if p := l.original(d); p > 0 {
		return eventstore.Receipt{Result: eventstore.Duplicate, Position: p}
	}
	*l = append(*l, d)
	result := eventstore.Accepted
	if d.Quarantined != "" {
		result = eventstore.Quarantined
	}
	return eventstore.Receipt{Result: result, Position: int64(len(*l))}
}

// original is the position that the delivery repeats; 0: it is news.
func (l *ledger) original(d eventstore.Delivery) int64 {
	for i, e := range slices.Backward(*l) {
		if e.Ticket != d.Ticket {
			continue
		}
		repeats := string(e.Body) == string(d.Body)
		if d.Ticket != "" && d.Quarantined == "" { // the ticket's latest decides
			if e.Quarantined != "" {
				continue
			}
			if !repeats {
				return 0
			}
			return int64(i) + 1
		}
		if repeats && (e.Ticket == "" || e.Quarantined != "") {
			return int64(i) + 1
		}
	}
	return 0
}

// said is what the payload tells an adapter that can read everything.
func (l *ledger) said(position int64) said {
	var s said
	if err := json.Unmarshal((*l)[position-1].Body, &s); err != nil {
		panic(err)
	}
	return s
}

// poison reports whether only a mended adapter can read the event.
func (l *ledger) poison(position int64) bool {
	s := l.said(position)
	return (*l)[position-1].Quarantined == "" && (s.Fail != "" || s.Panic != "" || len(s.Queue) > 100)
}

// expected are the lines of an answer in which these events of the source were folded, and no others: the tickets, the
// queues' numbers, each ticket's history, how many segments it has.
func (l *ledger) expected(source string, folded func(position int64) bool) (lines []string) {
	tickets, history := map[string]ticket.Ticket{}, map[string][]int64{}
	for p := int64(1); p <= int64(len(*l)); p++ {
		e, s := (*l)[p-1], l.said(p)
		if e.Quarantined != "" || e.Ticket == "" || s.Mute || !folded(p) {
			continue
		}
		o := s.Observation
		o.Position, o.ReceivedAt, o.Queue = p, e.ReceivedAt, o.Queue[:min(len(o.Queue), 100)]
		tickets[e.Ticket], _ = ticket.Apply(tickets[e.Ticket], o)
		history[e.Ticket] = append(history[e.Ticket], p)
	}
	queues := map[string]map[ticket.Status]int{}
	for id, t := range tickets {
		lines = append(lines, historyLine(source, id, history[id]))
		if n := len(t.Segments); n > 0 {
			lines = append(lines, segmentsLine(source, id, n))
		}
		if t.Status == "" {
			continue
		}
		lines = append(lines, ticketLine(source, id, t.State))
		if !t.Status.Ended() {
			if queues[t.Queue] == nil {
				queues[t.Queue] = map[ticket.Status]int{}
			}
			queues[t.Queue][t.Status]++
		}
	}
	for queue, n := range queues {
		lines = append(lines, queueLine(source, queue,
			n[ticket.StatusWaiting], n[ticket.StatusCalled], n[ticket.StatusServing], n[ticket.StatusOnHold], n[ticket.StatusBooked]))
	}
	return lines
}

func historyLine(source, id string, positions []int64) string {
	return fmt.Sprintf("%s ticket %s: its events are %d", source, id, positions)
}

func segmentsLine(source, id string, n int) string {
	return fmt.Sprintf("%s ticket %s: has %d segments", source, id, n)
}

// ticketLine tells a state, but for the event that was folded into it last.
func ticketLine(source, id string, s ticket.State) string {
	s.LastPosition, s.LastReceivedAt = 0, time.Time{}
	b, err := projection.EncodeState(s)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("%s ticket %s: %s in %.10s (%.4x)", source, id, s.Status, s.Queue, sha256.Sum256(b))
}

func queueLine(source, queue string, counts ...int) string {
	return fmt.Sprintf("%s queue %.10s: %d", source, queue, counts)
}

// ledgers are the logs of a run, and what was decided about their events.
type ledgers struct {
	logs   map[string]*ledger
	mended bool // the adapter was mended: what was poison can be folded from then on

	// Where a dismissed event may have been folded all the same: by generations that could, before it was dismissed.
	spared map[string]map[int64][]int
}

// judge returns what is wrong with what a reader saw.
func (l ledgers) judge(seen *sight) (wrong []string) {
	var want []string
	for _, source := range slices.Sorted(maps.Keys(seen.Positions)) {
		log, upTo := l.logs[source], seen.Positions[source]
		if upTo > int64(len(*log)) {
			return []string{fmt.Sprintf("%s: the checkpoint %d is ahead of the log's tail %d", source, upTo, len(*log))}
		}
		wrong = append(wrong, l.dead(source, seen)...)
		want = append(want, log.expected(source, func(p int64) bool {
			return p <= upTo && seen.dead[source][p] == nil && (!seen.dismissed[source][p] || l.folds(source, p, seen))
		})...)
	}
	slices.Sort(want)
	if got := seen.lines; !slices.Equal(want, got) {
		wrong = append(wrong, fmt.Sprintf("generation %d at %v:\nwant\n\t%s\ngot\n\t%s",
			seen.Generation, seen.Positions, strings.Join(want, "\n\t"), strings.Join(got, "\n\t")))
	}
	return wrong
}

// folds reports whether the generation had folded a dismissed event before, and says so.
func (l ledgers) folds(source string, position int64, seen *sight) bool {
	return slices.Contains(l.spared[source][position], seen.Generation) && seen.recorded[source][position]
}

// dead returns what is wrong with a source's dead letters.
func (l ledgers) dead(source string, seen *sight) (wrong []string) {
	log, say := l.logs[source], func(format string, args ...any) {
		wrong = append(wrong, source+": "+fmt.Sprintf(format, args...))
	}
	fronts := map[string]int64{}
	for p := int64(1); p <= seen.Positions[source]; p++ {
		e, letter, dismissed := (*log)[p-1], seen.dead[source][p], seen.dismissed[source][p]
		front := fronts[e.Ticket]
		switch {
		case letter == nil && e.Quarantined == "" && !dismissed && front > 0:
			say("%d was folded while its ticket stands at %d", p, front)
		case letter == nil && log.poison(p) && !dismissed && !l.mended:
			say("%d can't have been folded", p)
		case letter == nil:
		case e.Quarantined != "" || dismissed:
			say("%d is a dead letter and must not be: %s", p, letter.cause)
		case letter.behind != front:
			say("%d waits behind %d, should be %d", p, letter.behind, front)
		case front == 0 && !log.poison(p) && !letter.unfinished():
			say("%d is dead for nothing: %s", p, letter.cause)
		case front == 0 && e.Ticket != "":
			fronts[e.Ticket] = p
		}
	}
	for p := range seen.dead[source] {
		if p > seen.Positions[source] {
			say("%d is dead before its turn", p)
		}
	}
	return wrong
}
