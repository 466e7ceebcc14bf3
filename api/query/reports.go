package query

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/negotiation"

	"queuetrack/api"
	"queuetrack/api/render"
	"queuetrack/projection"
	"queuetrack/projection/board"
	"queuetrack/projection/wait"
)

// WaitsQuery asks for a wait report, with the words of the HTTP parameters; the command's flags carry the same.
type WaitsQuery struct {
	Source       string  `query:"source" doc:"Only this source; absent: all of them."`
	Queue        string  `query:"queue" doc:"Only the queue of this id, in every source chosen."`
	Location     string  `query:"location" doc:"Only queues at the location of this name."`
	From         moment  `query:"from" doc:"Beginning of the window: an instant, or a date for its local midnight. Absent: six local midnights before the last one, so that the default window is the last 7 local days, today's included."`
	To           moment  `query:"to" doc:"End of the window, itself outside: an instant, or a date for the midnight that begins it. Absent: the next local midnight."`
	TZ           string  `query:"tz" doc:"IANA time zone of dates and buckets. Absent: the source's; required when the sources chosen have different ones." example:"Europe/Tallinn"`
	GroupBy      string  `query:"group_by" doc:"Up to two of source, queue, day, hour (one of the last two), joined by a comma. Absent: one item." example:"queue,day"`
	AttributedBy string  `query:"attributed_by" enum:"arrival" doc:"What places a segment in the window: its entry to the queue."`
	Percentiles  string  `query:"percentiles" doc:"Whole numbers from 1 to 99, at most 10, joined by commas. Absent: 50,80,90,95." example:"50,90"`
	ServiceLevel integer `query:"service_level" doc:"Threshold in seconds. Absent: 300."`
	Formula      string  `query:"formula" enum:"F1,F2,F3,F4" doc:"F1 (served≤X + abandoned≤X)/(served + abandoned), F2 served≤X/served, F3 served≤X/(served + abandoned), F4 served≤X/(served + abandoned>X). Absent: F4."`
}

// The defaults and bounds of a wait report.
const (
	DefaultServiceLevel = 300 // seconds
	maxServiceLevel     = 7 * 86400
	maxPercentiles      = 10
	defaultDays         = 7
)

type waitsInput struct {
	WaitsQuery
	Least
	Format string `query:"format" enum:"json,csv" doc:"Absent: what the Accept header prefers, else json."`
}

func (d *Door) registerReports(h huma.API) {
	register(d, h, operation{
		id: "report-waits", path: "/v1/reports/waits", tag: tagReports,
		summary: "How long people waited",
		details: "Segments (one stay in one queue each) that began to wait in the window, with their outcomes, which add up to offered, " +
			"the distribution of waits and services, and the service level with its components. Percentiles are waits that somebody had (nearest rank). " +
			"format=csv or Accept: text/csv gives a row an item.",
	}, d.reportWaits, waitsResponse())
}

func (d *Door) reportWaits(ctx context.Context, in *waitsInput) (*content, error) {
	var p parser
	format := oneOf(&p, "format", in.Format, "", []render.Format{render.FormatJSON, render.FormatCSV})
	if err := p.err(); err != nil {
		return nil, err
	}
	x := exchangeOf(ctx)
	if x.vary = "Accept"; format == "" {
		format = preferred(x.accept)
	}
	x.format = string(format)
	report, err := d.waits(ctx, in.WaitsQuery, in.Least)
	return reply(ctx, err, func(c huma.Context) { writeReport(c, report, format) })
}

// preferred is what the client would rather have.
func preferred(accept string) render.Format {
	if negotiation.SelectQValue(accept, []string{"application/json", "text/csv"}) == "text/csv" {
		return render.FormatCSV
	}
	return render.FormatJSON
}

// writeReport writes in a format.
func writeReport(c huma.Context, report render.Waits, f render.Format) {
	if f == render.FormatCSV {
		c.SetHeader("Content-Type", "text/csv; charset=utf-8; header=present")
		c.SetHeader("Content-Disposition", `attachment; filename="waits.csv"`)
		c.SetStatus(200)
		_ = report.WriteCSV(c.BodyWriter()) // the client is gone: nobody is left to tell
		return
	}
	var buf bytes.Buffer
	if err := report.WriteJSON(&buf); err != nil {
		panic(err) // numbers and strings always encode
	}
	c.SetHeader("Content-Type", "application/json")
	c.SetStatus(200)
	_, _ = c.BodyWriter().Write(buf.Bytes())
}

// Waits computes a wait report. What is wrong with the query comes back as an [queuetrack/api.Problem].
func (d *Door) Waits(ctx context.Context, q WaitsQuery) (render.Waits, error) {
	return d.waits(ctx, q, Least{})
}

func (d *Door) waits(ctx context.Context, q WaitsQuery, least Least) (report render.Waits, err error) {
	var p parser
	request := d.waitRequest(&p, q)
	about := d.question(&p, least)
	if err := p.err(); err != nil {
		return report, err
	}
	about.resolved = fmt.Sprint(request.From.UnixNano(), request.To.UnixNano(), request.Zone)
	err = d.answer(ctx, about, func(v *projection.View) error {
		report = render.Waits{Report: wait.Report{Request: request}, Positions: d.positions(v)}
		queues, chosen, err := d.chosenQueues(ctx, v, request.Sources, q)
		if err != nil || chosen && len(queues) == 0 || len(request.Sources) == 0 {
			return err
		}
		request.Queues = queues
		report.Report, err = wait.Run(ctx, v, request)
		return err
	})
	var many wait.ErrTooManyItems
	if errors.As(err, &many) {
		return report, api.Invalid(api.FieldError{Pointer: "/query/group_by", Detail: many.Error() + "."})
	}
	return report, err
}

// chosenQueues returns the queues that the filters leave, if there are filters.
func (d *Door) chosenQueues(ctx context.Context, v *projection.View, sources []string, q WaitsQuery) (queues []wait.QueueID, chosen bool, err error) {
	if q.Location == "" {
		if q.Queue == "" {
			return nil, false, nil
		}
		for _, s := range sources {
			queues = append(queues, wait.QueueID{Source: s, Queue: q.Queue})
		}
		return queues, true, nil
	}
	f := board.Filter{Source: q.Source, Queue: q.Queue}
	rows, err := board.Queues(ctx, v, f)
	if err != nil {
		return nil, true, err
	}
	called, err := d.namesOf(ctx, v, q.Source)
	if err != nil {
		return nil, true, err
	}
	locations := map[string]bool{}
	for _, row := range d.complete(rows, f) {
		location := called.location(row.Source, row.Queue)
		if location == q.Location {
			queues = append(queues, wait.QueueID{Source: row.Source, Queue: row.Queue})
		}
		locations[location] = true
	}
	if len(queues) == 0 {
		return nil, true, unknownLocation(q.Location, locations)
	}
	return queues, true, nil
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
