package query

import (
	"context"
	"fmt"
	"time"

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
	asked, err := d.askedBacktest(q, least)
	if err != nil {
		return answer, err
	}
	err = d.answer(ctx, asked.about, func(v *projection.View) error {
		answer, err = d.backtestIn(ctx, v, asked)
		return err
	})
	return answer, err
}

// BacktestPage computes what a page about estimates shows. What is wrong with the query comes back as an
// [queuetrack/api.Problem].
func (d *Door) BacktestPage(ctx context.Context, q EstimatesQuery) (p render.EstimatesPage, err error) {
	asked, err := d.askedBacktest(q, Least{})
	if err != nil {
		return p, err
	}
	p = render.EstimatesPage{Source: q.Source, Queue: q.Queue, Made: d.cfg.Now()}
	err = d.answer(ctx, asked.about, func(v *projection.View) error {
		if p.Estimates, err = d.backtestIn(ctx, v, asked); err != nil {
			return err
		}
		p.QueueName, err = d.chosenName(ctx, v, asked.Sources, WaitsQuery{Source: q.Source, Queue: q.Queue})
		return err
	})
	return p, err
}

// askedBacktest is a query that has been read.
type askedBacktest struct {
	estimate.BacktestRequest
	zone  *time.Location
	about *question
}

// askedBacktest reads a query: all that can be known of it without the database.
func (d *Door) askedBacktest(q EstimatesQuery, least Least) (asked askedBacktest, err error) {
	var p parser
	asked.Sources, asked.Queue = d.names, q.Queue
	if d.source(&p, q.Source) != "" {
		asked.Sources = []string{q.Source}
	}
	asked.zone = d.zone(&p, q.TZ, asked.Sources)
	asked.From, asked.To = d.window(&p, WaitsQuery{From: q.From, To: q.To}, asked.zone)
	asked.about = d.question(&p, least)
	asked.about.resolved = fmt.Sprint(asked.From.UnixNano(), asked.To.UnixNano(), asked.zone)
	return asked, p.err()
}

// backtestIn judges in a view.
func (d *Door) backtestIn(ctx context.Context, v *projection.View, asked askedBacktest) (render.Estimates, error) {
	judged, err := asked.Run(ctx, v)
	return render.NewEstimates(judged, asked.From, asked.To, asked.zone, d.positions(v)), err
}
