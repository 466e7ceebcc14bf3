package query

import (
	"context"
	"net/url"

	"queuetrack/api/render"
)

// WaitsPageOf is [Door.WaitsPage] for the parameters as they stand in an address, within the time that an answer may take. What
// is wrong with them comes back as an *[queuetrack/api.Problem] that names each.
func (d *Door) WaitsPageOf(ctx context.Context, parameters url.Values) (render.WaitsPage, error) {
	var p parser
	p.errs = checkQuery(parameters, waitsParameters)
	if err := p.err(); err != nil {
		return render.WaitsPage{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.cfg.Timeout)
	defer cancel()
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

// BacktestPageOf is [Door.BacktestPage] for the parameters as they stand in an address, as WaitsPageOf is for waits.
func (d *Door) BacktestPageOf(ctx context.Context, parameters url.Values) (render.EstimatesPage, error) {
	var p parser
	p.errs = checkQuery(parameters, backtestParameters)
	if err := p.err(); err != nil {
		return render.EstimatesPage{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.cfg.Timeout)
	defer cancel()
	return d.BacktestPage(ctx, EstimatesQuery{
		Source: parameters.Get("source"), Queue: parameters.Get("queue"),
		From: moment(parameters.Get("from")), To: moment(parameters.Get("to")), TZ: parameters.Get("tz"),
	})
}

// backtestParameters are those that choose a backtest.
var backtestParameters = []string{"from", "queue", "source", "to", "tz"}
