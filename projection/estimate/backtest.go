package estimate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// BacktestRequest asks what the estimates were worth. Arrivals belong to the window, which is half-open, by their entry.
type BacktestRequest struct {
	Sources  []string
	Queue    string // empty: all
	From, To time.Time
}

// Backtest is how the predictions for arrivals compare with how long they then waited. Arrivals count whose wait ended
// with a call, for whom there were an estimate and both baselines.
type Backtest struct {
	Items []BacktestItem // by how many stood before them, as Lengths has it
	Total BacktestItem
}

// BacktestItem is one group of arrivals.
type BacktestItem struct {
	AheadFrom, AheadTo int64 // AheadTo is none, -1, where there is no end
	N                  int64
	Estimate           Accuracy
	Hourly             Accuracy // the baseline: mean of the waits that ended within 60 minutes before
	Last               Accuracy // the baseline: the last wait that ended before

	Ranged    int64 // arrivals that were told a range
	BelowHigh int64 // of these, who waited no longer than its upper end
	Within    int64 // of these, who waited within it, its ends included
}

// Accuracy is of a set of predictions, in seconds; zero when it is empty.
type Accuracy struct {
	MAE     float64 // mean of |predicted − actual|
	RMSE    float64 // root of the mean of (predicted − actual)²
	Bias    float64 // mean of predicted − actual: above 0, they are told too long
	Within5 float64 // share of |predicted − actual| of 5 minutes or less
}

// Lengths are the groups of a backtest: how many stood before the arrival, from and to.
var Lengths = [][2]int64{{0, 0}, {1, 2}, {3, 5}, {6, 10}, {11, 20}, {21, none}}

// Run judges the estimates of a window.
func (r BacktestRequest) Run(ctx context.Context, v *projection.View) (Backtest, error) {
	bounds := make([]int64, len(Lengths))
	for i, l := range Lengths {
		bounds[i] = l[0]
	}
	rows, err := v.Tx.Query(ctx, v.Set.SQL(`
		WITH arrival AS (
			SELECT width_bucket(ahead, $5::bigint[]) AS length, actual_seconds AS actual, low_seconds AS low, high_seconds AS high,
				wait_seconds - actual_seconds AS off,
				hourly_seconds - actual_seconds AS hourly,
				last_seconds - actual_seconds AS last
			FROM estimate_wait_{set}
			WHERE source = ANY($1)
				AND ($2 = '' OR queue = $2)
				AND entered_at >= $3
				AND entered_at < $4
				AND hourly_seconds IS NOT NULL
				AND last_seconds IS NOT NULL
		)
		SELECT coalesce(length, 0), count(*),
			`+errorSums("off")+`,
			`+errorSums("hourly")+`,
			`+errorSums("last")+`,
			count(high), count(*) FILTER (WHERE actual <= high), count(*) FILTER (WHERE actual BETWEEN low AND high)
		FROM arrival
		GROUP BY ROLLUP (length)`), r.Sources, r.Queue, r.From, r.To, bounds)
	if err != nil {
		return Backtest{}, fmt.Errorf("judge the estimates: %w", err)
	}
	b := Backtest{Items: make([]BacktestItem, len(Lengths)), Total: BacktestItem{AheadTo: none}}
	for i, l := range Lengths {
		b.Items[i].AheadFrom, b.Items[i].AheadTo = l[0], l[1]
	}
	var length int
	var i BacktestItem
	var e, h, l sums
	into := slices.Concat([]any{&length, &i.N}, e.into(), h.into(), l.into(), []any{&i.Ranged, &i.BelowHigh, &i.Within})
	_, err = pgx.ForEachRow(rows, into, func() error {
		item := &b.Total
		if length > 0 {
			item = &b.Items[length-1]
		}
		i.AheadFrom, i.AheadTo = item.AheadFrom, item.AheadTo
		i.Estimate, i.Hourly, i.Last = e.accuracy(i.N), h.accuracy(i.N), l.accuracy(i.N)
		*item = i
		return nil
	})
	if err != nil {
		return Backtest{}, fmt.Errorf("judge the estimates: %w", err)
	}
	return b, nil
}

// sums are of whole seconds, so that the same rows give the same figures in whatever order they are read.
type sums struct {
	absolute, signed, within5 int64
	squares                   float64
}

// errorSums sums up a column of errors; into receives it.
func errorSums(column string) string {
	return strings.ReplaceAll(`coalesce(sum(abs({x})), 0)::bigint, coalesce(sum({x}), 0)::bigint, count(*) FILTER (WHERE abs({x}) <= 300),
			coalesce(sum({x}::numeric * {x}), 0)::float8`, "{x}", column)
}

func (s *sums) into() []any { return []any{&s.absolute, &s.signed, &s.within5, &s.squares} }

func (s *sums) accuracy(n int64) Accuracy {
	if n == 0 {
		return Accuracy{}
	}
	of := float64(n)
	return Accuracy{
		MAE: float64(s.absolute) / of, RMSE: math.Sqrt(s.squares / of), Bias: float64(s.signed) / of, Within5: float64(s.within5) / of,
	}
}
