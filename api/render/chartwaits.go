package render

import (
	"fmt"
	"html/template"
	"math"
	"strconv"

	"gonum.org/v1/plot"

	"queuetrack/projection/wait"
)

// overTime are the charts of a report that is grouped by one time key alone.
type overTime struct {
	Waits
	key wait.GroupKey
	x   []plot.Tick
}

func newOverTime(r Waits) overTime {
	key := r.GroupBy[0]
	return overTime{r, key, timeTicks(r.Items, key, r.Zone)}
}

// says begins what a chart shows, for those who can't see it.
func (o overTime) says(what string) string {
	return fmt.Sprintf("%s by %s, %d values; the table below has the numbers", what, o.key, len(o.Items))
}

// values are what is told of each bucket; NaN where nothing is known.
func (o overTime) values(of func(wait.Item) (float64, bool)) []float64 {
	list := make([]float64, len(o.Items))
	for i, item := range o.Items {
		v, known := of(item)
		if list[i] = v; !known {
			list[i] = math.NaN()
		}
	}
	return list
}

// greatest is the greatest value that is known, 0 without any.
func greatest(lists ...[]float64) float64 {
	most := 0.0
	for _, list := range lists {
		for _, v := range list {
			if !math.IsNaN(v) {
				most = max(most, v)
			}
		}
	}
	return most
}

// lines is a chart of series over the buckets.
func (o overTime) lines(y []plot.Tick, list ...series) chart {
	c := newChart(o.x, y)
	for _, s := range list {
		c.add(s)
	}
	c.span(-0.5, max(float64(len(o.Items))-0.5, 0.5), 0, y[len(y)-1].Value)
	return c
}

// percentilesChart shows how long people waited.
func (o overTime) percentilesChart() template.HTML {
	weak := make([]bool, len(o.Items))
	for i, item := range o.Items {
		weak[i] = item.Wait.N < LowN
	}
	var list []series
	var all [][]float64
	for i, p := range o.Percentiles {
		values := o.values(func(item wait.Item) (float64, bool) {
			v, ok := item.Wait.Percentiles[p]
			return float64(v), ok && item.Wait.N > 0
		})
		list = append(list, series{"p" + strconv.Itoa(p), lineStyle(i), values, weak})
		all = append(all, values)
	}
	return o.lines(durationTicks(greatest(all...)), list...).svg("chart", o.says("Percentiles of the wait"))
}

// levelChart shows the service level.
func (o overTime) levelChart() template.HTML {
	values := o.values(func(item wait.Item) (float64, bool) {
		if item.ServiceLevel == nil {
			return 0, false
		}
		return *item.ServiceLevel, true
	})
	weak := make([]bool, len(o.Items))
	for i, item := range o.Items {
		weak[i] = item.Served+item.Abandoned < LowN
	}
	s := series{o.levelName(), lineStyle(0), values, weak}
	return o.lines(shareTicks(1), s).svg("chart", o.says("Service level "+o.levelName()))
}

// outcomesChart shows how segments ended.
func (o overTime) outcomesChart() template.HTML {
	var piles []pile
	for _, kind := range outcomeKinds {
		p := pile{kind.name, kind.ink, make([]float64, len(o.Items))}
		for i, item := range o.Items {
			p.values[i] = float64(kind.of(item.Measures))
		}
		piles = append(piles, p)
	}
	most := greatest(o.values(func(item wait.Item) (float64, bool) { return float64(item.Offered), true }))
	return stacked(o.x, countTicks(most), piles).svg("chart", o.says("Outcomes"))
}

// lengthChart shows how many waited.
func (o overTime) lengthChart() template.HTML {
	mean := o.values(func(item wait.Item) (float64, bool) { return meanLength(item.QueueLength) })
	most := o.values(func(item wait.Item) (float64, bool) {
		return float64(item.QueueLength.Max), item.QueueLength.ElapsedSeconds > 0
	})
	return o.lines(countTicks(greatest(mean, most)), series{"most at once", lineStyle(1), most, nil}, series{"mean", lineStyle(0), mean, nil}).
		svg("chart", o.says("Queue length"))
}

// outcomeKinds are what the chart over time tells apart; the tables tell them all.
var outcomeKinds = []struct {
	name string
	ink  ink
	of   func(wait.Measures) int64
}{
	{"served", inkServed, func(m wait.Measures) int64 { return m.Served }},
	{"abandoned", inkAbandoned, func(m wait.Measures) int64 { return m.Abandoned }},
	{"no show", inkNoShow, func(m wait.Measures) int64 { return m.NoShow }},
	{
		"other", inkOther,
		func(m wait.Measures) int64 { return m.Cancelled + m.Returned + m.Transferred + m.Expired + m.Merged },
	},
	{"open", inkOpen, func(m wait.Measures) int64 { return m.Open }},
}

// totalsChart shows all outcomes of the window.
func totalsChart(m wait.Measures) template.HTML {
	inks := map[string]ink{"served": inkServed, "abandoned": inkAbandoned, "no_show": inkNoShow, "open": inkOpen}
	var bars []bar
	for _, c := range counts(wait.Item{Measures: m})[1:] {
		b := bar{name: spaced(c.name), label: integer(c.n), ink: inkOther, value: float64(c.n)}
		if i, ok := inks[c.name]; ok {
			b.ink = i
		}
		if m.Offered > 0 {
			b.label += " (" + share(float64(c.n)/float64(m.Offered)) + ")"
		}
		bars = append(bars, b)
	}
	return lying("Outcomes of the whole window; the table below has the numbers", bars)
}

// dropOffChart shows who gave up, by the place that they found.
func dropOffChart(places []wait.Place) (template.HTML, error) {
	p := pile{"abandoned / offered", inkAbandoned, make([]float64, len(places))}
	names, labels := make([]string, len(places)), make([]string, len(places))
	for i, place := range places {
		names[i], labels[i] = placeName(place), "nobody"
		if place.Offered > 0 {
			p.values[i] = float64(place.Abandoned) / float64(place.Offered)
			labels[i] = share(p.values[i])
		}
	}
	c := stacked(namesDown(names, 1), shareTicks(greatest(p.values)), []pile{p})
	l, err := above(p.values, labels)
	if err != nil {
		return "", err
	}
	c.Add(l)
	return c.svg("chart", "Share that gave up, by place at entry; the table below has the numbers"), nil
}
