package render

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

func tickLabels(ticks []plot.Tick) (list []string) {
	for _, t := range ticks {
		list = append(list, t.Label)
	}
	return list
}

// drawn is what has been drawn on a canvas of 100 × 50.
func drawn(draw func(*canvas)) string {
	c := newCanvas(100, 50)
	draw(c)
	return c.out.String()
}

func TestCanvas(t *testing.T) {
	t.Parallel()
	line := vg.Path{{Type: vg.MoveComp, Pos: vg.Point{X: 10, Y: 5}}, {Type: vg.LineComp, Pos: vg.Point{X: 20.26, Y: 15}}, {Type: vg.CloseComp}}
	for name, c := range map[string]struct {
		draw func(*canvas)
		want string
	}{
		"y points up": {
			func(c *canvas) { c.SetColor(inkGrid); c.Stroke(line) },
			`<path class="s-grid" stroke-width="1" d="M10 45L20.3 35Z"/>`,
		},
		"dashes": {
			func(c *canvas) { c.SetLineDash([]vg.Length{3, 1.5}, 0); c.Stroke(line) },
			`<path class="s-text" stroke-width="1" stroke-dasharray="3 1.5" d="M10 45L20.3 35Z"/>`,
		},
		"no width, no line": {func(c *canvas) { c.SetLineWidth(0); c.Stroke(line) }, ``},
		"moved, scaled, and back": {
			func(c *canvas) {
				c.Push()
				c.Translate(vg.Point{X: 1, Y: 2})
				c.Scale(2, 3)
				c.SetColor(inkOpen)
				c.Fill(line)
				c.Pop()
				c.Fill(line)
			},
			`<path class="f-open" d="M21 33L41.5 3Z"/><path class="f-text" d="M10 45L20.3 35Z"/>`,
		},
		"a circle is two halves": {
			func(c *canvas) {
				var p vg.Path
				p.Move(vg.Point{X: 15, Y: 10})
				p.Arc(vg.Point{X: 10, Y: 10}, 5, 0, 2*math.Pi)
				c.Fill(p)
			},
			`<path class="f-text" d="M15 40A5 5 0 0 0 5 40A5 5 0 0 0 15 40"/>`,
		},
		"curves": {
			func(c *canvas) {
				var p vg.Path
				p.Move(vg.Point{})
				p.QuadTo(vg.Point{X: 1, Y: 1}, vg.Point{X: 2})
				p.CubeTo(vg.Point{X: 3, Y: 1}, vg.Point{X: 4, Y: 1}, vg.Point{X: 5})
				c.Fill(p)
			},
			`<path class="f-text" d="M0 50Q1 49 2 50C3 49 4 49 5 50"/>`,
		},
		"text is escaped, and turned with what it stands on": {
			func(c *canvas) {
				c.Rotate(math.Pi / 2)
				c.FillString(font.DefaultCache.Lookup(font.From(sans, 10), 10), vg.Point{X: 7, Y: -3}, "a<b")
			},
			`<text class="f-text" x="3" y="43" font-size="10" textLength="17" lengthAdjust="spacingAndGlyphs" transform="rotate(-90 3 43)">a&lt;b</text>`,
		},
	} {
		if got := drawn(c.draw); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
	}
	if got := newCanvas(100, 50).svg("chart", `"<x>"`); !strings.Contains(got, `aria-label="&#34;&lt;x&gt;&#34;" viewBox="0 0 100 50"`) {
		t.Errorf("got %s", got)
	}
}
