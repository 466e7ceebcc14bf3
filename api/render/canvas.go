package render

import (
	"fmt"
	"html"
	"image"
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// canvas is what gonum draws on: SVG for the inside of a page. gonum's own SVG has its colours in style attributes,
// which a strict content security policy forbids and a style sheet can't change; this one names inks as classes, and
// its text is text.
type canvas struct {
	width, height vg.Length
	out           strings.Builder
	state
	saved []state
}

// state is what Push keeps.
type state struct {
	ink    color.Color
	line   vg.Length
	dashes []vg.Length
	turn   affine
}

// affine maps what is drawn to the canvas, whose origin is at the bottom left.
type affine struct{ a, b, c, d, e, f float64 }

func (m affine) at(p vg.Point) (x, y float64) {
	px, py := p.X.Points(), p.Y.Points()
	return m.a*px + m.c*py + m.e, m.b*px + m.d*py + m.f
}

// then is m after what n does.
func (m affine) then(n affine) affine {
	return affine{
		m.a*n.a + m.c*n.b, m.b*n.a + m.d*n.b,
		m.a*n.c + m.c*n.d, m.b*n.c + m.d*n.d,
		m.a*n.e + m.c*n.f + m.e, m.b*n.e + m.d*n.f + m.f,
	}
}

func newCanvas(width, height vg.Length) *canvas {
	c := &canvas{width: width, height: height}
	c.turn = affine{a: 1, d: 1}
	vg.Initialize(c)
	return c
}

// svg is the drawing, with what it shows in a sentence for those who can't see it.
func (c *canvas) svg(class, says string) string {
	return fmt.Sprintf(`<svg class="%s" role="img" aria-label="%s" viewBox="0 0 %s %s">%s</svg>`,
		class, html.EscapeString(says), points(c.width.Points()), points(c.height.Points()), c.out.String())
}

// The methods of vg.Canvas and vg.CanvasSizer.

func (c *canvas) Size() (w, h vg.Length)                      { return c.width, c.height }
func (c *canvas) SetLineWidth(w vg.Length)                    { c.line = w }
func (c *canvas) SetLineDash(dashes []vg.Length, _ vg.Length) { c.dashes = dashes }
func (c *canvas) SetColor(col color.Color)                    { c.ink = col }
func (c *canvas) Translate(p vg.Point) {
	c.turn = c.turn.then(affine{a: 1, d: 1, e: p.X.Points(), f: p.Y.Points()})
}
func (c *canvas) Scale(x, y float64) { c.turn = c.turn.then(affine{a: x, d: y}) }
func (c *canvas) Rotate(rad float64) {
	sin, cos := math.Sincos(rad)
	c.turn = c.turn.then(affine{a: cos, b: sin, c: -sin, d: cos})
}
func (c *canvas) Push() { c.saved = append(c.saved, c.state) }
func (c *canvas) Pop()  { c.state, c.saved = c.saved[len(c.saved)-1], c.saved[:len(c.saved)-1] }

// Stroke draws along a path.
func (c *canvas) Stroke(p vg.Path) {
	if c.line <= 0 || len(p) == 0 {
		return
	}
	dashes := ""
	if len(c.dashes) > 0 {
		list := make([]string, len(c.dashes))
		for i, d := range c.dashes {
			list[i] = points(d.Points())
		}
		dashes = ` stroke-dasharray="` + strings.Join(list, " ") + `"`
	}
	fmt.Fprintf(&c.out, `<path class="s-%s" stroke-width="%s"%s d="%s"/>`, c.class(), points(c.line.Points()), dashes, c.path(p))
}

// Fill fills a path.
func (c *canvas) Fill(p vg.Path) {
	if len(p) == 0 {
		return
	}
	fmt.Fprintf(&c.out, `<path class="f-%s" d="%s"/>`, c.class(), c.path(p))
}

// FillString writes a text. Its length is told: a reader's font may be another one than the one it was measured with.
func (c *canvas) FillString(f font.Face, at vg.Point, text string) {
	x, y := c.turn.at(at)
	y = c.height.Points() - y
	turned := ""
	if angle := -math.Atan2(c.turn.b, c.turn.a) * 180 / math.Pi; angle != 0 {
		turned = fmt.Sprintf(` transform="rotate(%s %s %s)"`, points(angle), points(x), points(y))
	}
	fmt.Fprintf(&c.out, `<text class="f-%s" x="%s" y="%s" font-size="%s" textLength="%s" lengthAdjust="spacingAndGlyphs"%s>%s</text>`,
		c.class(), points(x), points(y), points(f.Font.Size.Points()), points(f.Width(text).Points()), turned, html.EscapeString(text))
}

// DrawImage is for charts that hold pictures. Ours don't.
func (c *canvas) DrawImage(vg.Rectangle, image.Image) { panic("a chart of a page draws a picture") }

// class is the ink in use. What gonum sets by itself before it draws (black) is text's.
func (c *canvas) class() ink {
	if i, ok := c.ink.(ink); ok {
		return i
	}
	return inkText
}

// path is what SVG calls path data, with y downwards.
func (c *canvas) path(p vg.Path) string {
	var d strings.Builder
	to := func(verb string, at ...vg.Point) {
		d.WriteString(verb)
		for i, point := range at {
			if i > 0 {
				d.WriteByte(' ')
			}
			x, y := c.turn.at(point)
			d.WriteString(points(x) + " " + points(c.height.Points()-y))
		}
	}
	for _, comp := range p {
		switch comp.Type {
		case vg.MoveComp:
			to("M", comp.Pos)
		case vg.LineComp:
			to("L", comp.Pos)
		case vg.CurveComp:
			to([]string{"", "Q", "C"}[len(comp.Control)], append(append([]vg.Point{}, comp.Control...), comp.Pos)...)
		case vg.ArcComp:
			c.arc(&d, to, comp)
		case vg.CloseComp:
			d.WriteByte('Z')
		}
	}
	return d.String()
}

// arc goes round in two halves: SVG knows no arc that ends where it begins.
func (c *canvas) arc(d *strings.Builder, to func(string, ...vg.Point), comp vg.PathComp) {
	on := func(angle float64) vg.Point {
		sin, cos := math.Sincos(angle)
		return comp.Pos.Add(vg.Point{X: comp.Radius * vg.Length(cos), Y: comp.Radius * vg.Length(sin)})
	}
	radius := points(comp.Radius.Points() * math.Sqrt(math.Abs(c.turn.a*c.turn.d-c.turn.b*c.turn.c)))
	sweep := 0 // y points down: what turns left here turns right there
	if comp.Angle < 0 {
		sweep = 1
	}
	for half := 1.0; half <= 2; half++ {
		fmt.Fprintf(d, "A%s %s 0 0 %d ", radius, radius, sweep)
		to("", on(comp.Start+comp.Angle*half/2))
	}
}

// points writes a length with a tenth of a point: finer than anybody sees, and the same on every machine.
func points(f float64) string {
	text := strconv.FormatFloat(f, 'f', 1, 64)
	text = strings.TrimSuffix(text, ".0")
	if text == "-0" {
		return "0"
	}
	return text
}
