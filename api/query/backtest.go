package query

import (
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/api/render"
	"queuetrack/projection"
	"queuetrack/projection/estimate"
)

// EstimatesQuery asks how good the estimates were, with the words of the HTTP parameters; the command's flags carry the
// same.
type EstimatesQuery struct {
	Source string `query:"source" doc:"Only this source; absent: all of them."`
	Queue  string `query:"queue" doc:"Only the queue of this id, in every source chosen."`
	From   moment `query:"from" doc:"Beginning of the window of arrivals: an instant, or a date for its local midnight. Absent: six local midnights before the last one."`
	To     moment `query:"to" doc:"End of the window, itself outside: an instant, or a date for the midnight that begins it. Absent: the next local midnight."`
	TZ     string `query:"tz" doc:"IANA time zone of dates. Absent: the source's; required when the sources chosen have different ones." example:"Europe/Tallinn"`
}

type backtestInput struct {
	EstimatesQuery
	Least
}

func (d *Door) registerBacktest(h huma.API) {
	get(d, h, operation{
		id: "backtest-estimates", path: "/v1/reports/estimates/backtest", tag: tagReports,
		summary: "How good the estimates were",
		details: "What had been told at the arrivals of the window, beside how long they then waited, and beside two baselines: the rolling mean " +
			"of the hour before, and the last wait that ended. No estimate knew anything that came later. Arrivals count that waited until they " +
			"were called, and for which there were an estimate and both baselines.",
	}, func(ctx context.Context, in *backtestInput) (render.Estimates, error) {
		return d.backtest(ctx, in.EstimatesQuery, in.Least)
	})
}

// Backtest judges the estimates. What is wrong with the query comes back as an [queuetrack/api.Problem].
func (d *Door) Backtest(ctx context.Context, q EstimatesQuery) (render.Estimates, error) {
	return d.backtest(ctx, q, Least{})
}

func (d *Door) backtest(ctx context.Context, q EstimatesQuery, least Least) (answer render.Estimates, err error) {
	var p parser
	request := estimate.BacktestRequest{Sources: d.names, Queue: q.Queue}
	if d.source(&p, q.Source) != "" {
		request.Sources = []string{q.Source}
	}
	zone := d.zone(&p, q.TZ, request.Sources)
	request.From, request.To = d.window(&p, WaitsQuery{From: q.From, To: q.To}, zone)
	about := d.question(&p, least)
	if err := p.err(); err != nil {
		return answer, err
	}
	about.resolved = fmt.Sprint(request.From.UnixNano(), request.To.UnixNano(), zone)
	err = d.answer(ctx, about, func(v *projection.View) error {
		judged, err := request.Run(ctx, v)
		answer = render.NewEstimates(judged, request.From, request.To, zone, d.positions(v))
		return err
	})
	return answer, err
}
