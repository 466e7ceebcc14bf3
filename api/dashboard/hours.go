package dashboard

import (
	"fmt"
	"strings"
	"time"
)

// hoursChart shows how long people waited today, hour by hour: a bar up to the median, and a line up to what nine of ten
// did not exceed. Its lengths are in a coordinate system of its own.
type hoursChart struct {
	Name   string
	Hours  []hourBar
	Most   string // what the full height stands for
	Words  string // the same for those who don't see it
	Width  int
	Height int
}

// hourBar is one hour.
type hourBar struct {
	X, Width              int
	Median, MedianHeight  int // y and height
	Ninth                 int // y
	HasWaits, Now         bool
	Label, MedianText, P9 string
}

// The measures of the chart: an hour, its bar, the height of the bars, and the least that the full height stands for.
const (
	hourWidth   = 40
	barWidth    = 26
	barsHeight  = 90
	leastHeight = 600 // seconds
	leastHours  = 6
)

// newHoursChart is of the hours from the day's first visitor to now.
func newHoursChart(s sourceView, report waitReport, now time.Time) hoursChart {
	c := hoursChart{Name: s.Source, Height: barsHeight}
	items, most := report.Items, int64(leastHeight)
	for len(items) > leastHours && items[0].Offered == 0 {
		items = items[1:]
	}
	for len(items) > leastHours && items[len(items)-1].Start.After(now) {
		items = items[:len(items)-1]
	}
	for _, item := range items {
		if item.Wait.P90Seconds != nil {
			most = max(most, *item.Wait.P90Seconds)
		}
	}
	var words []string
	for i, item := range items {
		b := hourBar{X: i*hourWidth + (hourWidth-barWidth)/2, Width: barWidth, Label: item.Start.In(s.zone()).Format("15:04")}
		b.Now = !item.Start.After(now) && now.Before(item.Start.Add(time.Hour))
		if item.Wait.P50Seconds != nil && item.Wait.P90Seconds != nil {
			b.HasWaits = true
			b.MedianHeight = max(1, int(*item.Wait.P50Seconds*barsHeight/most))
			b.Median = barsHeight - b.MedianHeight
			b.Ninth = barsHeight - int(*item.Wait.P90Seconds*barsHeight/most)
			b.MedianText, b.P9 = duration(item.Wait.P50Seconds), duration(item.Wait.P90Seconds)
			words = append(words, fmt.Sprintf("%s: half waited at most %s, nine in ten at most %s", b.Label, b.MedianText, b.P9))
		}
		c.Hours = append(c.Hours, b)
	}
	c.Width = len(items) * hourWidth
	c.Most = duration(&most)
	c.Words = "Nobody was called yet today."
	if len(words) > 0 {
		c.Words = strings.Join(words, "; ") + "."
	}
	return c
}
