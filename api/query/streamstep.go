package query

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"queuetrack/eventstore"
	"queuetrack/projection"
	"queuetrack/projection/board"
	"queuetrack/projection/history"
	"queuetrack/projection/wait"
)

// streamPage is how many positions of a log one step goes through at most.
const streamPage = 250

// step is what happened in one stretch of a source's log, rendered once for whoever wants it: the tickets that changed,
// each once, as it is in the step's snapshot, then the queues that one of them was in before, came through, or is in.
type step struct {
	generation int
	source     string // empty: only the generation is news
	through    int64
	messages   []message
	size       int // bytes
}

// message is one event of a stream, but for its id.
type message struct {
	queues  []string // whoever asked for one of them gets it
	last    int64    // the position that it tells of
	revived bool     // it tells of events that were folded after their turn: whoever is past last doesn't know it
	data    []byte
}

// step reads and renders the stretch after a position: at most a page, and no further than the view has folded.
//
// A ticket goes to a queue's clients if it is there now, was there at the beginning, or after any event of the stretch.
// The beginning alone would not do: a client that resumes may have been shown a state from within the stretch, and
// has to be told that the ticket has left since.
func (d *Door) step(ctx context.Context, v *projection.View, source string, after int64) (*step, error) {
	s := &step{generation: v.Generation, source: source, through: max(after, min(after+streamPage, v.Positions[source]))}
	changed, err := changes(ctx, v, source, after, s.through)
	if err != nil || len(changed) == 0 {
		return s, err
	}
	tickets, err := board.Some(ctx, v, source, slices.Sorted(maps.Keys(changed)))
	if err != nil {
		return nil, err
	}
	touched := map[string]*message{}
	for _, t := range tickets {
		m := changed[t.Ticket]
		m.queues = append(m.queues, t.Queue)
		if err := s.add("ticket", *m, ticketAnswer{TicketState: ticketStateOf(t, v.Now), Positions: d.positions(v)}); err != nil {
			return nil, err
		}
		for _, queue := range m.queues {
			if touched[queue] == nil {
				touched[queue] = &message{queues: []string{queue}}
			}
			touched[queue].last = max(touched[queue].last, m.last)
			touched[queue].revived = touched[queue].revived || m.revived
		}
	}
	return s, d.addQueues(ctx, v, s, touched)
}

// changes are the tickets that changed, by id.
func changes(ctx context.Context, v *projection.View, source string, after, through int64) (map[string]*message, error) {
	inTurn, err := eventstore.TicketsBetween(ctx, v.Tx, source, after, through)
	if err != nil {
		return nil, err
	}
	revived, err := v.Revived(ctx, source, after, through)
	if err != nil {
		return nil, err
	}
	changed := map[string]*message{}
	for _, part := range []struct {
		tickets []string
		after   int64
		revived bool
	}{{inTurn, after, false}, {revived, 0, true}} {
		if len(part.tickets) == 0 {
			continue
		}
		rows, err := history.ChangedBetween(ctx, v, source, part.tickets, part.after, through)
		if err != nil {
			return nil, err
		}
		for _, c := range rows {
			changed[c.Ticket] = &message{queues: c.Queues, last: c.Last, revived: part.revived}
		}
	}
	return changed, nil
}

// addQueues adds what stands in the queues now.
func (d *Door) addQueues(ctx context.Context, v *projection.View, s *step, touched map[string]*message) error {
	states, err := d.queues(ctx, v, board.Filter{Source: s.source}, &question{})
	if err != nil {
		return err
	}
	for _, q := range states {
		if m := touched[q.Queue]; m != nil {
			if err := s.add("queue", *m, q); err != nil {
				return err
			}
		}
		delete(touched, q.Queue)
	}
	// The queue "" is in no list once nobody stands in it; whoever was shown somebody there has to know.
	for queue, m := range touched {
		empty, err := d.emptyQueue(ctx, v, s.source, queue)
		if err != nil {
			return err
		}
		if err := s.add("queue", *m, empty); err != nil {
			return err
		}
	}
	return nil
}

// emptyQueue is a queue that nobody stands in.
func (d *Door) emptyQueue(ctx context.Context, v *projection.View, source, queue string) (QueueState, error) {
	rows, err := board.Queues(ctx, v, board.Filter{Source: source})
	if err != nil {
		return QueueState{}, err
	}
	served, err := d.served(ctx, v, &question{})
	if err != nil {
		return QueueState{}, err
	}
	row := board.Queue{Source: source, Queue: queue}
	for _, r := range rows {
		if r.Queue == queue {
			row = r
		}
	}
	q := queueStateOf(row, names{sources: d.sources}, v.Now)
	n := served[wait.QueueID{Source: source, Queue: queue}]
	q.ServedToday = &n
	return q, nil
}

// add renders a message, as the door renders the same value elsewhere.
func (s *step) add(event string, m message, value any) error {
	var b bytes.Buffer
	b.WriteString("event: " + event + "\ndata: ")
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil { // ends the line, and has none within
		return fmt.Errorf("render a %s of %s: %w", event, s.source, err)
	}
	m.data = b.Bytes()
	s.messages = append(s.messages, m)
	s.size += len(m.data)
	return nil
}
