package ingest

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"slices"
	"testing"
)

// slow opens a delivery of the source that claims to be large, and sends one byte of it. It returns when the door has
// begun to read it; await then returns the status of the answer.
func slow(t *testing.T, address, name, length string) (await func() int) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	fmt.Fprintf(conn, "POST /webhooks/%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n%s\r\n\r\n", name, length)
	read := bufio.NewReader(conn)
	for _, want := range []string{"HTTP/1.1 100 Continue\r\n", "\r\n"} {
		if got, err := read.ReadString('\n'); err != nil || got != want {
			t.Fatalf("the door does not read: %q %v", got, err)
		}
	}
	fmt.Fprint(conn, "1\r\n{")
	return func() int {
		answer, err := http.ReadResponse(read, nil)
		if err != nil {
			t.Error(err)
			return 0
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
}

// Whoever knows a source's name can send slowly: neither the others' deliveries nor the source's own are refused for it.
func TestSlowSendersShutNobodyOut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cfg    Config
		length string
	}{
		"deliveries":        {Config{MaxInFlight: 4}, "Content-Length: 1048576"},
		"bytes":             {Config{MaxInFlightBytes: 4 * firstRead}, "Content-Length: 1048576"},
		"bytes, chunked":    {Config{MaxInFlightBytes: 4 * firstRead}, "Transfer-Encoding: chunked"},
		"deliveries, small": {Config{MaxInFlight: 4}, "Content-Length: 100"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := &fakeLog{}
			server := start(t, log, c.cfg)
			slow(t, server.Listener.Addr().String(), "store", "Content-Length: 10")
			var answers []func() int
			for range 12 {
				answers = append(answers, slow(t, server.Listener.Addr().String(), "city", c.length))
			}
			for range 3 {
				if got := send(t, request(t, server.URL, created)); got.status != 200 {
					t.Errorf("among slow senders a delivery gets %+v", got)
				}
			}
			if status := answers[0](); status != http.StatusServiceUnavailable {
				t.Errorf("the first slow sender gets %d, want 503", status)
			}
			if kept, rejected := log.seen(); len(kept) != 3 || rejected["store rejected busy"] != 0 {
				t.Errorf("kept %d, rejected %v, want 3, and the one sender of the other source left alone", len(kept), rejected)
			}
		})
	}
}

func TestTheOldestOfTheHeaviestSourceGivesWay(t *testing.T) {
	t.Parallel()
	r := &room{deliveries: 4, bytes: 100}
	var cut []string
	enter := func(name, source string, bytes int64) *place {
		t.Helper()
		p, ok := r.enter(source, bytes, func() { cut = append(cut, name) })
		if !ok {
			t.Fatalf("no room for %s", name)
		}
		return p
	}
	s1, c1, c2 := enter("s1", "store", 10), enter("c1", "city", 10), enter("c2", "city", 10)
	enter("c3", "city", 10)
	s2 := enter("s2", "store", 10) // the fifth delivery
	if want := []string{"c1"}; !slices.Equal(cut, want) {
		t.Fatalf("cut %v, want %v", cut, want)
	}
	if c1.arrived() || c1.grow(1) {
		t.Error("a place that gave way is still held")
	}
	c1.leave()
	if n, bytes := r.inFlight(); n != 4 || bytes != 40 {
		t.Errorf("in flight %d, %d bytes, want 4 and 40", n, bytes)
	}
	if !s1.arrived() || !s1.grow(50) {
		t.Error("there is room to grow")
	}
	if !s2.grow(30) { // city holds 20, store's other one is whole
		t.Error("no room among those that are arriving")
	}
	if want := []string{"c1", "c2", "c3"}; !slices.Equal(cut, want) {
		t.Errorf("cut %v, want %v", cut, want)
	}
	if s2.grow(1) || s1.grow(41) { // s2 is the only one left to give way; s1 then holds 60 of 100
		t.Error("it grew beyond the room")
	}
	for _, p := range []*place{s1, s2, c2} {
		p.leave()
	}
	if n, bytes := r.inFlight(); n != 0 || bytes != 0 {
		t.Errorf("left behind %d, %d bytes", n, bytes)
	}
}

// Bodies that have arrived give way to nobody.
func TestWhatHasArrivedKeepsItsPlace(t *testing.T) {
	t.Parallel()
	r := &room{deliveries: 1, bytes: 10}
	p, ok := r.enter("city", 5, func() { t.Error("cut") })
	if !ok || !p.arrived() {
		t.Fatal("no room")
	}
	if _, ok := r.enter("store", 1, nil); ok {
		t.Error("two deliveries where one may be")
	}
	p.leave()
	if _, ok := r.enter("store", 11, nil); ok {
		t.Error("more bytes than may be")
	}
	if n, bytes := r.inFlight(); n != 0 || bytes != 0 {
		t.Errorf("left behind %d, %d bytes", n, bytes)
	}
}
