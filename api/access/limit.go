package access

import (
	"container/list"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limits bound how often each of many may do something, and how many of them are remembered: the one that has done
// nothing for longest is forgotten first. Safe for concurrent use.
type limits struct {
	rate  rate.Limit
	burst int
	most  int

	mu    sync.Mutex
	by    map[string]*list.Element
	order list.List // of *limit; front: the latest
}

type limit struct {
	who string
	*rate.Limiter
}

func newLimits(perSecond float64, burst, most int) *limits {
	return &limits{rate: rate.Limit(perSecond), burst: burst, most: most, by: map[string]*list.Element{}}
}

// take counts one more, if there is room for it, and else returns when there will be.
func (l *limits) take(who string, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.find(who)
	if one == nil {
		one = l.add(who)
	}
	if one.AllowN(now, 1) {
		return 0
	}
	return l.wait(one, now)
}

// full returns when there will be room for one more, and counts nothing; 0: there is.
func (l *limits) full(who string, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one := l.find(who); one != nil {
		return l.wait(one, now)
	}
	return 0
}

func (l *limits) wait(one *limit, now time.Time) time.Duration {
	missing := 1 - one.TokensAt(now)
	return max(0, time.Duration(missing/float64(l.rate)*float64(time.Second)))
}

func (l *limits) find(who string) *limit {
	e, ok := l.by[who]
	if !ok {
		return nil
	}
	l.order.MoveToFront(e)
	one, _ := e.Value.(*limit)
	return one
}

func (l *limits) add(who string) *limit {
	if l.order.Len() >= l.most {
		oldest, _ := l.order.Remove(l.order.Back()).(*limit)
		delete(l.by, oldest.who)
	}
	one := &limit{who, rate.NewLimiter(l.rate, l.burst)}
	l.by[who] = l.order.PushFront(one)
	return one
}
