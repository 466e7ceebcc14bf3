package eventstore

import "time"

const (
	// So many deliveries a second of one source are a crowd, when they come together: a flight carries crowdTogether of
	// them, for those who come while one is out wait for the next. (Steady load far below what a machine can take comes
	// a few at a time, however many a second that makes.) No service desk makes so many; a vendor that sends again what
	// piled up does, for a while.
	crowd         = 2000
	crowdTogether = 16
	// paceTime is how long is looked at to tell.
	paceTime = 100 * time.Millisecond
)

// pace is how quickly deliveries come, and how many at a time.
type pace struct {
	since            time.Time
	counted, flights int
	perSecond        float64 // in the time before since
	together         float64
}

func (p *pace) count(n int, now time.Time) {
	p.counted += n
	p.flights++
	if took := now.Sub(p.since); took >= paceTime {
		*p = pace{since: now, perSecond: float64(p.counted) / took.Seconds(), together: float64(p.counted) / float64(p.flights)}
	}
}

func (p *pace) crowded(now time.Time) bool {
	return p.perSecond >= crowd && p.together >= crowdTogether && now.Sub(p.since) < 2*paceTime
}

// Crowded reports whether this process gets more than 2,000 deliveries of the source a second now, and they queue up.
// Work that can wait should leave them most of its time.
func (l *Log) Crowded(source string) bool {
	ln := l.lane(source)
	ln.mu.Lock()
	defer ln.mu.Unlock()
	return ln.pace.crowded(time.Now())
}
