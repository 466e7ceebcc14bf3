package query

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"queuetrack/eventstore"
)

// BenchmarkStream has 200 clients follow 1,000 events a second for some seconds. It reports how long after the append was
// answered the last client had the ticket, and the processor time of everything in this process (the clients too) in seconds a second.
func BenchmarkStream(b *testing.B) {
	const clients, rate, seconds = 200, 1000, 5
	for range b.N {
		s := newStreaming(b, StreamConfig{Poll: DefaultStreamPoll})
		running, stop := context.WithCancel(context.Background())
		var parts sync.WaitGroup
		parts.Go(func() { _ = s.runner.Run(running) })
		parts.Go(func() { _ = s.log.Run(running) })
		appended := sync.Map{}
		taken := make([][]time.Duration, clients)
		var reading sync.WaitGroup
		for i := range clients {
			c := s.open("?source=city", "")
			c.must("heartbeat")
			reading.Go(func() { taken[i] = latencies(c, &appended, rate*seconds) })
		}
		var before, after syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
		began := time.Now()
		var senders sync.WaitGroup
		const atOnce = 20
		for k := range atOnce {
			senders.Go(func() {
				for n := k; n < rate*seconds; n += atOnce {
					<-time.After(time.Until(began.Add(time.Duration(n) * time.Second / rate)))
					id := fmt.Sprint(n)
					body := visitOn("ticket_created", id, "NEW", 1+n%50, "created", "11:00:00")
					if _, err := s.log.Append(running, "city", eventstore.Delivery{Ticket: id, Type: "ticket_created", ReceivedAt: noon, Body: []byte(body), VerifiedBy: "literal-1"}); err != nil {
						b.Error(err)
						return
					}
					appended.Store(id, time.Now())
				}
			})
		}
		senders.Wait()
		reading.Wait()
		took := time.Since(began)
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
		stop()
		parts.Wait()
		all := slices.Concat(taken...)
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2].Milliseconds()), "p50-ms")
		b.ReportMetric(float64(all[len(all)*99/100].Milliseconds()), "p99-ms")
		cpu := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
		b.ReportMetric(cpu.Seconds()/took.Seconds(), "cpus")
		b.ReportMetric(float64(len(all))/took.Seconds(), "messages/s")
	}
}

// latencies reads until n tickets have come.
func latencies(c *client, appended *sync.Map, n int) []time.Duration {
	var all []time.Duration
	for len(all) < n {
		e, err := c.next()
		if err != nil {
			c.t.Error(err)
			return all
		}
		if e.name != "ticket" {
			continue
		}
		var late time.Duration // 0: it was here before the append's answer was noted
		if at, ok := appended.Load(e.fields["ticket"]); ok {
			late = time.Since(at.(time.Time))
		}
		all = append(all, late)
	}
	return all
}
