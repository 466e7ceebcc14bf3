package query

import (
	"bytes"
	"context"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/negotiation"

	"queuetrack/api/render"
)

// WaitsQuery asks for a wait report, with the words of the HTTP parameters; the command's flags carry the same.
type WaitsQuery struct {
	Source       string  `query:"source" doc:"Only this source; absent: all of them."`
	Queue        string  `query:"queue" doc:"Only the queue of this id, in every source chosen."`
	Location     string  `query:"location" doc:"Only queues at the location of this name."`
	From         moment  `query:"from" doc:"Beginning of the window: an instant, or a date for its local midnight. Absent: six local midnights before the last one, so that the default window is the last 7 local days, today's included."`
	To           moment  `query:"to" doc:"End of the window, itself outside: an instant, or a date for the midnight that begins it. Absent: the next local midnight."`
	TZ           string  `query:"tz" doc:"IANA time zone of dates and buckets. Absent: the source's; required when the sources chosen have different ones." example:"Europe/Tallinn"`
	GroupBy      string  `query:"group_by" doc:"Any one or two of source, location, queue, desk, agent, hour, day, week, month, weekday, hour_of_day, joined by a comma. Hours and days are the zone's own (a day has 23, 24 or 25 hours), weeks those of ISO 8601, weekdays 1 to 7 from Monday. With a group of time, each key that the window touches has an item, also if nobody came. Absent: one item." example:"queue,day"`
	AttributedBy string  `query:"attributed_by" enum:"arrival,call,end" doc:"The instant that places a segment in the window and its groups of time: arrival (entry to the queue), call (the first one), end (leaving the queue, whatever the outcome). Segments that lack it are not in the report. Absent: arrival."`
	Percentiles  string  `query:"percentiles" doc:"Of waits, services and abandoned waits: whole numbers from 1 to 99, at most 10, joined by commas. Each is the smallest value that at least so many per cent do not exceed (nearest rank): one that somebody had. Absent: 50,80,90,95." example:"50,90"`
	ServiceLevel integer `query:"service_level" doc:"Threshold X of the service level in seconds. Absent: 300."`
	Formula      string  `query:"formula" enum:"F1,F2,F3,F4" doc:"F1 (served≤X + abandoned≤X)/(served + abandoned), F2 served≤X/served, F3 served≤X/(served + abandoned), F4 served≤X/(served + abandoned>X). Absent: F4."`
	Compare      string  `query:"compare" enum:"previous" doc:"previous: each item also tells the same of the window right before: of as many local days where both ends are local midnights, else of the same duration."`
	Include      string  `query:"include" doc:"What each item also tells, joined by a comma: queue_length (how many waited at a time, on average and at most; not by desk or agent: people who wait have none yet), drop_off (how many gave up, by their place at entry). Absent: neither." example:"queue_length,drop_off"`
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
	Format string `query:"format" enum:"json,csv" doc:"json has at most 10,000 items, csv at most 1,000,000. Absent: what the Accept header prefers, else json."`
}

func (d *Door) registerReports(h huma.API) {
	register(d, h, operation{
		id: "report-waits", path: "/v1/reports/waits", tag: tagReports,
		summary: "How long people waited",
		details: "Segments (one stay in one queue each) that began to wait in the window, with their outcomes, which add up to offered, " +
			"the distribution of waits and services, the service level with its components, and what calls came to. Every instant is cut off " +
			"to the whole second before it is subtracted. Percentiles are waits that somebody had (nearest rank), of the item's own segments. " +
			"What each number means stands beside it below. format=csv or Accept: text/csv gives a row an item.",
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
	if format == render.FormatCSV {
		return d.streamWaits(in.WaitsQuery, in.Least)
	}
	report, err := d.waits(ctx, in.WaitsQuery, in.Least)
	return reply(ctx, err, func(c huma.Context) { writeReport(c, report) })
}

// preferred is what the client would rather have.
func preferred(accept string) render.Format {
	if negotiation.SelectQValue(accept, []string{"application/json", "text/csv"}) == "text/csv" {
		return render.FormatCSV
	}
	return render.FormatJSON
}

func writeReport(c huma.Context, report render.Waits) {
	var buf bytes.Buffer
	if err := report.WriteJSON(&buf); err != nil {
		panic(err) // numbers and strings always encode
	}
	c.SetHeader("Content-Type", "application/json")
	c.SetStatus(200)
	_, _ = c.BodyWriter().Write(buf.Bytes()) // the client is gone: nobody is left to tell
}
