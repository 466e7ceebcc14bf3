package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A rebuild's own words tell its phases, in their order, and what differs.
func TestListenHearsPhases(t *testing.T) {
	t.Parallel()
	said := `{"phase":"clearing"}
{"phase":"filling","events":1}
{"phase":"filling","events":2}
not JSON
{"phase":"switching"}
{"phase":"done","differing_tickets":3}
`
	var heard []string
	r := listen(bufio.NewScanner(strings.NewReader(said)), func(phase string, _ time.Time) { heard = append(heard, phase) })
	if diff := cmp.Diff([]string{"clearing", "filling", "switching", "done"}, heard); diff != "" {
		t.Errorf("phases (-want +got):\n%s", diff)
	}
	if r.Other != 3 || len(r.Phases) != 3 {
		t.Errorf("%d other tickets, phases %v", r.Other, r.Phases)
	}
}

func TestStatOfAnyName(t *testing.T) {
	t.Parallel()
	got, ok := parseStat("42 (postgres: a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 150 50 30 20 20 0 1 0 5 6 7")
	want := stat{name: "postgres: a) b (c", parent: 7, own: 2 * time.Second, children: 500 * time.Millisecond}
	if !ok || got != want {
		t.Errorf("%+v, %t; want %+v", got, ok, want)
	}
	for _, broken := range []string{"", "42 postgres S 7", "42 (postgres) S 7", "42 postgres)("} {
		if s, ok := parseStat(broken); ok {
			t.Errorf("%q reads as %+v", broken, s)
		}
	}
}

// What was under way around the switch counts apart from the rest.
func TestReadersWaitAtTheSwitch(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	answer := func(from, took time.Duration) span { return span{at.Add(from), at.Add(from + took)} }
	seen := []*reader{
		{answers: []span{answer(-time.Second, 4*time.Millisecond), answer(-10*time.Millisecond, 30*time.Millisecond)}, stepsBack: 1},
		{answers: []span{answer(time.Second, 4*time.Millisecond)}, errors: 2, first: "refused"},
	}
	got, err := sum(seen, 7, span{at, at.Add(time.Millisecond)})
	if err != nil {
		t.Fatal(err)
	}
	got.Normal = Latencies{P99: got.Normal.P99.Round(time.Millisecond)}
	want := Readers{
		Readers: 2, Webhooks: 7, Answers: 3, Errors: 2, Error: "refused", StepsBack: 1,
		Normal: Latencies{P99: 4 * time.Millisecond}, AtSwitch: 30 * time.Millisecond,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("readers (-want +got):\n%s", diff)
	}
	if got.Wait() != 26*time.Millisecond {
		t.Errorf("they waited %s longer, want 26ms", got.Wait())
	}
}

// A reader who is told less than somebody knew before it asked has gone back in time.
func TestReaderNoticesStepsBackAndErrors(t *testing.T) {
	t.Parallel()
	answers := []string{`{"positions":{"bench":5}}`, `{"positions":{"bench":4}}`, "", `{"positions":{"bench":6}}`}
	var asked atomic.Int64
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := int(asked.Add(1))
		if n == len(answers)+1 {
			close(done)
		}
		if body := answers[min(n, len(answers))-1]; body != "" {
			_, _ = w.Write([]byte(body))
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer server.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r := &reader{crowd: crowd{host: strings.TrimPrefix(server.URL, "http://"), newest: &atomic.Int64{}}}
	var group sync.WaitGroup
	group.Go(func() {
		if err := r.read(ctx); err != nil {
			t.Error(err)
		}
	})
	<-done
	stop()
	group.Wait()
	if r.errors != 1 || r.stepsBack != 1 || r.newest.Load() != 6 || !strings.Contains(r.first, "answered 500") {
		t.Errorf("%d errors (%s), %d steps back, newest %d", r.errors, r.first, r.stepsBack, r.newest.Load())
	}
}

// late is a server that shows a ticket so long after it was told of it.
func late(t *testing.T, by time.Duration, enough int) (host string, seen chan struct{}) {
	var tickets sync.Map
	var shown atomic.Int64
	began := time.Now()
	seen = make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /webhooks/bench", func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		_, rest, _ := strings.Cut(body.String(), `"id":"`)
		id, _, _ := strings.Cut(rest, `"`)
		tickets.Store(id, time.Now())
		w.Header().Set("Content-Length", "2")
		_, _ = w.Write([]byte("{}"))
	})
	mux.HandleFunc("GET /v1/tickets/bench/{id}", func(w http.ResponseWriter, r *http.Request) {
		told, ok := tickets.Load(path.Base(r.URL.Path))
		if !ok || time.Since(told.(time.Time)) < by {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if time.Since(began) > warmUp+100*time.Millisecond && shown.Add(1) == int64(enough) {
			close(seen)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), seen
}

func TestProbesTellWhenItIsVisible(t *testing.T) {
	t.Parallel()
	const by = 40 * time.Millisecond
	host, seen := late(t, by, 5)
	sign := func([]byte) http.Header { return http.Header{} }
	p := startProbes(t.Context(), Server{Host: host, Path: "/webhooks/bench", Sign: sign}, 0)
	<-seen
	f, err := p.end()
	if err != nil {
		t.Fatal(err)
	}
	if f.Probes < 4 || f.Asked < 2*f.Probes || f.Visible.P50 < by-10*time.Millisecond {
		t.Errorf("%+v: want some probes that were asked for again and again, for 40ms", f)
	}
}

func TestRebuildFiguresAreMedians(t *testing.T) {
	t.Parallel()
	rebuild := func(took time.Duration, memory int64) Rebuild {
		return Rebuild{Took: took, Memory: memory, CPU: took / 2, Phases: map[string]time.Duration{"filling": took - time.Second}}
	}
	r := RebuildResult{
		Levels: []RebuildLevel{{
			Events: 100_000, Sources: 1,
			Rebuilds:  []Rebuild{rebuild(2*time.Second, 10<<20), rebuild(9*time.Second, 30<<20), rebuild(4*time.Second, 20<<20)},
			Yardstick: []time.Duration{time.Second, 3 * time.Second, time.Second},
		}},
		Readers: &Readers{Readers: 8, Answers: 100, Normal: Latencies{P99: 5 * time.Millisecond}, AtSwitch: 9 * time.Millisecond},
	}
	var table, text bytes.Buffer
	if err := errors.Join(r.WriteTable(&table), r.WriteJSON(&text)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"25000        4.0    1.0   3.00        30     0.00    3.00", "0 errors, 0 steps back", "+4.0 ms beside p99"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, &table)
		}
	}
	for _, want := range []string{`"events_per_second": 25000`, `"ratio": 3`, `"peak_bytes": 31457280`, `"filling": 3`, `"steps_back": 0`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the JSON lacks %s:\n%s", want, &text)
		}
	}
}
