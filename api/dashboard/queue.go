package dashboard

import (
	"context"
	"net/url"
	"time"

	"queuetrack/api"
)

const (
	// namesAge is how old may be what hardly ever changes: zones of sources, names of queues.
	namesAge = time.Minute
	// queueRows bounds what a page shows of a queue in which lost webhooks left thousands.
	queueRows = 300
)

// queuePage is a queue with who is in it.
type queuePage struct {
	queueState
	Times   times
	Tickets []queueRow
	More    int // open, and not shown
}

// queueRow is an open ticket in its queue.
type queueRow struct {
	ID string
	openTicket
	Since moment
}

// Left is what a ticket that waits has still to wait.
func (r queueRow) Left() string { return estimateText(r.Estimate) }

// BoardAddress is that of the queue's own board.
func (p queuePage) BoardAddress() string {
	return address(url.Values{"queue": {p.Queue}}, "board", p.Source)
}

// ReportAddress is that of the report of the queue's waits.
func (p queuePage) ReportAddress() string {
	return address(url.Values{"source": {p.Source}, "queue": {p.Queue}}, "reports")
}

// Next is how long somebody who comes now will wait; empty: can't be told.
func (p queuePage) Next() string { return estimateText(p.Estimate) }

func (d *Dashboard) queuePage(ctx context.Context, in input, ask *rest) (view, error) {
	source, queue := in.path["source"], in.path["queue"]
	var p queuePage
	if err := ask.get(ctx, address(nil, "v1", "queues", source, queue), 0, &p.queueState); err != nil {
		return view{}, err
	}
	var tickets list[openTicket]
	if err := ask.get(ctx, address(nil, "v1", "queues", source, queue, "tickets"), 0, &tickets); err != nil {
		return view{}, err
	}
	var err error
	if p.Times, err = d.timesOf(ctx, ask, source); err != nil {
		return view{}, err
	}
	for i, t := range tickets.Items {
		if i == queueRows {
			p.More = len(tickets.Items) - i
			break
		}
		since := t.WaitingSince
		if since == nil {
			since = t.CalledAt
		}
		p.Tickets = append(p.Tickets, queueRow{ID: "ticket-" + t.Ticket, openTicket: t, Since: p.Times.Of(since)})
	}
	return view{Title: p.Name, Template: "queue", Data: p}, nil
}

// timesOf are the clocks of a source.
func (d *Dashboard) timesOf(ctx context.Context, ask *rest, source string) (times, error) {
	sources, err := sourcesOf(ctx, ask)
	if err != nil {
		return times{}, err
	}
	for _, s := range sources {
		if s.Source == source {
			return times{d.cfg.Now(), s.zone()}, nil
		}
	}
	return times{}, api.NewProblem(api.KindUnknownSource, "There is no source of this name.")
}

// sourcesOf are all sources, as they were some time ago.
func sourcesOf(ctx context.Context, ask *rest) ([]sourceState, error) {
	var sources list[sourceState]
	err := ask.get(ctx, "/v1/sources", namesAge, &sources)
	return sources.Items, err
}
