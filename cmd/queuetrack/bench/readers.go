package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sync/errgroup"
)

// Readers is what those who read through the API saw while a rebuild ran and webhooks arrived.
type Readers struct {
	Readers   int
	Webhooks  int64 // that arrived meanwhile
	Answers   int64
	Errors    int64  // answers other than 200, and none at all
	Error     string // the first of them
	StepsBack int64  // answers that had folded less of a log than one that somebody had got before they were asked for
	Normal    Latencies
	AtSwitch  time.Duration // the longest of the answers that were under way around the switch
}

// Wait is how much longer somebody waited at the switch than nearly all do at other times; negative: nobody did.
func (r Readers) Wait() time.Duration { return r.AtSwitch - r.Normal.P99 }

// aroundSwitch is how long before and after the switch an answer counts as one around it.
const aroundSwitch = 250 * time.Millisecond

const (
	webhookConnections = 8
	calm               = 2 * time.Second // of reading before the rebuild, and after
)

// MeasureReaders lets readers ask the server one question after the other, while as many webhooks a second arrive as
// given, and rebuilds meanwhile. The log of Source, which the server follows, is one of FillLog's.
func MeasureReaders(ctx context.Context, s Server, rebuild Command, readers int, webhooksPerSecond float64) (Readers, error) {
	if err := s.CaughtUp(ctx); err != nil {
		return Readers{}, err
	}
	c := crowd{host: s.Host, newest: &atomic.Int64{}}
	loading, endLoad := context.WithCancel(ctx)
	defer endLoad()
	group, loading := errgroup.WithContext(loading)
	webhooks := &atomic.Int64{}
	for i := range webhookConnections {
		group.Go(func() error { return keepSending(loading, s, i, webhooksPerSecond, webhooks) })
	}
	seen := make([]*reader, readers)
	for i := range seen {
		seen[i] = &reader{crowd: c, nth: i}
		group.Go(func() error { return seen[i].read(loading) })
	}
	sleepUntil(loading, time.Now().Add(calm))
	var switched time.Time
	rebuilt, err := rebuild.measure(loading, 0, func(phase string, at time.Time) {
		if phase == "switching" {
			switched = at
		}
	})
	if err != nil {
		return Readers{}, err
	}
	ended := time.Now()
	sleepUntil(loading, ended.Add(calm))
	endLoad()
	if err := group.Wait(); err != nil {
		return Readers{}, err
	}
	if switched.IsZero() {
		return Readers{}, fmt.Errorf("the rebuild of %s did not tell of its switch", rebuilt.Took)
	}
	return sum(seen, webhooks.Load(), span{switched.Add(-aroundSwitch), ended.Add(aroundSwitch)})
}

// keepSending posts webhooks at its part of the rate until ctx ends.
func keepSending(ctx context.Context, s Server, nth int, perSecond float64, sent *atomic.Int64) error {
	const long = time.Hour
	v := &visits{next: 10_000_000 + int64(nth), stride: webhookConnections, crowd: 5, began: time.Now()}
	w, err := openWebhook(ctx, s.Host, s.Path, s.Sign, v, long)
	if err != nil {
		return err
	}
	defer w.close()
	began := time.Now()
	watch := &watch{from: began, to: began.Add(long), seen: hdrhistogram.New(1, longest, digits)}
	err = watch.drive(ctx, w.send, began, paced(webhookConnections, perSecond), nth)
	sent.Add(watch.seen.TotalCount())
	return err
}

// crowd is what readers know of each other.
type crowd struct {
	host   string
	newest *atomic.Int64 // the position of Source that somebody has had an answer of
}

// span is a time.
type span struct{ from, to time.Time }

// reader asks one question after the other.
type reader struct {
	crowd
	nth       int
	answers   []span
	errors    int64
	first     string
	stepsBack int64
}

// read asks until ctx ends.
func (r *reader) read(ctx context.Context) error {
	client := &http.Client{Timeout: answerTime, Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	for n := r.nth; ctx.Err() == nil; n++ {
		before, asked := r.newest.Load(), time.Now()
		position, err := askPosition(ctx, client, "http://"+r.host+question(n))
		if ctx.Err() != nil {
			return nil
		}
		r.answers = append(r.answers, span{asked, time.Now()})
		switch {
		case err != nil:
			r.errors++
			if r.first == "" {
				r.first = err.Error()
			}
		case position < before:
			r.stepsBack++
		default:
			raise(r.newest, position)
		}
	}
	return nil
}

// question is what the nth reading asks for: the whole board, one queue's tickets, one ticket.
func question(n int) string {
	switch n % 3 {
	case 0:
		return "/v1/queues"
	case 1:
		return fmt.Sprintf("/v1/queues/%s/%d/tickets", Source, 100+n%queues)
	}
	return fmt.Sprintf("/v1/tickets/%s/%d", Source, firstTicket+1+n%1000)
}

// askPosition asks, and returns how far the answer had folded the log of Source.
func askPosition(ctx context.Context, client *http.Client, url string) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	if answer.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s: the server answered %d", request.URL.Path, answer.StatusCode)
	}
	var told struct{ Positions map[string]int64 }
	if err := json.Unmarshal(body, &told); err != nil {
		return 0, fmt.Errorf("%s: %w", request.URL.Path, err)
	}
	return told.Positions[Source], nil
}

// raise makes a value at least so much.
func raise(value *atomic.Int64, to int64) {
	for now := value.Load(); now < to && !value.CompareAndSwap(now, to); now = value.Load() {
	}
}

// sum puts together what the readers saw.
func sum(seen []*reader, webhooks int64, atSwitch span) (Readers, error) {
	all := Readers{Readers: len(seen), Webhooks: webhooks}
	normal := hdrhistogram.New(1, longest, digits)
	for _, r := range seen {
		all.Answers += int64(len(r.answers))
		all.Errors, all.StepsBack = all.Errors+r.errors, all.StepsBack+r.stepsBack
		if all.Error == "" {
			all.Error = r.first
		}
		for _, a := range r.answers {
			took := a.to.Sub(a.from)
			if a.to.After(atSwitch.from) && a.from.Before(atSwitch.to) {
				all.AtSwitch = max(all.AtSwitch, took)
				continue
			}
			if err := normal.RecordValue(max(1, took.Microseconds())); err != nil {
				return Readers{}, err
			}
		}
	}
	all.Normal = latencies(normal)
	return all, nil
}

// readersFigures is what readers saw, for a program.
type readersFigures struct {
	Readers   int     `json:"readers"`
	Webhooks  int64   `json:"webhooks"`
	Answers   int64   `json:"answers"`
	Errors    int64   `json:"errors"`
	StepsBack int64   `json:"steps_back"`
	P50       float64 `json:"p50_milliseconds"`
	P99       float64 `json:"p99_milliseconds"`
	Longest   float64 `json:"longest_milliseconds"` // but for those around the switch
	AtSwitch  float64 `json:"longest_at_switch_milliseconds"`
}

func (r Readers) figures() readersFigures {
	return readersFigures{
		Readers: r.Readers, Webhooks: r.Webhooks, Answers: r.Answers, Errors: r.Errors, StepsBack: r.StepsBack,
		P50: milliseconds(r.Normal.P50), P99: milliseconds(r.Normal.P99), Longest: milliseconds(r.Normal.Max), AtSwitch: milliseconds(r.AtSwitch),
	}
}

// write tells a person.
func (r Readers) write(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d readers during a rebuild, %d webhooks meanwhile: %d answers, %d errors, %d steps back; p50 %.1f ms, p99 %.1f ms, the longest %.1f ms; "+
		"the longest at the switch %.1f ms, %+.1f ms beside p99\n", r.Readers, r.Webhooks, r.Answers, r.Errors, r.StepsBack,
		milliseconds(r.Normal.P50), milliseconds(r.Normal.P99), milliseconds(r.Normal.Max),
		milliseconds(r.AtSwitch), milliseconds(r.Wait()))
	if err == nil && r.Error != "" {
		_, err = fmt.Fprintf(w, "the first error: %s\n", r.Error)
	}
	return err
}
