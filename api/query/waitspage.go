package query

import (
	"context"
	"slices"

	"queuetrack/api/render"
	"queuetrack/projection"
	"queuetrack/projection/wait"
)

// WaitsPage computes all that a page about waits shows: several reports in one look at the database, so that they agree.
// What is wrong with the query comes back as an *[queuetrack/api.Problem].
func (d *Door) WaitsPage(ctx context.Context, q WaitsQuery) (p render.WaitsPage, err error) {
	request, about, err := d.askedWaits(q, Least{})
	if err != nil {
		return p, err
	}
	p = render.WaitsPage{Source: q.Source, Queue: q.Queue, Location: q.Location, Made: d.cfg.Now()}
	total, overTime, heatMap := request, request, request
	total.GroupBy = nil
	overTime.GroupBy = []wait.GroupKey{render.PageBucket(request.From, request.To)}
	overTime.DropOff = false
	heatMap.GroupBy = []wait.GroupKey{wait.ByWeekday, wait.ByHourOfDay}
	heatMap.DropOff, heatMap.Compare = false, false
	err = d.answer(ctx, about, func(v *projection.View) error {
		for _, part := range []struct {
			report  *render.Waits
			request wait.Request
		}{{&p.Asked, request}, {&p.Total, total}, {&p.OverTime, overTime}, {&p.HeatMap, heatMap}} {
			if *part.report, err = d.waitsIn(ctx, v, part.request, q); err != nil {
				return err
			}
		}
		p.QueueName, err = d.chosenName(ctx, v, request.Sources, q)
		return err
	})
	return p, err
}

// chosenName is what the one queue that was asked for is called; empty when it has no name but its id.
func (d *Door) chosenName(ctx context.Context, v *projection.View, sources []string, q WaitsQuery) (string, error) {
	if q.Queue == "" {
		return "", nil
	}
	called, err := d.namesOf(ctx, v, q.Source)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(sources, func(source string) bool { return called.queue(source, q.Queue) != q.Queue })
	if i < 0 {
		return "", nil
	}
	return called.queue(sources[i], q.Queue), nil
}
