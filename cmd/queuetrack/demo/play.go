package demo

import (
	"context"
	"hash/fnv"
	"time"

	"golang.org/x/sync/errgroup"
)

// Player posts a day's deliveries.
type Player struct {
	Post     func(context.Context, Delivery) error
	Now      func() time.Time
	Speed    float64 // how fast the past is told: 60 is a minute a second; 0: as fast as it is answered
	CaughtUp func()  // called once, when the day has reached the present
}

// lanes post at the same time. A ticket's deliveries share a lane, so they keep their order.
const lanes = 16

// Play posts the day until ctx ends or a delivery can't be posted. It returns nil when ctx ended.
func (p Player) Play(ctx context.Context, day *Day) error {
	next := day.Next()
	next, err := p.past(ctx, day, next)
	if err != nil || ctx.Err() != nil {
		return ignoreEnd(ctx, err)
	}
	p.CaughtUp()
	for ; ; next = day.Next() {
		if !sleep(ctx, next.At.Sub(p.Now())) {
			return nil
		}
		if err := p.Post(ctx, next); err != nil {
			return ignoreEnd(ctx, err)
		}
	}
}

// past posts all that was due before now, and returns the first delivery that is not.
func (p Player) past(ctx context.Context, day *Day, next Delivery) (Delivery, error) {
	group, ctx := errgroup.WithContext(ctx)
	var lane [lanes]chan Delivery
	for i := range lane {
		lane[i] = make(chan Delivery, lanes)
		group.Go(func() error { return p.postAll(ctx, lane[i]) })
	}
	for ctx.Err() == nil && next.At.Before(p.Now()) {
		select {
		case lane[laneOf(next)] <- next:
		case <-ctx.Done():
		}
		before := next.At
		next = day.Next()
		if p.Speed > 0 {
			sleep(ctx, time.Duration(float64(next.At.Sub(before))/p.Speed))
		}
	}
	for i := range lane {
		close(lane[i])
	}
	return next, group.Wait()
}

func (p Player) postAll(ctx context.Context, deliveries <-chan Delivery) error {
	for d := range deliveries {
		if err := p.Post(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

func laneOf(d Delivery) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(d.Source + "/" + d.Ticket)) // a hash does not fail
	return int(h.Sum32() % lanes)
}

// sleep waits, and reports false when ctx ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// ignoreEnd takes what failed because ctx ended for the end that it is.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
