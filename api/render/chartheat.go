package render

import (
	"html/template"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// heat is a grid of values: a row an hour from the top down, a column a weekday. NaN is not known.
type heat struct {
	columns, rows []string
	values        [][]float64 // by row
	label         func(float64) string
	weak          func(row, column int) bool
}

// The measures of a heat map.
const (
	heatWidth = vg.Length(560)
	heatRow   = vg.Length(21)
)

// greatest is the value of the strongest shade.
func (h heat) greatest() float64 {
	most := 0.0
	for _, row := range h.values {
		for _, v := range row {
			if !math.IsNaN(v) {
				most = max(most, v)
			}
		}
	}
	return most
}

// shade is the step of a value: 0 for nothing or very little, the last one for the greatest.
func shade(v, greatest float64, steps int) int {
	if v <= 0 || greatest <= 0 {
		return 0
	}
	return min(steps-1, int(v/greatest*float64(steps)))
}

// svg draws the grid. Each cell tells its number: the shade is never the only sign.
func (h heat) svg(class, says string) template.HTML {
	c := newChart(namesDown(h.columns, 1), namesDown(h.rows, -1))
	c.width, c.height = heatWidth, heatRow*vg.Length(len(h.rows))+legendHeight+3*fontSize
	c.X.Width, c.X.Tick.Length = 0, 0
	c.X.Tick.Label.Font.Size = fontSize
	c.across.Horizontal.Color = nil
	c.Add(h)
	c.span(-0.5, float64(len(h.columns))-0.5, -float64(len(h.rows))+0.5, 0.5)
	c.legend = h.legend()
	return c.svg(class, says)
}

// namesDown are ticks at 0, 1, 2 … or at 0, -1, -2 …
func namesDown(names []string, step float64) []plot.Tick {
	list := make([]plot.Tick, len(names))
	for i, name := range names {
		list[i] = plot.Tick{Value: float64(i) * step, Label: name}
	}
	return list
}

// legend says what the weakest and the strongest shade are.
func (h heat) legend() []legendEntry {
	most := h.greatest()
	strip := func(c *draw.Canvas) {
		step := (c.Max.X - c.Min.X) / vg.Length(len(heatInks))
		for i, ink := range heatInks {
			left := c.Min.X + step*vg.Length(i)
			fillBox(c, ink, left, c.Min.Y, left+step, c.Max.Y)
		}
	}
	return []legendEntry{{"0 … " + h.label(most), strip}, boxEntry("nobody", inkNone)}
}

// Plot implements plot.Plotter.
func (h heat) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	most := h.greatest()
	for row, values := range h.values {
		for column, v := range values {
			step := 0
			fill, on, label := inkNone, inkText, absent
			if !math.IsNaN(v) {
				step = shade(v, most, len(heatInks))
				fill, on, label = heatInks[step], inkOnLight, h.label(v)
			}
			if step >= len(heatInks)/2 {
				on = inkOnStrong
			}
			if h.weak != nil && h.weak(row, column) && !math.IsNaN(v) {
				label += lowMark
			}
			fx, fy := float64(column), -float64(row)
			fillBox(&c, fill, x(fx-0.5)+1, y(fy-0.5)+1, x(fx+0.5)-1, y(fy+0.5)-1)
			style := textStyle(on, fontSize-1)
			style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
			c.FillText(style, vg.Point{X: x(fx), Y: y(fy) + 2}, label)
		}
	}
}
