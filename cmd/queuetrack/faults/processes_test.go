//go:build linux

package faults

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	// pairSenders is how many send to the two processes, of each source.
	pairSenders = 16
	// takenOver is when the projections of a killed process go on in another one: the lease of 10 s, and what a busy
	// machine adds.
	takenOver = 12 * time.Second
	// drainTime is the --drain of the test, and endsWithin what a shutdown may take after it.
	drainTime  = 2 * time.Second
	endsWithin = 15 * time.Second
	// handedOver is what a sender leaves after a request was cut off. What a killed process had handed to Postgres takes
	// effect all the same, a moment later; behind the ticket's next delivery, it would pass for one of its own.
	handedOver = 2 * time.Second
)

// single is a process that nobody starts again.
type single struct {
	process *os.Process
	ended   <-chan error
}

// start runs queuetrack serve with more arguments, once, until the test ends.
func (w *world) start(more ...string) *single {
	w.t.Helper()
	cmd := w.command(append([]string{"serve"}, more...)...)
	out := &voice{journal: w.journal, name: "the other queuetrack"}
	cmd.Stdout, cmd.Stderr = out, out
	process, ended, err := launch(cmd)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = process.Kill() }) // it may have ended
	w.ready()
	return &single{process, ended}
}

// kill ends the process, and returns when it is gone.
func (p *single) kill(t *testing.T) {
	t.Helper()
	_ = p.process.Kill()
	if err := <-p.ended; err == nil {
		t.Error("the process that was killed ended in order")
	}
}

// twin is the same world seen through another process's address.
func (w *world) twin() *world {
	other := *w
	address := fmt.Sprintf("127.%d.%d.%d:8080", 1+rand.IntN(250), rand.IntN(250), 1+rand.IntN(250))
	other.base = "http://" + address
	other.args = append(w.args[:len(w.args):len(w.args)], "--listen", address)
	return &other
}

// Two processes on one database, with the same sources, and much of what is sent is sent to both at once: each delivery
// is accepted once, both tell its position, and both answer the same. Each runs the projections of one source; then one is killed.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	w := bareWorld(t)
	w.startCluster(w.dir+"/data", nil, nil)
	w.args = append(w.args, "--database-url", w.url)
	first := w.twin()
	doomed := first.start()
	w.serve()
	books, toFirst := startLoad(t, w, chance(t), 0), startLoad(t, first, chance(t), 0)

	pairs := startPairs(books, toFirst, 0)
	books.flow(t, 4*between)
	pairs()
	ends := tails(readLog(t, w))
	w.caughtUp(ends)
	first.caughtUp(ends)
	if diff := cmp.Diff(w.statuses(), first.statuses()); diff != "" {
		t.Errorf("the two answer differently (-one +other):\n%s", diff)
	}

	pairs = startPairs(books, toFirst, pairSenders)
	books.flow(t, between)
	doomed.kill(t)
	ends = tails(readLog(t, w))
	took := eventually(t, "the projections are taken over", takenOver, func() error { return w.passed(ends) })
	t.Logf("the projections go on in the other process after %v", took)
	books.flow(t, between)
	pairs()
	if books.longest > longestAnswer {
		t.Errorf("an attempt took %v", books.longest)
	}
	check(t, books)
}

// passed says what the projections have not yet folded.
func (w *world) passed(ends map[string]int64) error {
	var answer struct {
		Positions map[string]int64 `json:"positions"`
	}
	if err := w.get("/v1/tickets?limit=1", &answer); err != nil {
		return err
	}
	for source, end := range ends {
		if at := answer.Positions[source]; at < end {
			return fmt.Errorf("%s is at %d of %d", source, at, end)
		}
	}
	return nil
}

// startPairs sets senders of each source to work on both processes; the result ends them.
func startPairs(one, other *load, offset int) (finish func()) {
	stop := make(chan struct{})
	var group sync.WaitGroup
	for i := range pairSenders {
		for _, source := range []string{city, crm} {
			group.Go(func() {
				for ticket := 1 + (10+offset+i)*ticketsEach; ; ticket++ {
					for n, d := range life(source, ticket, time.Now()) {
						select {
						case <-stop:
							return
						default:
						}
						tell(one, other, d, ticket+n)
					}
				}
			})
		}
	}
	return func() {
		close(stop)
		group.Wait()
	}
}

// tell sends a delivery to one process, to the other, or to both at the same moment. Who gets no answer from the other
// tries the one, as behind a load balancer.
func tell(one, other *load, d delivery, turn int) {
	request, _ := one.w.packet(d)
	var replies [2]reply
	sent := 0
	var group sync.WaitGroup
	for i, l := range []*load{one, other} {
		if turn%3 == 2 || turn%3 == i {
			sent++
			group.Go(func() {
				c := l.w.newWire()
				defer c.hangUp()
				replies[i] = c.ask(request)
			})
		}
	}
	group.Wait()
	var answered []reply
	for _, result := range []string{"accepted", "duplicate"} { // the books want them in this order
		for _, r := range replies {
			if r.status == http.StatusOK && r.result == result {
				answered = append(answered, r)
			}
		}
	}
	for i, r := range answered {
		one.keep(d, 1+sent-len(answered)+i, r.result, r.position) // what was not answered may have been taken
	}
	if slices.ContainsFunc(replies[:], func(r reply) bool { return r.sent && r.status == 0 }) {
		<-time.After(handedOver)
	}
	if len(answered) == 0 {
		one.deliverAgain(d)
	}
}

// deliverAgain sends what may have been taken without an answer.
func (l *load) deliverAgain(d delivery) {
	for {
		status, position, err := l.post(d)
		switch {
		case err != nil:
			l.complain("%v", err)
			return
		case status != "":
			l.keep(d, 2, status, position)
			return
		}
		<-time.After(retryPause)
	}
}

// SIGTERM under load: /readyz says no while requests are still accepted, each request that was begun gets its answer,
// and the process ends by itself, with success.
func TestDrain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	leaving := w.twin()
	process := leaving.start("--drain", drainTime.String())
	books, toLeaving := startLoad(t, w, chance(t), 0), startLoad(t, leaving, chance(t), 0)
	pairs := startPairs(books, toLeaving, 0)
	books.flow(t, between)

	began := time.Now()
	if err := process.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "/readyz says no", drainTime, func() error {
		if err := leaving.get("/readyz", nil); err == nil || !strings.Contains(err.Error(), "status 503") {
			return fmt.Errorf("/readyz: %w", err)
		}
		return nil
	})
	d := life(city, 7*ticketsEach, time.Now())[0]
	request, body := leaving.packet(d)
	late := leaving.newWire()
	if err := late.dial(); err != nil {
		t.Fatalf("%v after the signal: %v", time.Since(began), err)
	}
	defer late.hangUp()
	_, _ = late.conn.Write(request[:body+10]) // the rest comes when nobody else is let in
	eventually(t, "the door closes", drainTime+endsWithin, func() error {
		conn, err := net.Dial("tcp", late.address)
		if err != nil {
			return nil //nolint:nilerr // this is what is waited for
		}
		return fmt.Errorf("still open: %w", conn.Close())
	})
	closed := time.Since(began)
	_, _ = late.conn.Write(request[body+10:])
	if r := late.answer(); !books.record(d, r) {
		t.Errorf("what was begun before the door closed was answered %+v", r)
	}
	select {
	case err := <-process.ended:
		t.Logf("closed after %v, ended after %v", closed, time.Since(began))
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(endsWithin):
		t.Errorf("not ended %v after its door closed", endsWithin)
	}
	if closed < drainTime {
		t.Errorf("its door closed %v after the signal, before %v", closed, drainTime)
	}
	pairs()
	check(t, books)
}
