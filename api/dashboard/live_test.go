package dashboard

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"
)

// scripted stands for the API where a test decides what it answers, and counts what it is asked.
type scripted struct {
	mu      sync.Mutex
	answers map[string]string // by path
	away    bool
	full    int // answers given with a body
	same    int // 304s
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"title":"The database can't be reached","status":503,"detail":"Try again."}`)
		return
	}
	body, known := s.answers[r.URL.Path]
	if !known {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"type":"/problems/unknown-queue","title":"No such queue","status":404,"detail":"None."}`)
		return
	}
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256([]byte(body)))
	if r.Header.Get("If-None-Match") == tag {
		s.same++
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.full++
	w.Header().Set("ETag", tag)
	fmt.Fprint(w, body)
}

func (s *scripted) set(path, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[path] = body
}

func (s *scripted) goAway(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

// queuesOf answers with queues of a source, each with so many waiting.
func queuesOf(waiting ...int) string {
	var items []string
	for i, n := range waiting {
		items = append(items, fmt.Sprintf(`{"source":"city","queue":"q%d","name":"Queue %d","waiting":%d}`, i, i, n))
	}
	return `{"items":[` + strings.Join(items, ",") + `]}`
}

type served struct {
	*httptest.Server
	rest *scripted
	d    *Dashboard
	stop context.CancelFunc
}

// serveScripted serves the pages of a scripted API.
func serveScripted(t *testing.T, c Config) served {
	t.Helper()
	rest := &scripted{answers: map[string]string{"/v1/queues": queuesOf(3, 4)}}
	c.REST, c.Logger, c.Build = rest, slog.New(slog.DiscardHandler), "one"
	if c.Poll == 0 {
		c.Poll = 2 * time.Millisecond
	}
	d := New(c)
	r := chi.NewRouter()
	d.MountPublic(r)
	d.Mount(r)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = d.Run(ctx)
	}()
	server := httptest.NewServer(r)
	t.Cleanup(func() {
		stop()
		<-ended
		server.Close()
	})
	return served{server, rest, d, stop}
}

// event is one that was sent.
type event struct{ name, data string }

// watching reads a live page in the background; the channel is closed when the server ends it.
func (s served) watching(t *testing.T, path string) <-chan event {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", eventStream)
	response, err := s.Client().Do(request) //nolint:bodyclose // in the cleanup
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", path, response.Status)
	}
	events := make(chan event, 1000)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(events)
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, 1<<20)
		var e event
		for lines.Scan() {
			if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				e.name = name
			} else if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				e.data = data
				events <- e
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		_ = response.Body.Close()
	})
	return events
}

// next is the next event that is no beat.
func next(t *testing.T, events <-chan event) event {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		select {
		case e, ok := <-events:
			if !ok {
				t.Fatal("the live page ended")
			}
			if e.name != "beat" {
				return e
			}
		case <-timeout:
			t.Fatal("nothing was sent")
		}
	}
}

// poll waits until it is so.
func poll(t *testing.T, so func() bool) {
	t.Helper()
	tick, deadline := time.NewTicker(time.Millisecond), time.After(10*time.Second)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it never came to that")
		}
	}
}

// partsOf are the ids of the parts that were sent.
func partsOf(t *testing.T, e event) (ids []string) {
	t.Helper()
	var parts []part
	if err := json.Unmarshal([]byte(e.data), &parts); err != nil || e.name != "parts" {
		t.Fatalf("got %s %.200s: %v, want parts", e.name, e.data, err)
	}
	for _, p := range parts {
		ids = append(ids, p.ID)
	}
	return ids
}

func TestALivePageIsSentInParts(t *testing.T) {
	t.Parallel()
	s := serveScripted(t, Config{})
	events := s.watching(t, "/board/city")
	if e := next(t, events); e.name != "page" || !strings.Contains(e.data, "Queue 1") || strings.Contains(e.data, `\u0000`) {
		t.Fatalf("got %s %.300s, want the whole page first", e.name, e.data)
	}
	s.rest.set("/v1/queues", queuesOf(3, 5))
	if diff := cmp.Diff([]string{"queues"}, partsOf(t, next(t, events))); diff != "" {
		t.Errorf("a queue changed: (-want +got)\n%s", diff)
	}
	// A newcomer gets the page as it is by now.
	if e := next(t, s.watching(t, "/board/city")); e.name != "page" || !strings.Contains(e.data, `\u003cb\u003e5\u003c/b\u003e`) {
		t.Errorf("a newcomer got %s %.900s", e.name, e.data)
	}
}

func TestWatchersShareOneLook(t *testing.T) {
	t.Parallel()
	s := serveScripted(t, Config{Poll: time.Hour, Beat: time.Hour})
	for range 5 {
		next(t, s.watching(t, "/board/city"))
	}
	s.rest.mu.Lock()
	defer s.rest.mu.Unlock()
	// One for the feed, and one for each watcher, by which it is known that there is such a page.
	if s.rest.full != 6 {
		t.Errorf("the API was asked %d times, want 6", s.rest.full)
	}
}

func TestWhatStaysCostsOnlyTheQuestionWhetherItDoes(t *testing.T) {
	t.Parallel()
	s := serveScripted(t, Config{})
	next(t, s.watching(t, "/board/city"))
	poll(t, func() bool {
		s.rest.mu.Lock()
		defer s.rest.mu.Unlock()
		return s.rest.same > 20
	})
	s.rest.mu.Lock()
	defer s.rest.mu.Unlock()
	if s.rest.full != 2 {
		t.Errorf("%d whole answers were given, want 2", s.rest.full)
	}
}

func TestAPageThatStandsStillSaysSo(t *testing.T) {
	t.Parallel()
	s := serveScripted(t, Config{Beat: time.Hour})
	events := s.watching(t, "/board/city")
	next(t, events)
	s.rest.goAway(true)
	if e := next(t, events); e.name != "trouble" || !strings.Contains(e.data, "database") {
		t.Fatalf("got %s %s, want trouble", e.name, e.data)
	}
	s.rest.set("/v1/queues", queuesOf(9, 4))
	s.rest.goAway(false)
	if diff := cmp.Diff([]string{"queues"}, partsOf(t, next(t, events))); diff != "" {
		t.Errorf("after the trouble: (-want +got)\n%s", diff)
	}
}

func TestBeats(t *testing.T) {
	t.Parallel()
	s := serveScripted(t, Config{Beat: time.Nanosecond})
	events := s.watching(t, "/board/city")
	next(t, events)
	if e := <-events; e.name != "beat" {
		t.Errorf("got %s, want a beat", e.name)
	}
}

func TestLivePagesEndWithTheServer(t *testing.T) {
	t.Parallel()
	s := serveScripted(t, Config{})
	events := s.watching(t, "/board/city")
	next(t, events)
	s.stop()
	for range events { // until it is closed
	}
}

func TestALivePageEndsAfterItsLifetime(t *testing.T) {
	t.Parallel()
	s := serveScripted(t, Config{Lifetime: 20 * time.Millisecond})
	for range s.watching(t, "/board/city") { // until it is closed
	}
}

func TestTooManyWatchers(t *testing.T) {
	t.Parallel()
	s := serveScripted(t, Config{AtMost: 1})
	next(t, s.watching(t, "/board/city"))
	request, _ := http.NewRequest(http.MethodGet, s.URL+"/board/city", nil)
	request.Header.Set("Accept", eventStream)
	response, err := s.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("the second watcher got %s, Retry-After %q", response.Status, response.Header.Get("Retry-After"))
	}
}

// However an address is written, and whatever it says besides, it is of one page: anybody could have the server look at
// thousands otherwise.
func TestOnePageHasManyAddresses(t *testing.T) {
	t.Parallel()
	s := serveScripted(t, Config{Poll: time.Hour, Beat: time.Hour})
	for _, address := range []string{"/board/city", "/board/city?x=1", "/board/city?x=2&queue=", "/board/c%69ty", "/board/%63%69%74%79?queue"} {
		next(t, s.watching(t, address))
	}
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	if len(s.d.feeds) != 1 {
		t.Errorf("%d pages are looked at, want 1", len(s.d.feeds))
	}
}

// A watcher that does not read must not hold up the others.
func TestASlowWatcherIsHungUpOn(t *testing.T) {
	t.Parallel()
	s := serveScripted(t, Config{Poll: time.Hour})
	in := input{path: map[string]string{"source": "city"}}
	slow, leave := s.d.join("slow", page{load: s.d.board, layout: "board-page"}, in)
	defer leave()
	s.d.mu.Lock()
	f := s.d.feeds["slow"]
	s.d.mu.Unlock()
	for range heldMessages + 2 {
		f.send(newMessage("beat", "now"))
	}
	n := 0
	for range slow {
		n++
	}
	if n != heldMessages {
		t.Errorf("%d messages were held, want %d", n, heldMessages)
	}
}

func TestWhatThereIsNotIsRefusedAsAPageAndAsAStream(t *testing.T) {
	t.Parallel()
	s := serveScripted(t, Config{})
	for accept, want := range map[string]string{"text/html": "text/html; charset=utf-8", eventStream: "application/problem+json", "": "application/problem+json"} {
		request, _ := http.NewRequest(http.MethodGet, s.URL+"/board/city?queue=none", nil)
		request.Header.Set("Accept", accept)
		response, err := s.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if got := response.Header.Get("Content-Type"); response.StatusCode != http.StatusNotFound || got != want {
			t.Errorf("Accept %q: %s, %s; want 404, %s", accept, response.Status, got, want)
		}
	}
}
