//go:build linux

package faults

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// wire is a sender's own connection: cheaper than an http.Client, and as slow or as rude as a test wants it.
type wire struct {
	address string
	conn    net.Conn // nil: to be made
	read    *bufio.Reader
}

// reply is what a sender was answered.
type reply struct {
	status   int  // 0: no answer
	sent     bool // there was a connection to send it on
	retry    bool
	result   string
	position int64
	took     time.Duration
}

// newWire returns a connection that is made when it is first needed.
func (w *world) newWire() *wire { return &wire{address: strings.TrimPrefix(w.base, "http://")} }

// packet is the whole request of a delivery, and where in it the body begins.
func (w *world) packet(d delivery) (request []byte, body int) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST /webhooks/%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", d.source, len(d.body))
	_ = w.signers[d.source].Sign(d.body).Write(&b)
	b.WriteString("\r\n")
	body = b.Len()
	b.Write(d.body)
	return b.Bytes(), body
}

// dial makes the connection.
func (c *wire) dial() error {
	conn, err := net.DialTimeout("tcp", c.address, longestAnswer)
	if err != nil {
		return err
	}
	c.conn, c.read = conn, bufio.NewReaderSize(conn, 2<<10)
	return conn.SetDeadline(time.Now().Add(2 * longestAnswer))
}

// hangUp closes the connection, if there is one.
func (c *wire) hangUp() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// ask sends a whole request and reads the answer.
func (c *wire) ask(request []byte) reply {
	began := time.Now()
	if c.conn == nil && c.dial() != nil {
		return reply{took: time.Since(began)}
	}
	_ = c.conn.SetDeadline(began.Add(2 * longestAnswer))
	_, _ = c.conn.Write(request) // what went wrong shows when the answer is read; there may be one all the same
	r := c.answer()
	r.took, r.sent = time.Since(began), true
	return r
}

// answer reads one; the connection ends when it says so, or there is none.
func (c *wire) answer() (r reply) {
	resp, err := http.ReadResponse(c.read, nil)
	if err != nil {
		c.hangUp()
		return r
	}
	defer resp.Body.Close()
	var told struct {
		Status   json.RawMessage `json:"status"`
		Position int64           `json:"position"`
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil || json.Unmarshal(text, &told) != nil {
		c.hangUp()
		return r
	}
	if resp.Close {
		c.hangUp()
	}
	return reply{
		status: resp.StatusCode, retry: resp.Header.Get("Retry-After") != "",
		result: strings.Trim(string(told.Status), `"`), position: told.Position,
	}
}

// record takes a sender's answer into the load's books, and reports whether the delivery was taken. One without an
// answer is sent again, as its vendor would.
func (l *load) record(d delivery, r reply) bool {
	l.took(r.took)
	switch {
	case r.status == http.StatusOK:
		l.keep(d, 1, r.result, r.position)
		return true
	case r.status == 0:
		l.mu.Lock()
		l.lost++
		l.mu.Unlock()
		return l.deliver(d)
	case r.status != http.StatusServiceUnavailable || !r.retry:
		l.complain("%s ticket %s: answered %d, Retry-After %v", d.source, d.ticket, r.status, r.retry)
	}
	return false
}

// ordinary is the median time of deliveries made one after the other; each must be taken.
func (l *load) ordinary(t *testing.T, deliveries []delivery) time.Duration {
	t.Helper()
	c := l.w.newWire()
	defer c.hangUp()
	var took []time.Duration
	for _, d := range deliveries {
		request, _ := l.w.packet(d)
		r := c.ask(request)
		if !l.record(d, r) {
			t.Errorf("a lone delivery was answered %d", r.status)
		}
		took = append(took, r.took)
	}
	return quantile(took, 0.5)
}

// firsts are the first deliveries of so many tickets.
func firsts(source string, ticket, n int) []delivery {
	ds := make([]delivery, n)
	for i := range ds {
		ds[i] = life(source, ticket+i, time.Now())[0]
	}
	return ds
}

// peakMemory is the most that the process has ever held, in bytes.
func (w *world) peakMemory() int64 {
	w.t.Helper()
	w.service.mu.Lock()
	pid := w.service.process.Pid
	w.service.mu.Unlock()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		w.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		w.t.Fatal(err)
	}
	return kib << 10
}

// boundMemory fails the test when the process has held too much.
func (w *world) boundMemory() {
	w.t.Helper()
	peak := w.peakMemory()
	w.t.Logf("memory: %d MiB at most", peak>>20)
	if peak > mostMemory {
		w.t.Errorf("it has held %d MiB, more than %d", peak>>20, mostMemory>>20)
	}
}
