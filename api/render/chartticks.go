package render

import (
	"math"
	"strconv"
	"time"

	"gonum.org/v1/plot"

	"queuetrack/projection/wait"
)

// mostTicks is how many labels fit below a chart.
const mostTicks = 14

// durationTicks are marks from 0 to at least the longest, at lengths that people count in.
func durationTicks(longest float64) []plot.Tick {
	steps := []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400}
	step := steps[0]
	for _, step = range steps {
		if longest <= step*6 {
			break
		}
	}
	for longest > step*6 {
		step *= 2
	}
	return ticks(longest, step, func(v float64) string {
		if step >= 60 {
			return strconv.FormatFloat(v/60, 'f', -1, 64) + " min"
		}
		return duration(v)
	})
}

// countTicks are whole numbers from 0 to at least the greatest.
func countTicks(greatest float64) []plot.Tick {
	step := 1.0
	for i := 0; greatest > step*5; i++ {
		step *= []float64{2, 2.5, 2}[i%3] // 1, 2, 5, 10, …
	}
	return ticks(greatest, step, func(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) })
}

// shareTicks are percents, all of them or up to the greatest.
func shareTicks(greatest float64) []plot.Tick {
	step := 0.2
	for _, s := range []float64{0.01, 0.02, 0.05, 0.1} {
		if greatest <= s*5 {
			step = s
			break
		}
	}
	return ticks(greatest, step, func(v float64) string { return strconv.FormatFloat(v*100, 'f', 0, 64) + " %" })
}

// ticks go from 0 in steps until nothing is above the last.
func ticks(greatest, step float64, label func(float64) string) []plot.Tick {
	last := max(1, int(math.Ceil(greatest/step-1e-9)))
	list := make([]plot.Tick, last+1)
	for i := range list {
		v := float64(i) * step
		list[i] = plot.Tick{Value: v, Label: label(v)}
	}
	return list
}

// timeTicks name buckets below a chart whose x is the number of the bucket: as many as fit, and rather those at which
// people look (midnights, Mondays, first months).
func timeTicks(items []wait.Item, key wait.GroupKey, zone *time.Location) []plot.Tick {
	starts := make([]time.Time, len(items))
	for i := range items {
		starts[i] = items[i].Start.In(zone)
	}
	for _, s := range scales(key) {
		var list []plot.Tick
		for i, t := range starts {
			if s.at(t) {
				list = append(list, plot.Tick{Value: float64(i), Label: t.Format(s.layout(t))})
			}
		}
		if len(list) > 0 && len(list) <= mostTicks {
			return list
		}
	}
	return everyTick(starts, key)
}

// everyTick spreads labels evenly.
func everyTick(starts []time.Time, key wait.GroupKey) (list []plot.Tick) {
	step := (len(starts) + mostTicks - 1) / mostTicks
	for i := 0; i < len(starts); i += step {
		list = append(list, plot.Tick{Value: float64(i), Label: starts[i].Format(layouts[key])})
	}
	return list
}

// layouts are the short names of buckets.
var layouts = map[wait.GroupKey]string{wait.ByHour: "15:04", wait.ByDay: "2 Jan", wait.ByWeek: "2 Jan", wait.ByMonth: "Jan 2006"}

// scale is a choice among buckets.
type scale struct {
	at     func(time.Time) bool
	layout func(time.Time) string
}

// scales are the choices for a bucket, from the finest.
func scales(key wait.GroupKey) (list []scale) {
	fixed := func(time.Time) string { return layouts[key] }
	switch key {
	case wait.ByHour:
		clock := func(t time.Time) string {
			if t.Hour() == 0 {
				return layouts[wait.ByDay]
			}
			return layouts[wait.ByHour]
		}
		for _, n := range []int{1, 2, 3, 6, 12, 24} {
			list = append(list, scale{func(t time.Time) bool { return t.Hour()%n == 0 && t.Minute() == 0 }, clock})
		}
	case wait.ByDay:
		for _, n := range []int{1, 7, 14} {
			list = append(list, scale{func(t time.Time) bool {
				return n == 1 || t.Weekday() == time.Monday && t.YearDay()%n < 7
			}, fixed})
		}
		list = append(list, scale{func(t time.Time) bool { return t.Day() == 1 }, fixed})
	case wait.ByWeek:
		list = append(list, scale{func(time.Time) bool { return true }, fixed})
		for _, n := range []int{1, 3, 6} {
			list = append(list, scale{
				func(t time.Time) bool { return t.Day() <= 7 && (int(t.Month())-1)%n == 0 },
				func(time.Time) string { return layouts[wait.ByMonth] },
			})
		}
	case wait.ByMonth:
		for _, n := range []int{1, 3, 6, 12} {
			list = append(list, scale{func(t time.Time) bool { return (int(t.Month())-1)%n == 0 }, fixed})
		}
	case wait.BySource, wait.ByLocation, wait.ByQueue, wait.ByDesk, wait.ByAgent, wait.ByWeekday, wait.ByHourOfDay:
	}
	return list
}
