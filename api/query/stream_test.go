package query

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"queuetrack/api"
	"queuetrack/projection"
)

// streaming is a world behind a real server.
type streaming struct {
	*world
	door  *Door
	url   string
	reg   *prometheus.Registry
	end   context.CancelFunc
	ended chan struct{} // the hub has
}

func newStreaming(t testing.TB, c StreamConfig) *streaming {
	w := newWorld(t)
	if c.Poll == 0 {
		c.Poll = 5 * time.Millisecond
	}
	c.Logger = slog.New(slog.DiscardHandler)
	reg := prometheus.NewRegistry()
	c.Metrics = reg
	w.cfg.Stream = c
	s := &streaming{world: w, reg: reg, door: New(w.reader, w.log, w.cfg), ended: make(chan struct{})}
	router := api.NewRouter(slog.New(slog.DiscardHandler))
	s.door.Mount(router)
	server := httptest.NewUnstartedServer(router)
	// Shorter than any of these tests' streams lives: they must not end one.
	server.Config.ReadTimeout, server.Config.WriteTimeout = 300*time.Millisecond, 300*time.Millisecond
	server.Start()
	s.url = server.URL
	ctx, cancel := context.WithCancel(context.Background())
	s.end = cancel
	go func() {
		defer close(s.ended)
		_ = s.door.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-s.ended
		server.Close()
	})
	return s
}

// measured is a gauge's or a counter's value.
func (s *streaming) measured(name string) float64 {
	s.t.Helper()
	families, err := s.reg.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	s.t.Fatalf("no metric %s", name)
	return 0
}

// received is one event of a stream.
type received struct {
	name, id, data string
	fields         map[string]any
}

// client reads a stream.
type client struct {
	t      testing.TB
	body   io.ReadCloser
	lines  *bufio.Reader
	status int
	header http.Header
	cancel context.CancelFunc
}

func (s *streaming) open(query, lastID string) *client {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	s.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+streamPath+query, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if lastID != "" {
		r.Header.Set(headerLastEventID, lastID)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = answer.Body.Close() })
	return &client{t: s.t, body: answer.Body, lines: bufio.NewReader(answer.Body), status: answer.StatusCode, header: answer.Header, cancel: cancel}
}

// next reads one event; io.EOF and the like when the stream has ended.
func (c *client) next() (received, error) {
	var e received
	for {
		line, err := c.lines.ReadString('\n')
		if err != nil {
			return e, err
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data = value
			if err := json.Unmarshal([]byte(value), &e.fields); err != nil {
				return e, fmt.Errorf("%w in %s", err, value)
			}
		case "":
			return e, nil
		}
	}
}

// must reads an event of this name.
func (c *client) must(name string) received {
	c.t.Helper()
	e, err := c.next()
	if err != nil || e.name != name {
		c.t.Fatalf("event %+v, %v; want a %s", e, err, name)
	}
	return e
}

func (c *client) close() {
	c.cancel()
	_ = c.body.Close()
}

func TestStreamTellsWhatChanges(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, StreamConfig{})
	s.deliver(visitOn("ticket_created", "1", "NEW", 37338, "created", "11:00:00"))
	c := s.open("", "")
	first := c.must("heartbeat")
	if first.id != "city:1,store:0" || first.data != `{"positions":{"city":1,"store":0},"generation":0}` {
		t.Errorf("first event %+v", first)
	}
	for name, want := range map[string]string{"Content-Type": "text/event-stream", "X-Accel-Buffering": "no", "Cache-Control": "no-cache, no-store"} {
		if got := c.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	s.deliver(visitOn("ticket_called", "1", "CALLED", 37338, "created", "11:00:00", "called", "11:10:00"))
	ticket, queue := c.must("ticket"), c.must("queue")
	if ticket.id != "" || queue.id != "city:2,store:0" {
		t.Errorf("ids %q and %q: the id belongs to the last message of the step", ticket.id, queue.id)
	}
	if diff := cmp.Diff(s.get("/v1/tickets/city/1"), ticket.fields); diff != "" {
		t.Errorf("ticket (-GET +stream):\n%s", diff)
	}
	if diff := cmp.Diff(items(t, s.get("/v1/queues?source=city"))[0], queue.fields); diff != "" {
		t.Errorf("queue (-GET +stream):\n%s", diff)
	}
}

func TestStreamGoesOnAfterAnID(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, StreamConfig{})
	s.deliver(morning()...)
	for name, c := range map[string]*client{
		"header":            s.open("", "city:3"),
		"parameter":         s.open("?last_event_id=city:3", ""),
		"header goes first": s.open("?last_event_id=city:1", "city:3,store:0"),
	} {
		if first := c.must("heartbeat"); first.id != "city:3,store:0" {
			t.Errorf("%s: begins at %q", name, first.id)
		}
		seen := map[string]bool{}
		for e := (received{}); e.id == ""; {
			var err error
			if e, err = c.next(); err != nil {
				t.Fatal(err)
			}
			seen[fmt.Sprint(e.name, " ", e.fields["ticket"], e.fields["queue"])] = true
			if e.id != "" && e.id != "city:9,store:0" {
				t.Errorf("%s: ends at %q", name, e.id)
			}
		}
		want := map[string]bool{"ticket 237338": true, "ticket 337338": true, "ticket 437339": true, "queue <nil>37338": true, "queue <nil>37339": true}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A client of one queue has to learn that a ticket has left it, and is not told of others.
func TestStreamOfAQueueTellsWhoLeft(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, StreamConfig{})
	s.deliver(visitOn("ticket_created", "1", "NEW", 1, "created", "11:00:00"))
	from := s.open("?queue=1&source=city", "")
	if id := from.must("heartbeat").id; id != "city:1" {
		t.Errorf("id %q: a stream of one source promises nothing of others", id)
	}
	s.deliver(
		visitOn("ticket_created", "2", "NEW", 2, "created", "11:00:00"),
		visitOn("ticket_changed", "1", "NEW", 2, "created", "11:00:00"),
		visitOn("ticket_changed", "1", "NEW", 3, "created", "11:00:00"),
	)
	for _, c := range []*client{from, s.open("?queue=1", "city:1")} {
		if c != from {
			c.must("heartbeat")
		}
		if e := c.must("ticket"); e.fields["ticket"] != "1" || e.fields["queue"] != "3" {
			t.Errorf("ticket %v", e.fields)
		}
		if e := c.must("queue"); e.fields["queue"] != "1" || e.fields["waiting"] != 0.0 || !strings.HasPrefix(e.id, "city:4") {
			t.Errorf("queue %v, id %s", e.fields, e.id)
		}
	}
}

func TestStreamBeats(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, StreamConfig{Heartbeat: 20 * time.Millisecond})
	c := s.open("?queue=none", "")
	if c.must("heartbeat").id != "city:0,store:0" {
		t.Error("not at the present")
	}
	s.deliver(visitOn("ticket_created", "1", "NEW", 1, "created", "11:00:00"))
	for id := ""; id != "city:1,store:0"; { // though nothing was for this client
		id = c.must("heartbeat").id
	}
	// Well past the server's timeouts for requests.
	for began := time.Now(); time.Since(began) < time.Second; {
		c.must("heartbeat")
	}
}

func TestStreamEndsWithTheServer(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, StreamConfig{})
	c := s.open("", "")
	c.must("heartbeat")
	s.end()
	if e, err := c.next(); err != io.EOF { //nolint:errorlint // an orderly end, as the reader tells it
		t.Errorf("after the end: %+v, %v", e, err)
	}
	<-s.ended
}

func TestStreamRefusals(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, StreamConfig{AtMost: 1})
	s.deliver(visitOn("ticket_created", "1", "NEW", 1, "created", "11:00:00"))
	for name, one := range map[string]struct {
		query, id string
		status    int
		says      string
	}{
		"unknown source":        {"?source=moon", "", 400, "configured ones"},
		"unknown parameter":     {"?sauce=city", "", 400, "There is no parameter"},
		"source in the id":      {"", "moon:1", 400, "moon"},
		"no id":                 {"", "latest", 400, "last_event_id"},
		"negative":              {"", "city:-1", 400, "last_event_id"},
		"twice":                 {"", "city:1,city:1", 400, "twice"},
		"ahead of what is told": {"", "city:2", 409, "Begin anew"},
	} {
		c := s.open(one.query, one.id)
		body, err := io.ReadAll(c.body)
		if err != nil || c.status != one.status || !strings.Contains(string(body), one.says) {
			t.Errorf("%s: %d %s %v", name, c.status, body, err)
		}
	}
	s.open("", "").must("heartbeat")
	if c := s.open("", ""); c.status != 503 || c.header.Get("Retry-After") != "10" {
		t.Errorf("one too many: %d", c.status)
	}
	for _, method := range []string{http.MethodHead, http.MethodPost, http.MethodDelete} {
		r, err := http.NewRequestWithContext(t.Context(), method, s.url+streamPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != 405 || answer.Header.Get("Allow") != "GET" {
			t.Errorf("%s: %d, allowed %q", method, answer.StatusCode, answer.Header.Get("Allow"))
		}
	}
}

// What a listener does not take is held for it up to a bound; then it is cut, and others go on.
func TestStreamCutsSlowReaders(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, StreamConfig{})
	slow := s.door.hub.join(bookmark{"city": 0})
	const looks = 8 // leaves room for what the hub itself reads
	for range heldSteps - looks {
		s.door.hub.publish(&step{source: "city", size: 1})
	}
	select {
	case <-slow.cut:
		t.Fatal("cut though everything found room")
	default:
	}
	for range looks + 1 {
		s.door.hub.publish(&step{source: "city", size: 1})
	}
	<-slow.cut
	if slow.why != endedSlow {
		t.Errorf("cut because %s", slow.why)
	}
	large := s.door.hub.join(bookmark{"city": 0})
	s.door.hub.publish(&step{source: "city", size: heldBytes + 1}) // the first may be of any size
	s.door.hub.publish(&step{source: "city", size: 1})
	<-large.cut
	other := s.open("", "")
	other.must("heartbeat")
	s.deliver(visitOn("ticket_created", "1", "NEW", 1, "created", "11:00:00"))
	other.must("ticket")
	if got := s.measured("queuetrack_streams_open"); got != 1 {
		t.Errorf("%v streams open, want 1", got)
	}
}

// A client whose connection takes nothing is hung up on, whatever the kernel holds for it.
func TestStreamHangsUpOnWhoDoesNotRead(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, StreamConfig{})
	address, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // a test's
	_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", streamPath)
	line := "event: ticket\ndata: \"" + strings.Repeat("x", 1<<20) + "\"\n"
	deadline := time.Now().Add(30 * time.Second)
	for s.measured("queuetrack_streams_cut_total") == 0 {
		if time.Now().After(deadline) {
			t.Fatal("it was never cut")
		}
		s.door.hub.mu.Lock()
		for l := range s.door.hub.listeners {
			if !l.push(&step{source: "city", messages: []message{{last: 1, data: []byte(line), revived: true}}, size: len(line)}) {
				s.door.hub.cutOff(l, endedSlow)
			}
		}
		s.door.hub.mu.Unlock()
		<-time.After(time.Millisecond)
	}
}

// Rows that change behind the checkpoint are told too: to those who listen, and to those who come back.
func TestStreamTellsOfTheRevived(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, StreamConfig{})
	poison := strings.Replace(visitOn("ticket_created", "7", "NEW", 1, "created", "11:00:00"), "Mari", "poison", 1)
	s.deliver(poison, visitOn("ticket_called", "7", "CALLED", 1, "created", "11:00:00", "called", "11:05:00"))
	c := s.open("", "")
	id := c.must("heartbeat").id
	if _, err := s.runner.Dismiss(t.Context(), "city", 1, noon); err != nil {
		t.Fatal(err)
	}
	if e := c.must("ticket"); e.fields["ticket"] != "7" || e.fields["status"] != "called" {
		t.Errorf("ticket %v", e.fields)
	}
	again := s.open("", id)
	again.must("heartbeat")
	if e := again.must("ticket"); e.fields["ticket"] != "7" {
		t.Errorf("ticket %v", e.fields)
	}
}

// The streams go on in the next generation, and are told that there is one.
func TestStreamSurvivesASwitch(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, StreamConfig{})
	s.deliver(morning()...)
	c := s.open("", "")
	c.must("heartbeat")
	if _, err := s.rebuilder().Rebuild(t.Context(), func(projection.Rebuilding) {}); err != nil {
		t.Fatal(err)
	}
	if e := c.must("heartbeat"); e.fields["generation"] != 1.0 || e.id != "city:9,store:0" {
		t.Errorf("after the switch: %+v", e)
	}
	s.deliver(visitOn("ticket_called", "2", "CALLED", 37338, "created", "11:00:00", "called", "11:50:00"))
	if e := c.must("ticket"); e.fields["status"] != "called" {
		t.Errorf("ticket %v", e.fields)
	}
}
