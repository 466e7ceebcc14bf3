package render

import (
	"html/template"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// values are what is told of each group; NaN where nothing is.
func (e Estimates) values(of func(EstimatesItem) *float64) []float64 {
	list := make([]float64, len(e.Items))
	for i, item := range e.Items {
		if list[i] = math.NaN(); of(item) != nil {
			list[i] = *of(item)
		}
	}
	return list
}

// weak are the groups with few samples.
func (e Estimates) weak(n func(EstimatesItem) int64) []bool {
	list := make([]bool, len(e.Items))
	for i, item := range e.Items {
		list[i] = n(item) < LowN
	}
	return list
}

// lines is a chart of series over the groups.
func (e Estimates) lines(y []plot.Tick, list ...series) chart {
	names := make([]string, len(e.Items))
	for i := range names {
		names[i] = e.rowName(i)
	}
	c := newChart(namesDown(names, 1), y)
	for _, s := range list {
		c.add(s)
	}
	c.span(-0.5, float64(len(names))-0.5, 0, y[len(y)-1].Value)
	return c
}

// errorsChart shows how far off the three predictions were.
func (e Estimates) errorsChart() template.HTML {
	var list []series
	var all [][]float64
	weak := e.weak(func(i EstimatesItem) int64 { return i.N })
	for i, p := range predictors {
		values := e.values(func(i EstimatesItem) *float64 { return p.of(i).MAE })
		list, all = append(list, series{p.name, lineStyle(i), values, weak}), append(all, values)
	}
	return e.lines(durationTicks(greatest(all...)), list...).
		svg("chart", "Mean absolute error of the estimate and of two baselines, by how many stood before; the table below has the numbers")
}

// rangeChart shows whether the range's upper end keeps what it promises.
func (e Estimates) rangeChart() template.HTML {
	kept := series{
		"waited no longer than the upper end", lineStyle(0), e.values(func(i EstimatesItem) *float64 { return i.Range.BelowHigh }),
		e.weak(func(i EstimatesItem) int64 { return i.Range.N }),
	}
	promised := series{
		"promised: " + promisedText(),
		draw.LineStyle{Color: inkText, Width: 1, Dashes: []vg.Length{4, 4}},
		slices.Repeat([]float64{promisedBelow}, len(e.Items)), nil,
	}
	return e.lines(shareTicks(1), kept, promised).
		svg("chart", "Share that waited no longer than the range's upper end, beside the promised "+promisedText()+", by how many stood before; the table below has the numbers")
}
