package dashboard

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// How old answers may be that are more work than a look at the checkpoints, on a page that is watched.
const (
	reportAge = 5 * time.Second
	healthAge = 2 * time.Second
)

// overviewPage is how things stand: the queues of each location, and the health of the sources.
type overviewPage struct {
	Totals    totals
	Locations []locationView
	Sources   []sourceView
	Threshold int64 // of the service level, in seconds
}

// Seconds is the threshold of the service level, for a template.
func (p overviewPage) Seconds() *int64 { return &p.Threshold }

// totals are what a manager looks at first.
type totals struct {
	Waiting, AtDesks, Served, Abandoned, NoShow int64
	Longest                                     *int64
	Within, Judged                              int64 // the service level's components
}

// Level is the service level of all queues, by its components: served within the threshold ÷ (served + abandoned after it).
func (t totals) Level() *float64 {
	if t.Judged == 0 {
		return nil
	}
	v := float64(t.Within) / float64(t.Judged)
	return &v
}

// locationView is a place with its queues.
type locationView struct {
	ID, Name, Source string
	Queues           []queueView
	Hours            hoursChart
}

// queueView is a queue with what became of today's visitors.
type queueView struct {
	ID string
	queueState
	Today waitItem
	Usual *norm
}

// AtDesks are those who were called and have not ended.
func (q queueView) AtDesks() int64 { return q.Called + q.Serving }

// Busier compares those who wait with the usual: "more", "fewer" or nothing.
func (q queueView) Busier() string {
	if q.Usual == nil || q.Usual.Waiting == nil {
		return ""
	}
	usually := *q.Usual.Waiting
	switch waiting := float64(q.Waiting); {
	case waiting >= usually*1.5+2:
		return "more"
	case waiting <= usually/1.5-2:
		return "fewer"
	}
	return ""
}

// sourceView is the health of a source.
type sourceView struct {
	ID string
	sourceState
	Shard    shardState
	Rejects  int64
	Received string // how long ago
	Verdict  verdict
}

// verdict is the worst that is to be said of a source.
type verdict struct{ Mark, Text string }

func (d *Dashboard) overview(ctx context.Context, _ input, ask *rest) (view, error) {
	var queues list[queueState]
	if err := ask.get(ctx, "/v1/queues", 0, &queues); err != nil {
		return view{}, err
	}
	sources, err := d.health(ctx, ask)
	if err != nil {
		return view{}, err
	}
	p := overviewPage{Sources: sources}
	for _, s := range sources {
		if err := p.addSource(ctx, d, ask, s, queues.Items); err != nil {
			return view{}, err
		}
	}
	return view{Title: "Now", Section: "now", Template: "overview", Data: p}, nil
}

// addSource adds the source's locations, with today's figures.
func (p *overviewPage) addSource(ctx context.Context, d *Dashboard, ask *rest, s sourceView, queues []queueState) error {
	byQueue, err := today(ctx, d, ask, s.sourceState, "queue")
	if err != nil {
		return err
	}
	figures := map[string]waitItem{}
	for _, item := range byQueue.Items {
		figures[item.Queue] = item
	}
	byHour, err := today(ctx, d, ask, s.sourceState, "hour")
	if err != nil {
		return err
	}
	at := map[string]int{}
	for _, q := range queues {
		if q.Source != s.Source {
			continue
		}
		name := s.Source
		if q.Location != nil && *q.Location != "" {
			name = *q.Location
		}
		i, known := at[name]
		if !known {
			i = len(p.Locations)
			at[name] = i
			p.Locations = append(p.Locations, locationView{ID: "location-" + s.Source + "-" + strconv.Itoa(len(at)), Name: name, Source: s.Source})
		}
		row := queueView{ID: "queue-" + s.Source + "-" + q.Queue, queueState: q, Today: figures[q.Queue], Usual: d.usual.of(s.Source, q.Queue, s.zone())}
		p.Locations[i].Queues = append(p.Locations[i].Queues, row)
		p.add(row)
	}
	if i := slices.IndexFunc(p.Locations, func(l locationView) bool { return l.Source == s.Source }); i >= 0 {
		p.Locations[i].Hours = newHoursChart(s, byHour, d.cfg.Now())
	}
	return nil
}

func (p *overviewPage) add(q queueView) {
	t := &p.Totals
	t.Waiting += q.Waiting
	t.AtDesks += q.AtDesks()
	t.Served += q.Today.Served
	t.Abandoned += q.Today.Abandoned
	t.NoShow += q.Today.NoShow
	if q.LongestWaitSeconds != nil && (t.Longest == nil || *q.LongestWaitSeconds > *t.Longest) {
		t.Longest = q.LongestWaitSeconds
	}
	level := q.Today.ServiceLevel
	t.Within += level.ServedWithin
	t.Judged += level.Served + level.Abandoned - level.AbandonedWithin
	p.Threshold = cmp.Or(level.ThresholdSeconds, p.Threshold)
}

// today is the wait report of a source's local day.
func today(ctx context.Context, d *Dashboard, ask *rest, s sourceState, groupBy string) (waitReport, error) {
	day := d.cfg.Now().In(s.zone())
	query := url.Values{
		"source": {s.Source}, "tz": {s.zone().String()}, "group_by": {groupBy},
		"from": {day.Format(time.DateOnly)}, "to": {day.AddDate(0, 0, 1).Format(time.DateOnly)},
	}
	var report waitReport
	err := ask.get(ctx, address(query, "v1", "reports", "waits"), reportAge, &report)
	return report, err
}

// health is how the sources are.
func (d *Dashboard) health(ctx context.Context, ask *rest) ([]sourceView, error) {
	var sources list[sourceState]
	if err := ask.get(ctx, "/v1/sources", healthAge, &sources); err != nil {
		return nil, err
	}
	var projections projectionState
	if err := ask.get(ctx, "/v1/projections", healthAge, &projections); err != nil {
		return nil, err
	}
	views := make([]sourceView, 0, len(sources.Items))
	for _, s := range sources.Items {
		v := sourceView{ID: "source-" + s.Source, sourceState: s, Received: ago(d.cfg.Now(), s.LastReceivedAt)}
		for _, n := range s.Rejected {
			v.Rejects += n
		}
		for _, shard := range projections.Items {
			if shard.Source == s.Source && shard.Generation == projections.Generation {
				v.Shard = shard
			}
		}
		v.Verdict = v.judge()
		views = append(views, v)
	}
	return views, nil
}

// lagNoted is from where on a lag is worth a word, in seconds.
const lagNoted = 10

// judge says the worst first. Each has a sign beside its colour, and words beside its sign.
func (s sourceView) judge() verdict {
	switch {
	case s.Shard.Halted != nil:
		return verdict{"bad", "stopped: " + *s.Shard.Halted}
	case s.Shard.DeadLetters > 0:
		return verdict{"bad", "dead letters"}
	case s.Silent:
		return verdict{"bad", "silent"}
	case s.Shard.LagSeconds > lagNoted:
		return verdict{"warn", "catching up"}
	case len(s.Shard.Drift) > 0:
		return verdict{"warn", "rebuild due"}
	case s.LastReceivedAt == nil:
		return verdict{"warn", "nothing received yet"}
	case s.Quarantined > 0:
		return verdict{"warn", "quarantined webhooks"}
	}
	return verdict{"good", "well"}
}
