package projection

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// awaitPatience is how long Await waits.
	awaitPatience = 2 * time.Second
	// awaitPoll is what lies between two looks at the checkpoints, however many wait.
	awaitPoll = 15 * time.Millisecond
	// awaitLook bounds one look.
	awaitLook = time.Second
)

// BehindError means that Await waited in vain.
type BehindError struct {
	Want   map[string]int64
	Folded map[string]int64 // of the sources in Want, at the end
	Gained map[string]int64 // while it was waited for
}

// Error implements error. It tells how far each source is.
func (e *BehindError) Error() string {
	var parts []string
	for _, source := range slices.Sorted(maps.Keys(e.Want)) {
		if missing := e.Want[source] - e.Folded[source]; missing > 0 {
			parts = append(parts, fmt.Sprintf("%s is folded through %d, %d short of %d", source, e.Folded[source], missing, e.Want[source]))
		}
	}
	return strings.Join(parts, "; ")
}

// RetryAfter is when it would have come, had it gone on like that: at least a second, at most a minute.
func (e *BehindError) RetryAfter() time.Duration {
	after := time.Second
	for source, position := range e.Want {
		missing := float64(position - e.Folded[source])
		if missing <= 0 {
			continue
		}
		if rate := float64(e.Gained[source]) / awaitPatience.Seconds(); rate*time.Minute.Seconds() > missing {
			after = max(after, time.Duration(missing/rate*float64(time.Second)))
		} else if rate > 0 {
			after = time.Minute
		}
	}
	return after
}

// Await waits until the serving generation has folded each of these sources through its position, for two seconds at
// most: then it is a *BehindError. It returns the checkpoints as they were seen: later views are as far, at least.
//
// Any number may wait at the cost of one: they share their looks at the checkpoints, which are awaitPoll apart.
func (r *Reader) Await(ctx context.Context, want map[string]int64) (Checkpoints, error) {
	var first Checkpoints
	give := time.NewTimer(awaitPatience)
	defer give.Stop()
	for began := false; ; began = true {
		look := r.looks.next(r.look)
		select {
		case <-look.done:
		case <-ctx.Done():
			return Checkpoints{}, fmt.Errorf("wait for the checkpoints: %w", ctx.Err())
		}
		if look.err != nil {
			return Checkpoints{}, look.err
		}
		if !began {
			first = look.seen
		}
		if source, _ := look.seen.behind(want); source == "" {
			return look.seen, nil
		}
		select {
		case <-give.C:
			return look.seen, behindError(want, first, look.seen)
		default:
		}
	}
}

func behindError(want map[string]int64, first, last Checkpoints) error {
	e := &BehindError{Want: want, Folded: map[string]int64{}, Gained: map[string]int64{}}
	for source := range want {
		e.Folded[source] = last.Positions[source]
		e.Gained[source] = last.Positions[source] - first.Positions[source]
	}
	return e
}

// look reads the checkpoints for all who wait: no one's request ends it.
func (r *Reader) look() (Checkpoints, error) {
	ctx, cancel := context.WithTimeout(context.Background(), awaitLook)
	defer cancel()
	return r.Checkpoints(ctx)
}

// looks are the shared looks at the checkpoints, one after the other.
type looks struct {
	mu      sync.Mutex
	pending *look // not begun yet: whoever comes now shares it, and what it sees is not older than their coming
	last    time.Time
}

// look is one look at the checkpoints.
type look struct {
	done chan struct{} // closed when seen and err are there
	seen Checkpoints
	err  error
}

// next returns the next look to begin. At most one waits to begin, and none begins within awaitPoll of the one before.
func (l *looks) next(see func() (Checkpoints, error)) *look {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending == nil {
		l.pending = &look{done: make(chan struct{})}
		time.AfterFunc(time.Until(l.last.Add(awaitPoll)), func() { l.run(see) })
	}
	return l.pending
}

func (l *looks) run(see func() (Checkpoints, error)) {
	l.mu.Lock()
	now := l.pending
	l.pending, l.last = nil, time.Now()
	l.mu.Unlock()
	now.seen, now.err = see()
	close(now.done)
}
