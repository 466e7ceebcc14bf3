package query

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"queuetrack/eventstore"
)

// BenchmarkStream has 200 clients listen while 1,000 events a second are appended, folded and sent: each of them follows one
// of 20 queues, or everything. It reports how long after the append was answered a client had the ticket, and what
// processor time all of this process takes, the clients included.
func BenchmarkStream(b *testing.B) {
	for _, c := range []struct {
		name   string
		load   load
		filter func(client int) string
	}{
		{"one queue each", load{clients: 200, queues: 20, rate: 1000, events: 3000, each: 150}, func(i int) string { return "&queue=" + strconv.Itoa(1+i%20) }},
		{"everything", load{clients: 200, queues: 20, rate: 1000, events: 3000, each: 3000}, func(int) string { return "" }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				c.load.run(b, c.filter)
			}
		})
	}
}

// load is so many events at a rate, over so many queues; each client is to get so many tickets.
type load struct{ clients, queues, rate, events, each int }

func (l load) run(b *testing.B, filter func(int) string) {
	s := newStreaming(b, StreamConfig{Poll: DefaultStreamPoll})
	running, stop := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { _ = s.runner.Run(running) })
	parts.Go(func() { _ = s.log.Run(running) })
	appended := make([]atomic.Int64, l.events)
	late := make([][]time.Duration, l.clients)
	var reading sync.WaitGroup
	for i := range l.clients {
		c := s.open("?source=city"+filter(i), "")
		c.must("heartbeat")
		reading.Go(func() { late[i] = c.latencies(appended, l.each) })
	}
	before, began := processorTime(), time.Now()
	l.send(running, s, appended, began)
	reading.Wait()
	took, spent := time.Since(began), processorTime()-before
	stop()
	parts.Wait()
	all := slices.Concat(late...)
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Milliseconds()), "p99-ms")
	b.ReportMetric(spent.Seconds()/took.Seconds(), "cpus")
	b.ReportMetric(float64(len(all))/took.Seconds(), "tickets/s")
}

// send appends the events, each when it is due.
func (l load) send(ctx context.Context, s *streaming, appended []atomic.Int64, began time.Time) {
	var senders sync.WaitGroup
	const atOnce = 20
	for k := range atOnce {
		senders.Go(func() {
			for n := k; n < l.events; n += atOnce {
				<-time.After(time.Until(began.Add(time.Duration(n) * time.Second / time.Duration(l.rate))))
				id := strconv.Itoa(n)
				body := visitOn("ticket_created", id, "NEW", 1+n%l.queues, "created", "11:00:00")
				_, err := s.log.Append(ctx, "city", eventstore.Delivery{Ticket: id, Type: "ticket_created", ReceivedAt: noon, Body: []byte(body), VerifiedBy: "literal-1"})
				if err != nil {
					s.t.Error(err)
					return
				}
				appended[n].Store(time.Now().UnixNano())
			}
		})
	}
	senders.Wait()
}

// latencies reads until so many tickets have come. It looks for no more than their ids: 200 clients share the processors
// with what is measured.
func (c *client) latencies(appended []atomic.Int64, n int) []time.Duration {
	var all []time.Duration
	for about := ""; len(all) < n; {
		line, err := c.lines.ReadSlice('\n')
		if err != nil {
			c.t.Error(fmt.Errorf("after %d tickets: %w", len(all), err))
			return all
		}
		if name, ok := bytes.CutPrefix(line, []byte("event: ")); ok {
			about = string(name)
		}
		if _, from, ok := bytes.Cut(line, []byte(`"ticket":"`)); ok && about == "ticket\n" {
			digits, _, _ := bytes.Cut(from, []byte(`"`))
			id, err := strconv.Atoi(string(digits))
			if err != nil {
				c.t.Error(err)
				return all
			}
			var late time.Duration // 0: it was here before the append's answer was noted
			if at := appended[id].Load(); at > 0 {
				late = time.Since(time.Unix(0, at))
			}
			all = append(all, late)
		}
	}
	return all
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
