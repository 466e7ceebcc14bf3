package wait

// counts receives the components of an item.
type counts struct {
	offered, served, abandoned, noShow, cancelled, returned, transferred, expired, merged, open int64

	wait, abandonedWait, service  spread
	servedWithin, abandonedWithin int64
	calls                         Calls

	negativeWait, negativeService, selfRegistered int64
}

// scans are where the columns of components go.
func (c *counts) scans() []any {
	scans := []any{
		&c.offered, &c.served, &c.abandoned, &c.noShow, &c.cancelled, &c.returned, &c.transferred, &c.expired, &c.merged, &c.open,
	}
	for _, s := range []*spread{&c.wait, &c.abandonedWait, &c.service} {
		scans = append(scans, &s.n, &s.sum, &s.max, &s.percentiles)
	}
	return append(scans, &c.servedWithin, &c.abandonedWithin, &c.calls.Called, &c.calls.Recalled, &c.calls.Recalls,
		&c.negativeWait, &c.negativeService, &c.selfRegistered)
}

func (c *counts) measures(r Request) Measures {
	m := Measures{
		Offered: c.offered, Served: c.served, Abandoned: c.abandoned, NoShow: c.noShow, Cancelled: c.cancelled,
		Returned: c.returned, Transferred: c.transferred, Expired: c.expired, Merged: c.merged, Open: c.open,
		Wait: c.wait.stats(r.Percentiles), AbandonedWait: c.abandonedWait.stats(r.Percentiles), Service: c.service.stats(r.Percentiles),
		ServedWithin: c.servedWithin, AbandonedWithin: c.abandonedWithin, Calls: c.calls,
	}
	m.exclude("negative_wait", c.negativeWait)
	m.exclude("negative_service", c.negativeService)
	m.exclude("self_registered", c.selfRegistered)
	m.ServiceLevel = m.serviceLevel(r.Formula)
	return m
}

// spread receives one kind of seconds.
type spread struct {
	n, sum, max int64
	percentiles []int64
}

func (s spread) stats(percentiles []int) Stats {
	if s.n == 0 {
		return Stats{}
	}
	stats := Stats{N: s.n, Mean: float64(s.sum) / float64(s.n), Max: s.max, Percentiles: make(map[int]int64, len(percentiles))}
	for i, p := range percentiles {
		stats.Percentiles[p] = s.percentiles[i]
	}
	return stats
}

// fractions are the percentiles as percentile_disc takes them. It answers with the value of rank ceil(fraction × n), and
// 0.55 × 100 is a little more than 55 in binary: so each is a little less than it says, which moves no rank below
// ten thousand million values.
func fractions(percentiles []int) []float64 {
	fs := make([]float64, len(percentiles))
	for i, p := range percentiles {
		fs[i] = float64(p)/100 - 1e-12
	}
	return fs
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
