package doctor

import (
	"context"
	"fmt"
	"time"

	"queuetrack/eventstore"
	"queuetrack/projection"
	"queuetrack/projection/wait"
)

// Clocks holds what the sources' logs tell of time against each other, and against this machine's clock.
func (s Sources) Clocks(ctx context.Context) ([]Finding, error) {
	var found []Finding
	var newest time.Time
	var by string
	for _, one := range s.Configured {
		l, err := s.Log.Lately(ctx, one.Name, latest)
		if err != nil {
			return found, err
		}
		if l.Newest.After(newest) {
			newest, by = l.Newest, one.Name
		}
		if l.Timed > 0 {
			found = append(found, vendorClock(one.Name, l))
		}
	}
	const tolerated = time.Minute
	if ahead := newest.Sub(s.Now()); ahead > tolerated {
		found = append(found, Finding{
			"this machine's clock", Problem, fmt.Sprintf("the latest webhook of %s was received %s from now: this clock is behind, or another server's was ahead", by, long(ahead)),
			"set the clocks of all servers by NTP; nothing is lost, but waits and 'silent' are told by received_at until then",
		})
	}
	return found, nil
}

// How far a vendor's clock may go ahead, and webhooks come after what they tell.
const (
	clockAhead  = time.Second
	clockBehind = 5 * time.Minute
)

// vendorClock judges how far a vendor's times are from their receipts.
func vendorClock(source string, l eventstore.Lately) Finding {
	f := Finding{"clock of " + source, OK, fmt.Sprintf("its webhooks come %s after what they tell (median of %d)", long(l.Behind), l.Timed), ""}
	const some = 10 // percent
	switch {
	case l.Behind < -clockAhead:
		f.Verdict = Warning
		f.Found = fmt.Sprintf("%s ahead of this machine's (median of %d events)", long(-l.Behind), l.Timed)
		f.Do = "set this machine's clock by NTP, or have the vendor set theirs" + zoneHint(l.Behind)
	case l.Behind > clockBehind:
		f.Verdict = Warning
		f.Do = "see whether deliveries are held up on the way, or the vendor's clock is behind" + zoneHint(l.Behind)
	case l.Ahead*100 > l.Timed*some:
		f.Verdict = Note
		f.Found += fmt.Sprintf("; %d of them before it", l.Ahead)
	}
	return f
}

// zoneHint names the likeliest cause of a difference of whole half hours.
func zoneHint(d time.Duration) string {
	const half, near, furthest = 30 * time.Minute, 2 * time.Minute, 14 * time.Hour
	if off := (d - d.Round(half)).Abs(); d.Round(half) == 0 || off > near || d.Abs() > furthest {
		return ""
	}
	return "; so many whole half hours are most likely a wrong timezone in the configuration"
}

// week is what negative waits are looked for in.
const week = 7 * 24 * time.Hour

// NegativeWaits looks for waits that ended before they began, which only clocks that disagree can tell.
func (s Sources) NegativeWaits(ctx context.Context, reader *projection.Reader) ([]Finding, error) {
	var found []Finding
	for _, one := range s.Configured {
		var report wait.Report
		err := reader.View(ctx, func(v *projection.View) (err error) {
			report, err = wait.Run(ctx, v, wait.Request{Sources: []string{one.Name}, From: s.Now().Add(-week), To: s.Now(), Zone: one.Zone, Formula: wait.F1})
			return err
		})
		if err != nil {
			return found, err
		}
		for _, i := range report.Items {
			if n := i.Excluded["negative_wait"]; n > 0 {
				found = append(found, Finding{
					"waits of " + one.Name, Warning, fmt.Sprintf("%d of %d in the last 7 days ended before they began, and are left out of statistics", n, i.Offered),
					"several of the vendor's machines disagree about the time: have the vendor set their clocks",
				})
			}
		}
	}
	return found, nil
}
