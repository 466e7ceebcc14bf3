//go:build linux

package faults

import (
	"net/http"
	"sync"
	"testing"
	"time"
)

const (
	slowSenders = 200
	idlers      = 500 // that say nothing, and as many after a request
	// bodyWithin and headerWithin are the README's deadlines, and what a busy machine may add.
	bodyWithin   = 10*time.Second + 5*time.Second
	headerWithin = 5*time.Second + 5*time.Second
)

// Senders that give a byte a second, that stop in mid-body, and connections that say nothing: the others are served as
// ever, and the slow ones are told to go within the deadlines.
func TestSlowSendersAndIdleConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := startLoad(t, w, chance(t), 0)
	before := l.ordinary(t, firsts(city, 1, 30))
	var group sync.WaitGroup
	for i := range slowSenders {
		for _, byteASecond := range []bool{true, false} {
			group.Go(func() { crawl(t, w, life(city, 4*ticketsEach+i, time.Now())[0], byteASecond) })
		}
	}
	for range idlers {
		group.Go(func() { silence(t, w) })
	}
	for range idlers {
		c := w.newWire()
		defer c.hangUp()
		if r := c.ask([]byte("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")); r.status != http.StatusOK {
			t.Fatalf("/livez among slow senders: %d", r.status)
		}
	}
	during := append(firsts(city, 1000, 50), firsts(crm, 1000, 50)...)
	if took := l.ordinary(t, during); took > 5*before+ordinarySlack {
		t.Errorf("among slow senders a delivery takes %v, without them %v", took, before)
	} else {
		t.Logf("a delivery takes %v among slow senders, %v without them", took, before)
	}
	group.Wait()
	w.boundMemory()
	check(t, l)
}

// crawl sends a delivery's headers and half of its body, and then a byte a second or nothing, until it is answered or
// hung up on.
func crawl(t *testing.T, w *world, d delivery, byteASecond bool) {
	c := w.newWire()
	if err := c.dial(); err != nil {
		t.Errorf("a slow sender is not let in: %v", err)
		return
	}
	defer c.hangUp()
	began := time.Now()
	request, body := w.packet(d)
	half := body + len(d.body)/2
	_, _ = c.conn.Write(request[:half])
	conn, answered := c.conn, make(chan reply, 1)
	go func() { answered <- c.answer() }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case r := <-answered:
			if r.status != http.StatusRequestTimeout && r.status != http.StatusServiceUnavailable && r.status != 0 {
				t.Errorf("a slow sender was answered %d", r.status)
			}
			if took := time.Since(began); took > bodyWithin {
				t.Errorf("a slow sender was held for %v", took)
			}
			return
		case <-tick.C:
			if byteASecond && half < len(request)-1 {
				_, _ = conn.Write(request[half : half+1])
				half++
			}
		}
	}
}

// silence connects, says nothing, and waits to be hung up on.
func silence(t *testing.T, w *world) {
	c := w.newWire()
	if err := c.dial(); err != nil {
		t.Errorf("a silent client is not let in: %v", err)
		return
	}
	defer c.hangUp()
	began := time.Now()
	_, err := c.read.ReadByte()
	if took := time.Since(began); err == nil || took > headerWithin {
		t.Errorf("a silent client was held for %v: %v", took, err)
	}
}
