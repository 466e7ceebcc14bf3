package eventstore

import "time"

const (
	// crowd is how many deliveries a second of one source are a crowd. No service desk makes so many; a vendor that
	// sends again what piled up does, for a while.
	crowd = 2000
	// paceTime is how long is looked at to tell.
	paceTime = 100 * time.Millisecond
)

// pace is how quickly deliveries come.
type pace struct {
	since     time.Time
	counted   int
	perSecond float64 // in the time before since
}

func (p *pace) count(n int, now time.Time) {
	p.counted += n
	if took := now.Sub(p.since); took >= paceTime {
		*p = pace{since: now, perSecond: float64(p.counted) / took.Seconds()}
	}
}

func (p *pace) crowded(now time.Time) bool {
	return p.perSecond >= crowd && now.Sub(p.since) < 2*paceTime
}

// Crowded reports whether this process gets more than 2,000 deliveries of the source a second, now. Work that can wait
// should leave them most of its time.
func (l *Log) Crowded(source string) bool {
	ln := l.lane(source)
	ln.mu.Lock()
	defer ln.mu.Unlock()
	return ln.pace.crowded(time.Now())
}
