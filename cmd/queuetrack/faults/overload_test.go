//go:build linux

package faults

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// crowd is how many connections bring the overload: twice what the door holds of one source.
	crowd        = 2000
	overloadTime = 6 * time.Second
	measureTime  = time.Second
	// standstill is how long the log is kept from going on, at most, until somebody is refused: less than the 2 s after
	// which the log itself gives up on a lock.
	standstill = 1500 * time.Millisecond
	// mostMemory is what the process may hold under any load.
	mostMemory = 256 << 20
	// slowestTaken and slowestRefused are what an answer may take under twice the load that can be carried, 99 times in
	// a hundred, from the moment that the delivery was sent. The door holds 1,024 of one source, a fraction of a
	// second's work; the rest is for the standstill, and for a machine that the senders share, and others.
	slowestTaken   = 10 * time.Second
	slowestRefused = 5 * time.Second
	// ordinarySlack is what a lone delivery may take more than an ordinary one, apart from a factor of five.
	ordinarySlack = 250 * time.Millisecond
)

// quantile sorts the times.
func quantile(took []time.Duration, q float64) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[min(len(took)-1, int(q*float64(len(took))))]
}

// flood is many senders of one source, each with a connection of its own, that send when they are told to.
type flood struct {
	l       *load
	next    atomic.Int64 // ticket
	refused atomic.Int64

	mu            sync.Mutex
	taken, turned []time.Duration
	unanswered    []delivery

	senders         sync.WaitGroup
	due             chan struct{}
	late, scheduled int
}

func startFlood(l *load, senders int) *flood {
	f := &flood{l: l, due: make(chan struct{}, crowd)}
	f.next.Store(ticketsEach)
	for range senders {
		f.senders.Go(func() {
			c := l.w.newWire()
			defer c.hangUp()
			for range f.due {
				f.send(c)
			}
		})
	}
	return f
}

// send makes one delivery.
func (f *flood) send(c *wire) reply {
	d := life(city, int(f.next.Add(1)), time.Now())[0]
	request, _ := f.l.w.packet(d)
	r := c.ask(request)
	if r.status == 0 { // to be sent again when there is room
		f.mu.Lock()
		defer f.mu.Unlock()
		f.unanswered = append(f.unanswered, d)
		return r
	}
	taken := f.l.record(d, r)
	f.mu.Lock()
	defer f.mu.Unlock()
	if taken {
		f.taken = append(f.taken, r.took)
	} else {
		f.turned = append(f.turned, r.took)
		f.refused.Add(1)
	}
	return r
}

// capacity is what the door takes a second from as many senders as wait for their answers.
func capacity(l *load, senders int) float64 {
	f := &flood{l: l}
	f.next.Store(5 * ticketsEach)
	end := time.Now().Add(measureTime)
	for range senders {
		f.senders.Go(func() {
			c := l.w.newWire()
			defer c.hangUp()
			for time.Now().Before(end) {
				f.send(c)
			}
		})
	}
	f.senders.Wait()
	return float64(len(f.taken)) / measureTime.Seconds()
}

// run sends at a rate, whatever the answers. A delivery is late, and left out, when all connections wait for an answer.
func (f *flood) run(rate float64, duration time.Duration) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	owed, last := 0.0, time.Now()
	for began := last; time.Since(began) < duration; {
		now := <-tick.C
		owed += rate * now.Sub(last).Seconds()
		last = now
		for ; owed >= 1; owed-- {
			f.scheduled++
			select {
			case f.due <- struct{}{}:
			default:
				f.late++
			}
		}
	}
	close(f.due)
	f.senders.Wait()
}

// stall keeps the log of a source from going on until somebody is refused.
func (f *flood) stall(t *testing.T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), f.l.w.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background()) //nolint:errcheck // and the lock with it
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM log_head WHERE source = $1 FOR UPDATE`, city); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); f.refused.Load() == 0 && time.Since(began) < standstill; {
		<-tick.C
	}
}

// Twice the load that can be carried, and a log that stands still for a moment: what is taken is taken in time, what is not is told so at once, another source
// does not notice, and afterwards everything is as before.
func TestOverload(t *testing.T) { //nolint:paralleltest // it is about how long things take
	w := newWorld(t)
	l := startLoad(t, w, chance(t), 0)
	before := l.ordinary(t, firsts(city, 1, 50))
	carried := capacity(l, 256)
	f := startFlood(l, crowd)
	other := make(chan []reply)
	stop := make(chan struct{})
	go func() { other <- steady(l, stop) }()
	over := make(chan struct{})
	go func() {
		defer close(over)
		f.run(2*carried, overloadTime*time.Duration(*rounds))
	}()
	f.stall(t)
	<-over
	close(stop)
	aside := <-other
	after := l.ordinary(t, firsts(city, 2000, 50))
	for _, d := range f.unanswered {
		l.deliver(d)
	}

	t.Logf("carried %.0f/s; of %d due %d were taken (p50 %v, p99 %v), %d refused (p50 %v, p99 %v), %d unanswered, %d late; alone %v before, %v after",
		carried, f.scheduled, len(f.taken), quantile(f.taken, .5), quantile(f.taken, .99),
		len(f.turned), quantile(f.turned, .5), quantile(f.turned, .99), len(f.unanswered), f.late, before, after)
	if len(f.turned) == 0 {
		t.Error("nobody was refused: this was no overload, or nothing is bounded")
	}
	if p99 := quantile(f.taken, .99); p99 > slowestTaken {
		t.Errorf("taken: p99 %v, want at most %v", p99, slowestTaken)
	}
	if p99 := quantile(f.turned, .99); p99 > slowestRefused {
		t.Errorf("refused: p99 %v, want at most %v", p99, slowestRefused)
	}
	if len(f.unanswered) > 0 {
		t.Errorf("%d had no answer", len(f.unanswered))
	}
	if after > 5*before+ordinarySlack {
		t.Errorf("a lone delivery takes %v afterwards, and %v before", after, before)
	}
	for i, r := range aside {
		if r.status != 200 {
			t.Errorf("the other source's delivery %d was answered %d", i, r.status)
		}
	}
	if len(aside) == 0 {
		t.Error("the other source sent nothing")
	}
	w.boundMemory()
	check(t, l)
}

// steady sends deliveries of the other source one after the other until it is stopped.
func steady(l *load, stop <-chan struct{}) (replies []reply) {
	c := l.w.newWire()
	defer c.hangUp()
	pace := time.NewTicker(50 * time.Millisecond)
	defer pace.Stop()
	for i := 0; ; i++ {
		select {
		case <-stop:
			return replies
		case <-pace.C:
		}
		d := life(crm, 1+i, time.Now())[0]
		request, _ := l.w.packet(d)
		r := c.ask(request)
		l.record(d, r)
		replies = append(replies, r)
	}
}

// Bodies as large as may be, from more senders than there is room for: some find room, the rest are refused, and small
// ones of another source are taken all the while.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := startLoad(t, w, chance(t), 0)
	const large = 80 // of 1 MiB; the door holds 32 MiB of one source
	wires, deliveries := make([]*wire, large), make([]delivery, large)
	for i := range wires {
		deliveries[i] = heavy(i)
		wires[i] = w.newWire()
		defer wires[i].hangUp()
		if err := wires[i].dial(); err != nil {
			t.Fatal(err)
		}
		request, body := w.packet(deliveries[i])
		if i%2 == 0 { // the other half comes at once, among these
			request = request[:body+len(deliveries[i].body)*9/10]
		}
		_, _ = wires[i].conn.Write(request) // a refused one may have hung up already
	}
	if took := l.ordinary(t, firsts(crm, 1, 20)); took > time.Second {
		t.Errorf("a small delivery of another source takes %v", took)
	}
	for i := 0; i < large; i += 2 {
		request, body := w.packet(deliveries[i])
		_, _ = wires[i].conn.Write(request[body+len(deliveries[i].body)*9/10:])
	}
	taken, refused := 0, 0
	for i, c := range wires {
		switch r := c.answer(); {
		case r.status == 0:
			refused++ // cut in the middle of its body: a reset may overtake the answer
			l.deliver(deliveries[i])
		case l.record(deliveries[i], r):
			taken++
		default:
			refused++
		}
	}
	t.Logf("%d taken, %d refused", taken, refused)
	if taken == 0 || refused == 0 {
		t.Errorf("%d large ones taken, %d refused: want some of each", taken, refused)
	}
	w.boundMemory()
	check(t, l)
}

// heavy is a delivery of nearly 1 MiB.
func heavy(ticket int) delivery {
	d := life(city, 3*ticketsEach+ticket, time.Now())[0]
	pad := make([]byte, 1<<20-len(d.body)-16)
	for i := range pad {
		pad[i] = 'a' + byte((i*7+ticket)%26)
	}
	d.body = fmt.Appendf(nil, `{"pad":"%s",%s`, pad, d.body[1:])
	return d
}
