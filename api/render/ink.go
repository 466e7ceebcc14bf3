package render

import "image/color"

// ink is what something in a chart is drawn with. The charts only name it: what it looks like (on a light or a dark
// screen, on paper) is said once, in the page's style.
type ink string

// The inks that are no series: what charts are made of.
const (
	inkText ink = "text"
	inkAxis ink = "axis"
	inkGrid ink = "grid"
)

// lineInks are the lines of a chart, in their order. Beside colour and lightness they differ in their dashes.
var lineInks = []ink{"line0", "line1", "line2", "line3", "line4"}

// The inks of outcomes: they differ in pattern, too.
const (
	inkServed    ink = "served"
	inkAbandoned ink = "abandoned"
	inkNoShow    ink = "no-show"
	inkOther     ink = "other"
	inkOpen      ink = "open"
)

// heatInks are the steps of a heat map, from the least to the most; inkNone is where nothing is known.
var heatInks = []ink{"heat0", "heat1", "heat2", "heat3", "heat4", "heat5", "heat6", "heat7"}

const (
	inkNone     ink = "none"
	inkOnLight  ink = "on-light" // numbers on the lower half of heatInks
	inkOnStrong ink = "on-strong"
)

// RGBA implements color.Color for gonum, which hands colours on to the canvas and never looks at them.
func (ink) RGBA() (r, g, b, a uint32) { return color.Black.RGBA() }
