//go:build linux

package faults

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// readerCount is how many readers there are, and readPause what one leaves between two requests.
	readerCount = 4
	readPause   = 10 * time.Millisecond
	// awayPause is what it leaves after one that was not answered.
	awayPause = 200 * time.Millisecond
	// longestRead is what an answer may take around a switch beyond what 99 in 100 take at other times, on a machine that
	// does something else, too.
	longestRead = time.Second
)

// glimpse is one answer of the door out, or that there was none.
type glimpse struct {
	path string
	at   time.Time // when it was asked for
	took time.Duration
	err  error // no answer, or no 200

	positions  map[string]int64
	generation *int   // nil: the answer doesn't tell
	offered    int64  // by a wait report of all there ever was; 0: the answer is another one
	status     string // of a ticket of the past
	want       string // what that is
}

// witness holds what one reader sees against what it saw before.
type witness struct {
	sources []string

	positions   map[string]int64
	offered     int64
	generations []int // in the order in which they served
	problems    []string
}

// see takes the next answer.
func (w *witness) see(g glimpse) {
	if g.err != nil {
		w.complain(g, "%v", g.err)
		return
	}
	for _, source := range w.sources {
		now, told := g.positions[source]
		before := w.positions[source]
		switch {
		case !told:
			w.complain(g, "no position of %s", source)
		case now < before:
			w.complain(g, "%s goes back from %d to %d", source, before, now)
		default:
			w.positions[source] = now
		}
	}
	if g.offered < w.offered && strings.Contains(g.path, "/reports/") {
		w.complain(g, "%d tickets were offered, and %d before", g.offered, w.offered)
	}
	w.offered = max(w.offered, g.offered)
	if g.status != g.want {
		w.complain(g, "status %q, want %q", g.status, g.want)
	}
	if n := len(w.generations); g.generation != nil && (n == 0 || w.generations[n-1] != *g.generation) {
		w.generations = append(w.generations, *g.generation)
	}
}

func (w *witness) complain(g glimpse, format string, args ...any) {
	w.problems = append(w.problems, fmt.Sprintf("GET %s at %s: ", g.path, g.at.Format("15:04:05.000"))+fmt.Sprintf(format, args...))
}

// readers ask the door out while something is broken, each process in turn.
type readers struct {
	doors  []*world
	past   []delivery // what the tickets of the past were told last
	client *http.Client
	stop   chan struct{}
	group  sync.WaitGroup
	all    []*reader

	forgiving atomic.Bool // no answer is as good as a right one
}

// forgive lets them go without answers, from now on: there will be a time when nobody can give one.
func (r *readers) forgive() { r.forgiving.Store(true) }

// reader is one of them.
type reader struct {
	*readers
	witness
	chance   *rand.Rand
	glimpses []glimpse // for how long they took
}

// startReaders sets them to work on the processes, until finish.
func startReaders(t *testing.T, chance *rand.Rand, doors ...*world) *readers {
	t.Helper()
	r := &readers{
		doors: doors, past: lastWords(doors[0].past), stop: make(chan struct{}),
		client: &http.Client{Timeout: longestAnswer, Transport: &http.Transport{MaxIdleConnsPerHost: readerCount}},
	}
	for range readerCount {
		one := &reader{
			readers: r, chance: rand.New(rand.NewPCG(chance.Uint64(), 0)),
			witness: witness{sources: doors[0].sources, positions: map[string]int64{}},
		}
		r.all = append(r.all, one)
		r.group.Go(one.read)
	}
	t.Cleanup(r.end)
	return r
}

// lastWords are the deliveries after which no other came of their tickets.
func lastWords(told []delivery) []delivery {
	last := map[string]int{}
	for i, d := range told {
		last[d.source+"/"+d.ticket] = i
	}
	var words []delivery
	for i, d := range told {
		if last[d.source+"/"+d.ticket] == i {
			words = append(words, d)
		}
	}
	return words
}

// end ends them. It may be called more than once.
func (r *readers) end() {
	select {
	case <-r.stop:
	default:
		close(r.stop)
	}
	r.group.Wait()
	r.client.CloseIdleConnections()
}

// read asks until the end, and once more for each thing after it.
func (r *reader) read() {
	pause := time.NewTicker(readPause)
	defer pause.Stop()
	for turn := 0; ; turn++ {
		r.look(turn)
		select {
		case <-r.stop:
			for i := range kinds {
				r.look(i)
			}
			return
		case <-pause.C:
		}
	}
}

// kinds is how many things there are to look at.
const kinds = 5

func (r *reader) look(turn int) {
	g := glimpse{at: time.Now()}
	switch turn % kinds {
	case 0:
		g.path = "/v1/queues"
	case 1:
		g.path = "/v1/tickets?limit=20"
	case 2:
		d := r.past[r.chance.IntN(len(r.past))]
		g.path, g.want = "/v1/tickets/"+url.PathEscape(d.source)+"/"+url.PathEscape(d.ticket), d.status
	case 3:
		day := func(n int) string { return time.Now().UTC().AddDate(0, 0, n).Format(time.DateOnly) }
		g.path = "/v1/reports/waits?tz=UTC&from=" + day(-30) + "&to=" + day(2)
	case 4:
		g.path = "/v1/projections"
	}
	r.ask(r.doors[turn/kinds%len(r.doors)], &g)
	if g.err == nil || !r.forgiving.Load() {
		r.see(g)
	}
	if g.err != nil {
		<-time.After(awayPause)
	}
	g.positions = nil
	r.glimpses = append(r.glimpses, g)
}

// ask fills in the answer.
func (r *reader) ask(door *world, g *glimpse) {
	defer func() { g.took = time.Since(g.at) }()
	resp, err := r.client.Get(door.base + g.path)
	if err != nil {
		g.err = err
		return
	}
	defer resp.Body.Close()
	var told struct {
		Positions  map[string]int64
		Generation *int
		Status     json.RawMessage // a number in a problem
		Items      []struct{ Offered int64 }
	}
	err = json.NewDecoder(resp.Body).Decode(&told)
	switch {
	case resp.StatusCode != http.StatusOK:
		g.err = fmt.Errorf("status %d", resp.StatusCode)
	case err != nil:
		g.err = err
	}
	g.positions, g.generation = told.Positions, told.Generation
	if g.want != "" {
		g.status = strings.Trim(string(told.Status), `"`)
	}
	for _, item := range told.Items {
		g.offered += item.Offered
	}
}

// finish ends them, and says what was wrong; each of them has seen these generations serve, in this order.
func (r *readers) finish(t *testing.T, generations ...int) {
	t.Helper()
	r.end()
	for i, one := range r.all {
		for n, p := range one.problems {
			if n == shownProblems {
				t.Errorf("… and %d more", len(one.problems)-n)
				break
			}
			t.Errorf("reader %d: %s", i, p)
		}
		if !slices.Equal(one.generations, generations) {
			t.Errorf("reader %d saw the generations %v serve, want %v", i, one.generations, generations)
		}
	}
}

// around returns the longest that an answer took that was waited for between two instants, and what 99 in 100 of all
// others took at most. They must have ended.
func (r *readers) around(from, to time.Time) (longest, others time.Duration) {
	var rest []time.Duration
	for _, one := range r.all {
		for _, g := range one.glimpses {
			if g.at.Before(to) && g.at.Add(g.took).After(from) {
				longest = max(longest, g.took)
			} else {
				rest = append(rest, g.took)
			}
		}
	}
	if len(rest) == 0 {
		return longest, 0
	}
	slices.Sort(rest)
	return longest, rest[len(rest)*99/100]
}
