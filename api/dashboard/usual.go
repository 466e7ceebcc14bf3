package dashboard

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	// usualWeeks is how far back the usual goes.
	usualWeeks = 8
	// usualLeast is how many must have come in that hour, in all those weeks, for it to be a custom.
	usualLeast = 10
	// usualHeld bounds the queues that are remembered.
	usualHeld = 4096
	// usualTimeout bounds one report.
	usualTimeout = 20 * time.Second
	// usualRetry is how long a report that failed is not asked for again.
	usualRetry = time.Minute
)

// norm is what a queue is like at this hour of this weekday.
type norm struct {
	Waiting *float64 // at a time, on average
	Median  *int64   // of the waits, in seconds
}

// usual tells what queues are like at the present hour of the present weekday, by the wait report of the weeks before. It
// is computed behind the pages, once an hour for each queue that somebody looks at: a page shows it as soon as it is there.
// Safe for concurrent use.
type usual struct {
	ask    func() *rest
	now    func() time.Time
	wanted chan usualKey

	mu    sync.Mutex
	norms map[usualKey]usualNorm
}

// usualKey is a queue, and the hour that it is asked about.
type usualKey struct {
	source, queue, zone string
	hour                int64 // Unix time of its beginning
}

// usualNorm is a norm, or that it is being computed.
type usualNorm struct {
	*norm
	retry time.Time // while norm is nil: when it may be asked for again
}

func newUsual(handler http.Handler, now func() time.Time) *usual {
	return &usual{
		ask: func() *rest { return &rest{handler: handler, now: now} }, now: now,
		wanted: make(chan usualKey, usualHeld), norms: map[usualKey]usualNorm{},
	}
}

// of returns what is usual in the queue now; nil when that isn't known, or not yet.
func (u *usual) of(source, queue string, zone *time.Location) *norm {
	now := u.now()
	local := now.In(zone)
	// Hours begin with the zone's own, which may be off by half an hour.
	key := usualKey{source, queue, zone.String(), now.Add(-time.Duration(local.Minute())*time.Minute - time.Duration(local.Second())*time.Second).Unix()}
	u.mu.Lock()
	defer u.mu.Unlock()
	n, asked := u.norms[key]
	if n.norm != nil || asked && now.Before(n.retry) {
		return n.norm
	}
	if len(u.norms) >= usualHeld {
		clear(u.norms) // of hours gone by, mostly
	}
	select {
	case u.wanted <- key:
		u.norms[key] = usualNorm{retry: now.Add(usualRetry)}
	default: // later
	}
	return nil
}

// run computes what is wanted until ctx ends.
func (u *usual) run(ctx context.Context) {
	for {
		select {
		case key := <-u.wanted:
			if n, err := u.compute(ctx, key); err == nil {
				u.mu.Lock()
				u.norms[key] = usualNorm{norm: n}
				u.mu.Unlock()
			}
		case <-ctx.Done():
			return
		}
	}
}

// compute asks for the report of the weeks before today, and takes the present hour out of it.
func (u *usual) compute(ctx context.Context, key usualKey) (*norm, error) {
	ctx, cancel := context.WithTimeout(ctx, usualTimeout)
	defer cancel()
	zone, err := time.LoadLocation(key.zone)
	if err != nil {
		return nil, err
	}
	now := time.Unix(key.hour, 0).In(zone)
	query := url.Values{
		"source": {key.source}, "queue": {key.queue}, "tz": {key.zone},
		"from": {now.AddDate(0, 0, -7*usualWeeks).Format(time.DateOnly)}, "to": {now.Format(time.DateOnly)},
		"group_by": {"weekday,hour_of_day"}, "include": {"queue_length"},
	}
	var report waitReport
	if err := u.ask().get(ctx, address(query, "v1", "reports", "waits"), 0, &report); err != nil {
		return nil, err
	}
	weekday := (int(now.Weekday())+6)%7 + 1 // Monday is 1
	for _, item := range report.Items {
		if item.Weekday == weekday && item.HourOfDay == now.Hour() && item.Offered >= usualLeast {
			return &norm{Waiting: item.QueueLength.Mean, Median: item.Wait.P50Seconds}, nil
		}
	}
	return &norm{}, nil
}
