package wait

// counts are what is counted of a place's segments.
type counts struct {
	outcomes [outcomes]int64

	wait, abandonedWait, service  spread
	servedWithin, abandonedWithin int64
	calls                         Calls

	negativeWait, negativeService, selfRegistered int64
}

// add counts a segment. What counts for what is in metrics.md ("excluded"): a negative wait and a self-registered ticket
// leave the statistics, and none of the counts.
func (c *counts) add(s sample, threshold int64) {
	c.outcomes[s.outcome]++
	if s.called {
		c.calls.Called++
		c.calls.Recalls += s.recalls
		if s.recalls > 0 {
			c.calls.Recalled++
		}
	}
	within := s.wait != none && s.wait <= threshold
	if s.outcome == abandoned && within {
		c.abandonedWithin++
	}
	if s.selfRegistered {
		c.selfRegistered++
		return
	}
	switch {
	case s.wait == none:
	case s.wait < 0:
		c.negativeWait++
	case s.called:
		c.wait.add(s.wait)
		if s.outcome == served && within {
			c.servedWithin++
		}
	case s.outcome == abandoned:
		c.abandonedWait.add(s.wait)
	}
	switch {
	case s.service == none:
	case s.service < 0:
		c.negativeService++
	case s.outcome == served:
		c.service.add(s.service)
	}
}

// measures are what a report tells.
func (c *counts) measures(r Request) Measures {
	m := Measures{
		Served: c.outcomes[served], Abandoned: c.outcomes[abandoned], NoShow: c.outcomes[noShow], Cancelled: c.outcomes[cancelled],
		Returned: c.outcomes[returned], Transferred: c.outcomes[transferred], Expired: c.outcomes[expired], Merged: c.outcomes[merged],
		Open: c.outcomes[open],
		Wait: c.wait.stats(r.Percentiles), AbandonedWait: c.abandonedWait.stats(r.Percentiles), Service: c.service.stats(r.Percentiles),
		ServedWithin: c.servedWithin, AbandonedWithin: c.abandonedWithin, Calls: c.calls,
	}
	for _, n := range c.outcomes {
		m.Offered += n
	}
	m.exclude("negative_wait", c.negativeWait)
	m.exclude("negative_service", c.negativeService)
	m.exclude("self_registered", c.selfRegistered)
	m.ServiceLevel = m.serviceLevel(r.Formula)
	return m
}

func (m *Measures) exclude(cause string, n int64) {
	if n == 0 {
		return
	}
	if m.Excluded == nil {
		m.Excluded = map[string]int64{}
	}
	m.Excluded[cause] = n
}

// serviceLevel computes the formula from the components; nil when it would divide by nothing.
func (m *Measures) serviceLevel(f Formula) *float64 {
	var within, of int64
	switch f {
	case F1:
		within, of = m.ServedWithin+m.AbandonedWithin, m.Served+m.Abandoned
	case F2:
		within, of = m.ServedWithin, m.Served
	case F3:
		within, of = m.ServedWithin, m.Served+m.Abandoned
	case F4:
		within, of = m.ServedWithin, m.Served+m.Abandoned-m.AbandonedWithin
	}
	if of == 0 {
		return nil
	}
	level := float64(within) / float64(of)
	return &level
}
