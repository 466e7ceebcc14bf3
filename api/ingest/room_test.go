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
		"deliveries":        {Config{MaxInFlight: 8}, "Content-Length: 1048576"},
		"bytes":             {Config{MaxInFlightBytes: 8 * firstRead}, "Content-Length: 1048576"},
		"bytes, chunked":    {Config{MaxInFlightBytes: 8 * firstRead}, "Transfer-Encoding: chunked"},
		"deliveries, small": {Config{MaxInFlight: 8}, "Content-Length: 100"},
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

// enterer enters places into the room by name, and notes which of them are cut.
func enterer(t *testing.T, r *room, cut *[]string) func(name, source string, bytes int64) *place {
	return func(name, source string, bytes int64) *place {
		t.Helper()
		p, ok := r.enter(source, bytes, func() { *cut = append(*cut, name) })
		if !ok {
			t.Fatalf("no room for %s", name)
		}
		return p
	}
}

func TestTheLazyOfTheHeaviestSourceGiveWay(t *testing.T) {
	t.Parallel()
	r := &room{deliveries: 9, bytes: 200}
	var cut []string
	enter := enterer(t, r, &cut)
	c1, c2, c3 := enter("c1", "city", 10), enter("c2", "city", 10), enter("c3", "city", 10)
	if !c1.grow(10) { // c2 has not grown for longest
		t.Fatal("no room to grow")
	}
	enter("c4", "city", 10)
	s1 := enter("s1", "store", 10)
	enter("s2", "store", 10) // the sixth delivery: store holds two, three are free
	enter("s3", "store", 10) // a third one leaves too little, and city holds the most
	if want := []string{"c2"}; !slices.Equal(cut, want) {
		t.Fatalf("cut %v, want %v", cut, want)
	}
	if c2.arrived() || c2.grow(1) {
		t.Error("a place that gave way is still held")
	}
	c2.leave()
	if n, bytes := r.inFlight(); n != 6 || bytes != 70 {
		t.Errorf("in flight %d, %d bytes, want 6 and 70", n, bytes)
	}
	if !s1.grow(40) { // store would hold 70 of 200, and leave 90 free
		t.Error("there is room to grow")
	}
	if !c3.arrived() || !s1.grow(20) { // more than is left free; s2 and s3 are its source's, and that is the heaviest
		t.Error("no room among those that are arriving")
	}
	if want := []string{"c2", "s2"}; !slices.Equal(cut, want) {
		t.Errorf("cut %v, want %v", cut, want)
	}
}

// A source that holds much is refused rather than let in at the cost of one that holds little.
func TestNobodyGivesWayToAHeavierSource(t *testing.T) {
	t.Parallel()
	r := &room{deliveries: 4, bytes: 100}
	var cut []string
	enter := enterer(t, r, &cut)
	for _, p := range []*place{enter("c1", "city", 10), enter("c2", "city", 10)} {
		p.arrived()
	}
	s1 := enter("s1", "store", 10)
	if _, ok := r.enter("city", 10, nil); ok {
		t.Error("city holds more than it leaves free")
	}
	if len(cut) != 0 || !s1.arrived() {
		t.Errorf("cut %v, want nobody", cut)
	}
}

// However many sources there are, and whatever each is sent: there is room for one more.
func TestNoSourceTakesTheWholeRoom(t *testing.T) {
	t.Parallel()
	r := &room{deliveries: 1 << 10, bytes: 1 << 20}
	for _, source := range []string{"city", "store", "crm", "town"} {
		n := 0
		for ; ; n++ {
			p, ok := r.enter(source, 10, nil)
			if !ok {
				break
			}
			p.arrived()
		}
		held, _ := r.inFlight()
		if free := r.deliveries - held; n == 0 || n > free || n < free-1 {
			t.Errorf("%s takes %d and leaves %d", source, n, free)
		}
	}
}

// What has arrived gives way to nobody.
func TestWhatHasArrivedKeepsItsPlace(t *testing.T) {
	t.Parallel()
	r := &room{deliveries: 2, bytes: 20}
	p, ok := r.enter("city", 10, func() { t.Error("cut") })
	if !ok || !p.arrived() {
		t.Fatal("no room")
	}
	if _, ok := r.enter("city", 1, nil); ok {
		t.Error("two deliveries of a source where one may be")
	}
	if _, ok := r.enter("store", 6, nil); ok {
		t.Error("more bytes than it leaves free")
	}
	p.leave()
	p.leave()
	if _, ok := r.enter("store", 11, nil); ok {
		t.Error("more bytes than may be")
	}
	if n, bytes := r.inFlight(); n != 0 || bytes != 0 {
		t.Errorf("left behind %d, %d bytes", n, bytes)
	}
}
