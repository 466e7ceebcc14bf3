//go:build linux

package faults

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

const (
	// paceOf is what a sender leaves between two deliveries, and retryPause what it leaves before it repeats one.
	paceOf     = 15 * time.Millisecond
	retryPause = 50 * time.Millisecond
	// longestAnswer is what an answer may take: the 10 s that the door gives the log, and the time to be scheduled on a
	// busy machine.
	longestAnswer = 20 * time.Second
	// giveUp is when a sender believes that the service does not come back.
	giveUp = 2 * time.Minute
	// ticketsEach keeps the senders' ticket numbers apart.
	ticketsEach = 100_000
)

// digest names a body: no two deliveries of a test have the same.
type digest [sha256.Size]byte

// answer is what a sender was told with a 200, the first time.
type answer struct {
	source   string
	position int64
}

// load is the vendors: senders that each tell their own tickets in order, and keep what they were answered.
type load struct {
	w      *world
	client *http.Client
	ctx    context.Context
	stop   context.CancelFunc
	group  sync.WaitGroup
	probe  int // deliveries that the test itself made

	mu       sync.Mutex
	answers  map[digest]answer
	statuses map[string]map[string]string // by source and ticket: what its last delivery told
	busy     int                          // answers that were 503
	lost     int                          // attempts without an answer
	longest  time.Duration                // of all attempts
	latest   time.Time                    // when a delivery was taken last
	silence  time.Duration                // the longest time in which none was
	problems []string
}

// startLoad sets senders of each source to work, until finish.
func startLoad(t *testing.T, w *world, chance *rand.Rand, senders int) *load {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	l := &load{
		w: w, ctx: ctx, stop: stop,
		client:   &http.Client{Timeout: 2 * longestAnswer, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		answers:  map[digest]answer{},
		statuses: map[string]map[string]string{},
	}
	for _, source := range w.sources {
		l.statuses[source] = map[string]string{}
	}
	l.remember(w.past)
	for i := range senders {
		for k, source := range w.sources {
			own := rand.New(rand.NewPCG(chance.Uint64(), 0))
			l.group.Go(func() { l.send(source, 1+(k/2*senders+i)*ticketsEach, own) }) // no two of a kind have a ticket in common
		}
	}
	t.Cleanup(l.finish)
	return l
}

// finish lets the senders bring to an end what they have begun to send. It may be called more than once.
func (l *load) finish() {
	l.stop()
	l.group.Wait()
	l.client.CloseIdleConnections()
}

// send tells one ticket after the other until the load is finished; a delivery that was begun is sent to the end.
func (l *load) send(source string, ticket int, chance *rand.Rand) {
	pace := time.NewTicker(paceOf)
	defer pace.Stop()
	for ; ; ticket++ {
		told := life(source, ticket, time.Now())
		for i, d := range told {
			select {
			case <-l.ctx.Done():
				return
			case <-pace.C:
			}
			if !l.deliver(d) {
				return
			}
			if chance.IntN(8) == 0 { // once more, as vendors do: now, or (where it has an id) any of its past
				again := d
				if source == crm {
					again = told[chance.IntN(i+1)]
				}
				l.deliver(again)
			}
		}
	}
}

// deliver sends until the answer is 200, as a vendor does, and reports whether it came to that.
func (l *load) deliver(d delivery) bool {
	began := time.Now()
	for attempt := 1; time.Since(began) < giveUp; attempt++ {
		status, position, err := l.post(d)
		if err != nil {
			l.complain("%v", err)
			return false
		}
		if status != "" {
			l.keep(d, attempt, status, position)
			return true
		}
		<-time.After(retryPause)
	}
	l.complain("%s ticket %s: not taken within %v", d.source, d.ticket, giveUp)
	return false
}

// post makes one attempt. An empty status without an error means: try again.
func (l *load) post(d delivery) (status string, position int64, err error) {
	began := time.Now()
	req, err := http.NewRequest(http.MethodPost, l.w.base+"/webhooks/"+d.source, bytes.NewReader(d.body)) //nolint:noctx // the client has a timeout
	if err != nil {
		return "", 0, err
	}
	req.Header = l.w.signers[d.source].Sign(d.body)
	req.Header.Set("Content-Type", "application/json")
	resp, err := l.client.Do(req)
	if err != nil {
		l.unanswered(began, false)
		return "", 0, nil //nolint:nilerr // refused, cut, timed out: a vendor tries again
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	switch {
	case resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "":
		l.unanswered(began, true)
		return "", 0, nil
	case resp.StatusCode != http.StatusOK:
		return "", 0, fmt.Errorf("%s ticket %s: answered %d %s", d.source, d.ticket, resp.StatusCode, body)
	case err != nil: // cut in the middle of the answer
		l.unanswered(began, false)
		return "", 0, nil
	}
	l.took(time.Since(began))
	var told struct {
		Status   string `json:"status"`
		Position int64  `json:"position"`
	}
	if err := json.Unmarshal(body, &told); err != nil || told.Status == "" {
		return "", 0, fmt.Errorf("%s ticket %s: answered 200 %s: %w", d.source, d.ticket, body, err)
	}
	return told.Status, told.Position, nil
}

func (l *load) unanswered(began time.Time, busy bool) {
	l.took(time.Since(began))
	l.mu.Lock()
	defer l.mu.Unlock()
	if busy {
		l.busy++
	} else {
		l.lost++
	}
}

func (l *load) took(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.longest = max(l.longest, d)
}

// keep notes a 200. The first attempt of a body never sent before is accepted; any other answer names the same position.
func (l *load) keep(d delivery, attempt int, status string, position int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.latest.IsZero() {
		l.silence = max(l.silence, time.Since(l.latest))
	}
	l.latest = time.Now()
	id := digest(sha256.Sum256(d.body))
	before, known := l.answers[id]
	now := answer{d.source, position}
	wrong := status != "accepted" && status != "duplicate" ||
		known && (status != "duplicate" || before != now) ||
		!known && attempt == 1 && status != "accepted"
	if wrong {
		l.problems = append(l.problems, fmt.Sprintf("%s ticket %s, attempt %d: answered %s at %d; answered at %d before (0: never)",
			d.source, d.ticket, attempt, status, position, before.position))
	}
	if !known {
		l.answers[id], l.statuses[d.source][d.ticket] = now, d.status
	}
}

func (l *load) complain(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.problems = append(l.problems, fmt.Sprintf(format, args...))
}

// back waits until a delivery that is made after a fault has been taken.
func (l *load) back(t *testing.T) {
	t.Helper()
	l.probe++
	if !l.deliver(life(city, 8*ticketsEach+4*l.probe, time.Now())[0]) {
		t.Fatalf("not back within %v", giveUp)
	}
}

// taken is how many deliveries were answered 200.
func (l *load) taken() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.answers)
}

// flow waits until so many more deliveries have been taken, and returns how long that took.
func (l *load) flow(t *testing.T, more int) time.Duration {
	t.Helper()
	goal := l.taken() + more
	return eventually(t, "deliveries are taken", backWithin, func() error {
		if n := l.taken(); n < goal {
			return fmt.Errorf("%d of %d", n, goal)
		}
		return nil
	})
}
