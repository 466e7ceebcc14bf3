package render

import (
	"html/template"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// pile is what stands on top of each other in a bar: a value a bar.
type pile struct {
	name   string
	ink    ink
	values []float64
}

// boxes draws a bar for each bucket, of piles from the bottom up. Bars are plotted here rather than by gonum's own
// plotter, whose bars are as wide in every chart, however many there are.
type boxes struct {
	piles []pile
	width float64 // of a bar, where 1 is the distance between two
}

func (b boxes) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	if len(b.piles) == 0 {
		return
	}
	for i := range b.piles[0].values {
		base := 0.0
		for _, pile := range b.piles {
			v := pile.values[i]
			if v > 0 {
				fillBox(&c, pile.ink, x(float64(i)-b.width/2), y(base), x(float64(i)+b.width/2), y(base+v))
			}
			base += v
		}
	}
}

// fillBox fills a rectangle and draws its outline, by which neighbours are told apart in any print.
func fillBox(c *draw.Canvas, i ink, left, bottom, right, top vg.Length) {
	path := vg.Rectangle{Min: vg.Point{X: left, Y: bottom}, Max: vg.Point{X: right, Y: top}}.Path()
	c.SetColor(i)
	c.Fill(path)
	c.SetLineStyle(draw.LineStyle{Color: i, Width: hairline})
	c.Stroke(path)
}

// stacked is a chart of piles over buckets.
func stacked(x, y []plot.Tick, piles []pile) chart {
	c := newChart(x, y)
	n := len(piles[0].values)
	c.Add(boxes{piles, barWidth(n)})
	for _, p := range piles {
		c.legend = append(c.legend, boxEntry(p.name, p.ink))
	}
	c.span(-0.5, max(float64(n)-0.5, 0.5), 0, y[len(y)-1].Value)
	return c
}

// barWidth leaves gaps between bars that are wide enough for them.
func barWidth(n int) float64 {
	if n > 60 {
		return 1
	}
	return 0.75
}

func boxEntry(name string, i ink) legendEntry {
	return legendEntry{name, func(c *draw.Canvas) { fillBox(c, i, c.Min.X, c.Min.Y, c.Min.X+18, c.Max.Y) }}
}

// bar is a value with a name, and what is written at its end.
type bar struct {
	name, label string
	ink         ink
	value       float64
}

// barRow is the height of a bar that lies.
const barRow = vg.Length(24)

// lying draws bars from the left to the right, the first one on top.
func lying(says string, bars []bar) template.HTML {
	names := make([]plot.Tick, len(bars))
	greatest := 0.0
	for i, b := range bars {
		names[i] = plot.Tick{Value: float64(len(bars) - 1 - i), Label: b.name}
		greatest = max(greatest, b.value)
	}
	c := newChart(nil, names)
	c.across.Horizontal.Color = nil
	c.height = barRow*vg.Length(len(bars)) + fontSize
	c.HideX()
	c.Add(lyingBars(bars))
	c.span(0, max(greatest, 1)*1.2, -0.5, float64(len(bars))-0.5) // a fifth for what is written at the ends
	return c.svg("chart", says)
}

// lyingBars draws the bars and their labels.
type lyingBars []bar

func (b lyingBars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := textStyle(inkText, fontSize)
	style.YAlign = draw.YCenter
	for i, bar := range b {
		row := float64(len(b) - 1 - i)
		if bar.value > 0 {
			fillBox(&c, bar.ink, x(0), y(row-0.36), x(bar.value), y(row+0.36))
		}
		c.FillText(style, vg.Point{X: x(bar.value) + 6, Y: y(row) + 2}, bar.label)
	}
}

// above writes a label over each standing bar.
func above(values []float64, labels []string) (*plotter.Labels, error) {
	points := make(plotter.XYs, len(values))
	for i, v := range values {
		points[i] = plotter.XY{X: float64(i), Y: v}
	}
	l, err := plotter.NewLabels(plotter.XYLabels{XYs: points, Labels: labels})
	if err != nil {
		return nil, err
	}
	for i := range l.TextStyle {
		l.TextStyle[i] = textStyle(inkText, fontSize)
		l.TextStyle[i].XAlign, l.TextStyle[i].YAlign = draw.XCenter, draw.YBottom
	}
	l.Offset.Y = 3
	return l, nil
}
