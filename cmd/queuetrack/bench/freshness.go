package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sync/errgroup"
)

// Freshness is how long it takes from the answer to a webhook until its event is visible through the API.
type Freshness struct {
	Visible Latencies // of the probes
	Probes  int64
	Asked   int64 // how often the API was asked for them: the probing's own load
}

// A probe is the first webhook of a new ticket; then the API is asked for the ticket until it knows it. Probes go over
// connections of their own, and are few beside the load.
const (
	probeConnections = 5
	probesPerSecond  = 20.0
	askEvery         = 5 * time.Millisecond
	askParts         = 10          // later, when a tenth of the time has gone by once more: that is how exact it is
	firstProbe       = 900_000_000 // the first visitor's number, far from the load's
)

// probes are the probing of a server.
type probes struct {
	stop  context.CancelFunc
	group *errgroup.Group
	all   []*probe
}

type probe struct {
	host   string
	client *http.Client
	counts *watch // only what became visible while it watches
	asked  atomic.Int64
}

// startProbes probes until it is stopped, and counts what becomes visible after the warm-up.
func startProbes(ctx context.Context, s Server, number int64) *probes {
	ctx, stop := context.WithCancel(ctx)
	group, ctx := errgroup.WithContext(ctx)
	p := &probes{stop: stop, group: group}
	began := time.Now()
	for i := range probeConnections {
		one := &probe{
			host: s.Host, client: &http.Client{Timeout: answerTime, Transport: &http.Transport{MaxIdleConnsPerHost: 1}},
			counts: &watch{from: began.Add(warmUp), to: began.Add(time.Hour), seen: hdrhistogram.New(1, longest, digits)},
		}
		p.all = append(p.all, one)
		visits := &visits{next: firstProbe + number + int64(i), stride: probeConnections, crowd: 1 << 30, began: began}
		group.Go(func() error {
			defer one.client.CloseIdleConnections()
			return one.run(ctx, s, visits, began, i)
		})
	}
	return p
}

// probesIn is how many numbers probes may use up in a time.
func probesIn(d time.Duration) int64 { return int64(2*probesPerSecond*d.Seconds()) + probeConnections }

// end stops the probing and says what it found.
func (p *probes) end() (Freshness, error) {
	p.stop()
	if err := p.group.Wait(); err != nil {
		return Freshness{}, err
	}
	var f Freshness
	all := hdrhistogram.New(1, longest, digits)
	for _, one := range p.all {
		all.Merge(one.counts.seen)
		f.Asked += one.asked.Load()
	}
	f.Visible, f.Probes = latencies(all), all.TotalCount()
	return f, nil
}

// run probes at its part of the rate until ctx ends.
func (p *probe) run(ctx context.Context, s Server, v *visits, began time.Time, nth int) error {
	w, err := openWebhook(ctx, s.Host, s.Path, s.Sign, v, time.Hour)
	if err != nil {
		return err
	}
	defer w.close()
	due := paced(probeConnections, probesPerSecond)
	for n := 0; sleepUntil(ctx, began.Add(due(nth, n))) && ctx.Err() == nil; n++ {
		row := v.row()
		if err := w.post(row.Body); err != nil {
			return err
		}
		if err := p.await(ctx, row.Ticket, time.Now()); err != nil {
			return err
		}
	}
	return nil
}

// await asks for the ticket until it is there, more and more seldom.
func (p *probe) await(ctx context.Context, ticket string, answered time.Time) error {
	url := fmt.Sprintf("http://%s/v1/tickets/%s/%s", p.host, Source, ticket)
	for {
		p.asked.Add(1)
		status, err := ask(ctx, p.client, url)
		now := time.Now()
		switch waited := now.Sub(answered); {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case status == http.StatusOK:
			return p.counts.note(answered, now)
		case status != http.StatusNotFound || waited > answerTime:
			return fmt.Errorf("the server answers %d to who asks for ticket %s, %s after it was told of it", status, ticket, waited)
		default:
			sleepUntil(ctx, now.Add(max(askEvery, waited/askParts)))
		}
	}
}

// ask returns the status of an answer.
func ask(ctx context.Context, client *http.Client, url string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}
