package query

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"queuetrack/api/render"
	"queuetrack/projection"
	"queuetrack/projection/board"
	"queuetrack/projection/wait"
)

// Waits computes a wait report. What is wrong with the query comes back as an *[queuetrack/api.Problem].
func (d *Door) Waits(ctx context.Context, q WaitsQuery) (render.Waits, error) {
	return d.waits(ctx, q, Least{})
}

func (d *Door) waits(ctx context.Context, q WaitsQuery, least Least) (report render.Waits, err error) {
	request, about, err := d.askedWaits(q, least)
	if err != nil {
		return report, err
	}
	err = d.answer(ctx, about, func(v *projection.View) error {
		report, err = d.waitsIn(ctx, v, request, q)
		return err
	})
	return report, err
}

// askedWaits reads a query: all that can be known of it without the database.
func (d *Door) askedWaits(q WaitsQuery, least Least) (wait.Request, *question, error) {
	var p parser
	request := d.waitRequest(&p, q)
	about := d.question(&p, least)
	if err := p.err(); err != nil {
		return request, about, err
	}
	about.resolved = fmt.Sprint(request.From.UnixNano(), request.To.UnixNano(), request.Zone)
	about.moves = request.QueueLength && request.To.After(d.cfg.Now().Truncate(clockStep)) // a length is told up to now
	return request, about, nil
}

// waitsIn computes a report in a view, in which there may be several.
func (d *Door) waitsIn(ctx context.Context, v *projection.View, request wait.Request, q WaitsQuery) (render.Waits, error) {
	p, err := d.placed(ctx, v, request, q)
	report := d.emptyWaits(v, p.Request)
	if err != nil || p.nothing {
		return report, err
	}
	if report.Report, err = wait.Run(ctx, v, p.Request); err != nil {
		return report, tooMuch(err, p.Request)
	}
	for _, item := range report.Items {
		p.name(report.Names, item)
	}
	return report, nil
}

// emptyWaits is a report without items.
func (d *Door) emptyWaits(v *projection.View, request wait.Request) render.Waits {
	report := render.Waits{Report: wait.Report{Request: request}, Names: map[wait.QueueID]string{}, Positions: d.positions(v)}
	if request.Compare {
		report.PreviousFrom, report.PreviousTo = request.Before()
	}
	return report
}

// placedWaits is a request with what the read models know of its queues.
type placedWaits struct {
	wait.Request
	called  names
	nothing bool // no queue is chosen, or there is no source
}

// placed finds the queues that are chosen, and where they are.
func (d *Door) placed(ctx context.Context, v *projection.View, request wait.Request, q WaitsQuery) (p placedWaits, err error) {
	p = placedWaits{Request: request, nothing: len(request.Sources) == 0}
	if p.called, err = d.namesOf(ctx, v, q.Source); err != nil {
		return p, err
	}
	located := q.Location != "" || slices.Contains(request.GroupBy, wait.ByLocation)
	if !located && q.Queue != "" {
		for _, s := range request.Sources {
			p.Queues = append(p.Queues, wait.QueueID{Source: s, Queue: q.Queue})
		}
	}
	if !located {
		return p, nil
	}
	f := board.Filter{Source: q.Source, Queue: q.Queue}
	rows, err := board.Queues(ctx, v, f)
	if err != nil {
		return p, err
	}
	return p, p.locate(d.complete(rows, f), q)
}

// locate notes where the queues are, and chooses among them.
func (p *placedWaits) locate(rows []board.Queue, q WaitsQuery) error {
	p.Locations = map[wait.QueueID]string{}
	if q.Queue != "" || q.Location != "" {
		p.Queues = []wait.QueueID{}
	}
	there := map[string]bool{}
	for _, row := range rows {
		id := wait.QueueID{Source: row.Source, Queue: row.Queue}
		location := p.called.location(row.Source, row.Queue)
		p.Locations[id], there[location] = location, true
		if p.Queues != nil && (q.Location == "" || location == q.Location) {
			p.Queues = append(p.Queues, id)
		}
	}
	if p.nothing = p.nothing || p.Queues != nil && len(p.Queues) == 0; q.Location != "" && len(p.Queues) == 0 {
		return unknownLocation(q.Location, there)
	}
	return nil
}

// name notes what the queue of an item is called.
func (p *placedWaits) name(known map[wait.QueueID]string, item wait.Item) {
	if id := (wait.QueueID{Source: item.Source, Queue: item.Queue}); p.by(wait.ByQueue) && known[id] == "" {
		known[id] = p.called.queue(id.Source, id.Queue)
	}
}

func (p *placedWaits) by(key wait.GroupKey) bool { return slices.Contains(p.GroupBy, key) }

// tooMuch is the answer to who asks for more than there may be in one report: what was asked, the limit, what is allowed.
func tooMuch(err error, r wait.Request) error {
	var many wait.ErrTooManyItems
	var wide wait.ErrTooWide
	groups := make([]string, len(r.GroupBy))
	for i, g := range r.GroupBy {
		groups[i] = string(g)
	}
	given := fmt.Sprintf("group_by is %s from %s to %s: ", quote(strings.Join(groups, ",")), r.From.In(r.Zone).Format(time.RFC3339), r.To.In(r.Zone).Format(time.RFC3339))
	var p parser
	switch {
	case errors.As(err, &many) && many.Limit < wait.MaxStreamed:
		p.wrong("group_by", "%s%d items or more. At most %d are allowed, and %d with format=csv: ask for CSV, a shorter window, or longer groups of time.", given, many.Items, many.Limit, wait.MaxStreamed)
	case errors.As(err, &many):
		p.wrong("group_by", "%s%d items or more. At most %d are allowed: ask for a shorter window, or longer groups of time.", given, many.Items, many.Limit)
	case errors.As(err, &wide):
		p.wrong("group_by", "%smore than %d %s. At most so many are allowed: ask for a shorter window.", given, wide.Limit, wide.Unit)
	default:
		return err
	}
	return p.err()
}

func unknownLocation(given string, there map[string]bool) error {
	delete(there, "")
	var p parser
	known := "none is known yet"
	if list := slices.Sorted(maps.Keys(there)); len(list) > 0 {
		known = "there are " + strings.Join(list, ", ")
	}
	p.wrong("location", "location is %s; %s.", quote(given), known)
	return p.err()
}
