package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"queuetrack/projection/estimate"
)

// Estimates is how good the estimates of waiting times were, on the wire: what had been told at arrivals beside how long
// they then waited, and beside what two plain baselines would have told.
type Estimates struct {
	From      time.Time        `json:"from" doc:"Beginning of the window of arrivals, with the zone's offset."`
	To        time.Time        `json:"to" doc:"End of the window, itself outside."`
	TZ        string           `json:"tz" doc:"Zone of the window's dates."`
	Items     []EstimatesItem  `json:"items" nullable:"false" doc:"By how many stood before the arrival in its queue; every group, empty ones too."`
	Total     EstimatesItem    `json:"total" doc:"All of them."`
	Positions map[string]int64 `json:"positions" doc:"How far each source's log was folded."`
}

// EstimatesItem is one group of arrivals.
type EstimatesItem struct {
	AheadFrom int64       `json:"ahead_from" minimum:"0" doc:"At least so many stood before it."`
	AheadTo   *int64      `json:"ahead_to" minimum:"0" doc:"At most so many; null: no end."`
	N         int64       `json:"n" minimum:"0" doc:"Arrivals that waited until they were called, and for which there were an estimate and both baselines."`
	LowN      bool        `json:"low_n,omitempty" doc:"True: fewer than 10 arrivals, so that the figures say little."`
	Estimate  Accuracy    `json:"estimate" doc:"What was told, at the arrival."`
	Rolling   Accuracy    `json:"rolling_60_minutes" doc:"The baseline: mean of the queue's waits that had ended within 60 minutes before, the last 200 at most."`
	Last      Accuracy    `json:"last_wait" doc:"The baseline: the queue's last wait that had ended with a call."`
	Range     RangeShares `json:"range" doc:"Whether the range told was kept."`
}

// Accuracy is of a set of predictions; all null when it is empty.
type Accuracy struct {
	MAE     *float64 `json:"mae_seconds" doc:"Mean absolute error in seconds: of |told − waited|. Null when n is 0."`
	RMSE    *float64 `json:"rmse_seconds" doc:"Root of the mean squared error: large errors weigh more. Null when n is 0."`
	Bias    *float64 `json:"bias_seconds" doc:"Mean of told − waited: above 0, people are told too long. Null when n is 0."`
	Within5 *float64 `json:"within_5_minutes" doc:"Share of arrivals told right to 5 minutes or better, 0 to 1. Null when n is 0."`
}

// RangeShares tell how often a range was kept; null when none was told.
type RangeShares struct {
	N         int64    `json:"n" minimum:"0" doc:"Arrivals that were told a range."`
	BelowHigh *float64 `json:"below_high" doc:"Share of these that waited no longer than its upper end: 0.8 is what it promises. Null when n is 0."`
	Within    *float64 `json:"within" doc:"Share of these that waited within it, its ends included: 0.6 is what it promises. Null when n is 0."`
}

// NewEstimates puts a backtest on the wire.
func NewEstimates(b estimate.Backtest, from, to time.Time, zone *time.Location, positions map[string]int64) Estimates {
	e := Estimates{From: from.In(zone), To: to.In(zone), TZ: zone.String(), Total: estimatesItem(b.Total), Positions: positions}
	for _, item := range b.Items {
		e.Items = append(e.Items, estimatesItem(item))
	}
	return e
}

func estimatesItem(i estimate.BacktestItem) EstimatesItem {
	item := EstimatesItem{
		AheadFrom: i.AheadFrom, N: i.N, LowN: i.N < LowN,
		Estimate: accuracy(i.N, i.Estimate), Rolling: accuracy(i.N, i.Hourly), Last: accuracy(i.N, i.Last),
		Range: RangeShares{N: i.Ranged},
	}
	if i.AheadTo >= 0 {
		item.AheadTo = &i.AheadTo
	}
	if i.Ranged > 0 {
		below, within := float64(i.BelowHigh)/float64(i.Ranged), float64(i.Within)/float64(i.Ranged)
		item.Range.BelowHigh, item.Range.Within = &below, &within
	}
	return item
}

func accuracy(n int64, a estimate.Accuracy) Accuracy {
	if n == 0 {
		return Accuracy{}
	}
	return Accuracy{&a.MAE, &a.RMSE, &a.Bias, &a.Within5}
}

// Write writes the report in the format.
func (e Estimates) Write(w io.Writer, f Format) error {
	switch f {
	case FormatTable:
		return e.WriteTable(w)
	case FormatCSV:
		return e.WriteCSV(w)
	case FormatJSON:
		return e.WriteJSON(w)
	}
	return fmt.Errorf("write the report as %q: the formats are %v", f, Formats)
}

// WriteJSON writes the report as the REST door answers it.
func (e Estimates) WriteJSON(w io.Writer) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	_, err := w.Write(buf.Bytes())
	return err
}
