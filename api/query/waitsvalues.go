package query

import (
	"context"
	"net/url"

	"queuetrack/api/render"
)

// WaitsPageOf is [Door.WaitsPage] for the parameters as they stand in an address. What is wrong with them comes back as an
// *[queuetrack/api.Problem] that names each.
func (d *Door) WaitsPageOf(ctx context.Context, parameters url.Values) (render.WaitsPage, error) {
	var p parser
	p.errs = checkQuery(parameters, waitsParameters)
	if err := p.err(); err != nil {
		return render.WaitsPage{}, err
	}
	return d.WaitsPage(ctx, WaitsQuery{
		Source: parameters.Get("source"), Queue: parameters.Get("queue"), Location: parameters.Get("location"),
		From: moment(parameters.Get("from")), To: moment(parameters.Get("to")), TZ: parameters.Get("tz"),
		GroupBy: parameters.Get("group_by"), AttributedBy: parameters.Get("attributed_by"), Percentiles: parameters.Get("percentiles"),
		ServiceLevel: integer(parameters.Get("service_level")), Formula: parameters.Get("formula"),
		Compare: parameters.Get("compare"), Include: parameters.Get("include"),
	})
}

// waitsParameters are those that choose a report.
var waitsParameters = []string{
	"attributed_by", "compare", "formula", "from", "group_by", "include", "location", "percentiles", "queue", "service_level", "source", "to", "tz",
}
