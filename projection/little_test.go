package projection_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"queuetrack/eventstore"
	"queuetrack/eventstore/ticket"
)

// metrics.md, Little's law: the length of a queue summed over time is the time waited in it, exactly. One side is the
// board's spells, the other one the report's segments.
func TestLengthOfQueuesOverTimeIsTimeWaited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rng := rand.New(rand.NewPCG(9, 9))
	var ds []eventstore.Delivery
	for i := range 200 {
		id, queue := fmt.Sprint("t", i), fmt.Sprint(rng.IntN(3))
		at := noon.Add(time.Duration(rng.IntN(7200)) * time.Second).Add(time.Duration(rng.IntN(1e9)))
		later := func() time.Time {
			at = at.Add(time.Duration(rng.IntN(900)) * time.Second).Add(time.Duration(rng.IntN(1e9)))
			return at
		}
		say := func(s said) { ds = append(ds, delivery(id, at.Add(time.Second), s)) }
		say(created(queue, at))
		if rng.IntN(3) == 0 {
			say(said{Observation: ticket.Observation{Says: ticket.TransitionOnHold, Status: ticket.StatusOnHold, At: later()}})
			say(said{Observation: ticket.Observation{Says: ticket.TransitionResumed, Status: ticket.StatusWaiting, At: later()}})
		}
		if rng.IntN(4) == 0 {
			say(said{Observation: ticket.Observation{Says: ticket.TransitionCancelled, Status: ticket.StatusCancelled, At: later()}})
			continue
		}
		calledAt := later()
		say(called(calledAt))
		say(served(later(), calledAt))
	}
	w.append("city", ds...)
	w.catchUp()
	w.check()
	lengths := one[int64](w, `
		SELECT sum(extract(epoch FROM date_trunc('second', to_at) - date_trunc('second', from_at)))::bigint
		FROM board_spell_0
		WHERE status = 'waiting'`)
	waits := one[int64](w, `SELECT sum(wait_seconds)::bigint FROM wait_segment_0`)
	if lengths != waits || waits == 0 {
		t.Errorf("the queues' lengths add up to %d ticket seconds, the waits to %d", lengths, waits)
	}
}
