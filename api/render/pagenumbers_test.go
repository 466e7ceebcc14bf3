package render

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/projection/wait"
)

// minutes writes seconds as the page does, in a way of its own.
func minutes(seconds float64) string {
	d := time.Duration(math.Round(seconds)) * time.Second
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

func percent(f float64) string { return fmt.Sprintf("%.1f %%", 100*f) }

// Beside each chart are the report's own numbers.
func TestTablesBesideChartsAreTheReport(t *testing.T) {
	t.Parallel()
	p := madePage(t, func(r *wait.Request) { r.QueueLength, r.DropOff = true, true }, wait.ByQueue)
	doc := document(t, written(t, p))
	waits := [][]string{{"day", "offered", "waits", "mean", "p50", "p80", "p90", "p95", "max"}}
	levels := [][]string{{"day", "SL", "served", "served within", "abandoned", "abandoned within"}}
	outcomes := [][]string{{
		"day", "offered", "served", "abandoned", "no show", "cancelled", "returned", "transferred", "expired", "merged", "open",
	}}
	lengths := [][]string{{"day", "mean length", "most at once", "time waited"}}
	for _, i := range p.OverTime.Items {
		day := i.Start.In(p.OverTime.Zone).Format("2006-01-02 Mon")
		w := []string{day, fmt.Sprint(i.Offered), fmt.Sprint(i.Wait.N)}
		if i.Wait.N == 0 {
			w = append(w, "–", "–", "–", "–", "–", "–")
		} else {
			w = append(w, minutes(i.Wait.Mean))
			for _, n := range []int{50, 80, 90, 95} {
				w = append(w, minutes(float64(i.Wait.Percentiles[n])))
			}
			w = append(w, minutes(float64(i.Wait.Max)))
		}
		waits = append(waits, w)
		level := "–"
		if i.ServiceLevel != nil {
			level = percent(*i.ServiceLevel)
		}
		levels = append(levels, sprints(day, level, i.Served, i.ServedWithin, i.Abandoned, i.AbandonedWithin))
		outcomes = append(outcomes, sprints(day, i.Offered, i.Served, i.Abandoned, i.NoShow, i.Cancelled, i.Returned, i.Transferred, i.Expired, i.Merged, i.Open))
		q := i.QueueLength
		lengths = append(lengths, sprints(day, fmt.Sprintf("%.2f", float64(q.WaitingSeconds)/float64(q.ElapsedSeconds)), q.Max, minutes(float64(q.WaitingSeconds))))
	}
	places := [][]string{{"place", "offered", "abandoned", "rate"}}
	for i, d := range p.Total.Items[0].DropOff {
		name := []string{"1", "2", "3", "4–5", "6–10", "11–20", "21+"}[i]
		places = append(places, sprints(name, d.Offered, d.Abandoned, percent(float64(d.Abandoned)/float64(d.Offered))))
	}
	for caption, want := range map[string][][]string{
		"Waits by day": waits, "Service level and its components by day": levels, "Outcomes by day": outcomes, "Queue length by day": lengths,
		"Gave up, by place at entry": places,
	} {
		if diff := cmp.Diff(want, doc.table(t, caption)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", caption, diff)
		}
	}
}

func sprints(values ...any) (list []string) {
	for _, v := range values {
		list = append(list, fmt.Sprint(v))
	}
	return list
}

// The heat map tells its numbers in its cells, and so does its table.
func TestHeatMapIsTheReport(t *testing.T) {
	t.Parallel()
	p := madePage(t, func(*wait.Request) {})
	doc := document(t, written(t, p))
	means, offered := doc.table(t, "Mean wait by weekday and hour of the day"), doc.table(t, "Offered by weekday and hour of the day")
	var inChart []string
	for _, text := range doc.all("figure")[4].all("text") {
		inChart = append(inChart, text.text)
	}
	rows := 0
	for _, i := range p.HeatMap.Items {
		row := slices.IndexFunc(means, func(r []string) bool { return r[0] == fmt.Sprintf("%02d:00", i.HourOfDay) })
		if row < 0 {
			if i.Offered > 0 {
				t.Errorf("%d o'clock is not there, with %d offered", i.HourOfDay, i.Offered)
			}
			continue
		}
		rows++
		mean := "–"
		if i.Wait.N > 0 {
			mean = minutes(i.Wait.Mean)
		}
		if i.Wait.N > 0 && i.Wait.N < 10 {
			mean += "*"
		}
		if means[row][i.Weekday] != mean || offered[row][i.Weekday] != fmt.Sprint(i.Offered) || !slices.Contains(inChart, mean) {
			t.Errorf("weekday %d at %d: %s and %s, want %s and %d", i.Weekday, i.HourOfDay, means[row][i.Weekday], offered[row][i.Weekday], mean, i.Offered)
		}
	}
	if rows != 70 {
		t.Errorf("%d cells of ten hours and seven days", rows)
	}
}

// A line goes through its values: in equal steps to the right, and as high as they are.
func TestLinesGoThroughTheirValues(t *testing.T) {
	t.Parallel()
	m := newMaker(t, wait.ByDay)
	o := newOverTime(m.report())
	path := regexp.MustCompile(`class="s-line2"[^>]* d="([^"]+)"`)
	lines := path.FindAllStringSubmatch(string(o.percentilesChart()), -1)
	if len(lines) != 2+1 { // a week each, and the legend's
		t.Fatalf("%d lines of p90", len(lines))
	}
	var xs, ys []float64
	for _, line := range lines[1:] {
		for _, point := range strings.FieldsFunc(line[1], func(r rune) bool { return r == 'M' || r == 'L' }) {
			x, y, _ := strings.Cut(point, " ")
			xs, ys = append(xs, number64(t, x)), append(ys, number64(t, y))
		}
	}
	var days, values []float64
	for i, item := range o.Items {
		if item.Wait.N > 0 {
			days, values = append(days, float64(i)), append(values, float64(item.Wait.Percentiles[90]))
		}
	}
	proportional(t, "days", days, xs)
	proportional(t, "p90", values, ys)
}

func number64(t *testing.T, s string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// proportional checks that positions are a linear function of values, to the tenth that positions are written with.
func proportional(t *testing.T, what string, values, at []float64) {
	t.Helper()
	if len(values) != len(at) {
		t.Fatalf("%s: %d values at %d positions", what, len(values), len(at))
	}
	low, high := slices.Index(values, slices.Min(values)), slices.Index(values, slices.Max(values))
	slope := (at[high] - at[low]) / (values[high] - values[low])
	if math.Abs(at[high]-at[low]) < 50 {
		t.Errorf("%s: everything is at the same place", what)
	}
	for i, v := range values {
		if want := at[low] + slope*(v-values[low]); math.Abs(at[i]-want) > 0.2 {
			t.Errorf("%s: %v is at %v, want %v", what, v, at[i], want)
		}
	}
}

func TestChartsHaveAsManyBucketsAsTheyShowWell(t *testing.T) {
	t.Parallel()
	m := newMaker(t)
	for _, c := range []struct {
		days int
		want wait.GroupKey
	}{{1, wait.ByHour}, {5, wait.ByHour}, {6, wait.ByDay}, {120, wait.ByDay}, {121, wait.ByWeek}, {840, wait.ByWeek}, {841, wait.ByMonth}} {
		m.request.To = m.request.From.AddDate(0, 0, c.days)
		if got := PageBucket(m.request.From, m.request.To); got != c.want {
			t.Errorf("%d days: by %s, want %s", c.days, got, c.want)
		} else if n := len(m.buckets(got)); n > mostBuckets+1 {
			t.Errorf("%d days: %d buckets", c.days, n)
		}
	}
}

func TestTicksFitBelowAChart(t *testing.T) {
	t.Parallel()
	m := newMaker(t)
	for _, c := range []struct {
		days int
		want string // the first ones
	}{
		{1, "2 Nov, 02:00, 04:00, 06:00"},
		{5, "2 Nov, 12:00, 3 Nov, 12:00"},
		{14, "2 Nov, 3 Nov, 4 Nov, 5 Nov"},
		{90, "2 Nov, 9 Nov, 16 Nov, 23 Nov"},
		{120, "9 Nov, 23 Nov, 7 Dec, 21 Dec"},
		{840, "Jan 2027, Apr 2027, Jul 2027, Oct 2027"},
		{4000, "Jan 2027, Jan 2028, Jan 2029, Jan 2030"},
	} {
		m.request.To = m.request.From.AddDate(0, 0, c.days)
		m.request.GroupBy = []wait.GroupKey{PageBucket(m.request.From, m.request.To)}
		r := m.report()
		var labels []string
		for _, tick := range timeTicks(r.Items, m.request.GroupBy[0], r.Zone) {
			labels = append(labels, tick.Label)
		}
		if len(labels) > mostTicks || !strings.HasPrefix(strings.Join(labels, ", "), c.want) {
			t.Errorf("%d days: %q, want %s …", c.days, labels, c.want)
		}
	}
}

func TestScales(t *testing.T) {
	t.Parallel()
	labels := func(ticks []string) string { return strings.Join(ticks, " ") }
	for _, c := range []struct{ got, want string }{
		{labels(tickLabels(durationTicks(0))), "0:00 0:01"},
		{labels(tickLabels(durationTicks(50))), "0:00 0:10 0:20 0:30 0:40 0:50"},
		{labels(tickLabels(durationTicks(1260))), "0 min 5 min 10 min 15 min 20 min 25 min"},
		{labels(tickLabels(durationTicks(90061))), "0 min 480 min 960 min 1440 min 1920 min"},
		{labels(tickLabels(countTicks(0))), "0 1"},
		{labels(tickLabels(countTicks(7))), "0 2 4 6 8"},
		{labels(tickLabels(countTicks(214))), "0 50 100 150 200 250"},
		{labels(tickLabels(shareTicks(1))), "0 % 20 % 40 % 60 % 80 % 100 %"},
		{labels(tickLabels(shareTicks(0.031))), "0 % 1 % 2 % 3 % 4 %"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}
