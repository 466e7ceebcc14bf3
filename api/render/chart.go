package render

import (
	"html/template"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The measures of charts, in points, of which a page shows about one a pixel.
const (
	chartWidth   = vg.Length(720)
	chartHeight  = vg.Length(260)
	legendHeight = vg.Length(22)
	fontSize     = vg.Length(12)
	hairline     = vg.Length(0.5)
)

// sans is the font that texts are measured with; it is as wide as Arial and Helvetica.
var sans = font.Font{Typeface: "Liberation", Variant: "Sans"}

// chart is a plot as all our charts look: no frame, faint lines across, a legend above.
type chart struct {
	*plot.Plot
	width, height vg.Length
	legend        []legendEntry
	across        *plotter.Grid
}

// legendEntry is a name, and what it is drawn with.
type legendEntry struct {
	name   string
	sample func(c *draw.Canvas) // draws into the whole of c
}

// newChart is an empty one; its axes have ticks where the caller wants them.
func newChart(x, y []plot.Tick) chart {
	p := plot.New()
	p.BackgroundColor = nil
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color = inkAxis
		axis.Width = hairline
		axis.Tick.Color = inkAxis
		axis.Tick.Width = hairline
		axis.Tick.Length = 4
		axis.Tick.Label.Font = font.From(sans, fontSize)
		axis.Tick.Label.Color = inkText
		axis.Padding = 0
	}
	p.Y.Width, p.Y.Tick.Length = 0, 0
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks(x), plot.ConstantTicks(y)
	across := plotter.NewGrid()
	across.Vertical.Color = nil
	across.Horizontal = draw.LineStyle{Color: inkGrid, Width: hairline}
	p.Add(across)
	return chart{Plot: p, width: chartWidth, height: chartHeight, across: across}
}

// span sets what the axes reach over. It comes after the data, whose own range is narrower.
func (c chart) span(xmin, xmax, ymin, ymax float64) {
	c.X.Min, c.X.Max, c.Y.Min, c.Y.Max = xmin, xmax, ymin, ymax
}

// svg draws the chart.
func (c chart) svg(class, says string) template.HTML {
	out := newCanvas(c.width, c.height)
	all := draw.New(out)
	top := vg.Length(fontSize / 2) // the uppermost tick's label
	for _, row := range c.legendRows() {
		drawLegend(draw.Crop(all, 0, 0, c.height-legendHeight, -top+fontSize/2), row)
		top += legendHeight
	}
	c.Draw(draw.Crop(all, 2, -2, 2, -top))
	return template.HTML(out.svg(class, says)) // every text and attribute in it is escaped by the canvas
}

// The measures of a legend: of a sample, before its name, and after it.
const (
	legendSample = vg.Length(26)
	legendGap    = vg.Length(6)
	legendSpace  = vg.Length(18)
)

func (e legendEntry) width() vg.Length {
	return legendSample + legendGap + textStyle(inkText, fontSize).Width(e.name) + legendSpace
}

// legendRows part the legend into lines that fit.
func (c chart) legendRows() (rows [][]legendEntry) {
	room := vg.Length(0)
	for _, e := range c.legend {
		if e.width() > room {
			rows = append(rows, nil)
			room = c.width
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], e)
		room -= e.width()
	}
	return rows
}

// drawLegend writes the names of a line.
func drawLegend(area draw.Canvas, row []legendEntry) {
	x := area.Min.X + 4
	for _, e := range row {
		box := area
		box.Min.X, box.Max.X = x, x+legendSample
		box.Min.Y, box.Max.Y = area.Max.Y-fontSize, area.Max.Y-1
		e.sample(&box)
		area.FillText(textStyle(inkText, fontSize), vg.Point{X: box.Max.X + legendGap, Y: area.Max.Y}, e.name)
		x += e.width()
	}
}

// textStyle is a text that hangs from its point to the right.
func textStyle(i ink, size vg.Length) text.Style {
	return text.Style{
		Color: i, Font: font.From(sans, size), XAlign: text.XLeft, YAlign: text.YTop, Handler: plot.DefaultTextHandler,
	}
}

// series is a line of a chart: a value a bucket, NaN where there is none.
type series struct {
	name   string
	style  draw.LineStyle
	values []float64
	weak   []bool // nil, or which values are of few samples: drawn as rings
}

// lines are the looks of lines, from the first to the last: by ink, width and dashes.
func lineStyle(i int) draw.LineStyle {
	dashes := [][]vg.Length{nil, {6, 3}, {2, 2}, {8, 3, 2, 3}, {1, 3}}
	widths := []vg.Length{2.2, 1.8, 1.8, 1.5, 1.8}
	return draw.LineStyle{Color: lineInks[i%len(lineInks)], Width: widths[i%len(widths)], Dashes: dashes[(i+i/len(dashes))%len(dashes)]}
}

// add draws a line with gaps where there are no values, and values that stand alone, or are weak, as dots and rings.
func (c *chart) add(s series) {
	var run plotter.XYs
	end := func() {
		if len(run) > 1 {
			c.Add(&plotter.Line{XYs: run, LineStyle: s.style})
		} else if len(run) == 1 && !s.isWeak(int(run[0].X)) {
			c.Add(s.dot(run, draw.CircleGlyph{}))
		}
		run = nil
	}
	for i, v := range s.values {
		if math.IsNaN(v) {
			end()
			continue
		}
		run = append(run, plotter.XY{X: float64(i), Y: v})
		if s.isWeak(i) {
			c.Add(s.dot(run[len(run)-1:], ringGlyph{}))
		}
	}
	end()
	c.legend = append(c.legend, legendEntry{s.name, func(c *draw.Canvas) {
		y := (c.Min.Y + c.Max.Y) / 2
		c.StrokeLine2(s.style, c.Min.X, y, c.Max.X, y)
	}})
}

func (s series) isWeak(i int) bool { return s.weak != nil && s.weak[i] }

func (s series) dot(at plotter.XYs, shape draw.GlyphDrawer) *plotter.Scatter {
	return &plotter.Scatter{XYs: at, GlyphStyle: draw.GlyphStyle{Color: s.style.Color, Radius: 2.5, Shape: shape}}
}

// ringGlyph is an open circle, thick enough for paper.
type ringGlyph struct{}

// DrawGlyph implements draw.GlyphDrawer.
func (ringGlyph) DrawGlyph(c *draw.Canvas, g draw.GlyphStyle, at vg.Point) {
	c.SetLineStyle(draw.LineStyle{Color: g.Color, Width: 1.2})
	var p vg.Path
	p.Move(at.Add(vg.Point{X: g.Radius}))
	p.Arc(at, g.Radius, 0, 2*math.Pi)
	p.Close()
	c.Stroke(p)
}
