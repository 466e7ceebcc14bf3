package render

import (
	"math"
	"slices"
	"strings"

	"github.com/rivo/uniseg"

	"queuetrack/projection/wait"
)

// eighths are bars of an eighth of a character to a whole one, lying; levels are the standing ones.
var (
	eighths = []rune("▏▎▍▌▋▊▉█")
	levels  = []rune("▁▂▃▄▅▆▇█")
	shades  = []string{"  ", "░░", "▒▒", "▓▓", "██"}
)

// barOf is a value as a bar, of so many characters for the greatest. What is above 0 is seen.
func barOf(v, greatest float64, width int) string {
	if v <= 0 || greatest <= 0 {
		return ""
	}
	n := max(1, int(math.Round(v/greatest*float64(width*8))))
	bar := strings.Repeat("█", n/8)
	if rest := n % 8; rest > 0 {
		bar += string(eighths[rest-1])
	}
	return bar
}

// spark is a line of values, each as high as it is great; what is not known is a space.
func spark(values []float64, greatest float64) string {
	var b strings.Builder
	for _, v := range values {
		if math.IsNaN(v) {
			b.WriteByte(' ')
			continue
		}
		b.WriteRune(levels[shade(v, greatest, len(levels))])
	}
	return b.String()
}

// mostSparks is how many buckets a line of sparks has at most.
const mostSparks = 62

// writeSparks begins a report of something by time with a line for each something: how its waits went.
func (r Waits) writeSparks(out *strings.Builder) {
	if len(r.GroupBy) != 2 || isTime(r.GroupBy[0]) || !isTime(r.GroupBy[1]) {
		return
	}
	c := r.barColumn()
	most := r.longest(c)
	keys := r.keyColumns()
	keys = keys[:len(keys)-1]
	var names, lines, peaks []string
	for _, run := range runs(r.Items, keys) {
		if len(run) < 2 || len(run) > mostSparks {
			return
		}
		values, peak := make([]float64, len(run)), 0.0
		for i, item := range run {
			v, known := c.of(item.Measures)
			if values[i] = v; !known {
				values[i] = math.NaN()
			}
			peak = max(peak, v)
		}
		var name []string
		for _, key := range keys {
			name = append(name, cut(key.text(run[0]), keyWidth))
		}
		names = append(names, strings.Join(name, " "))
		lines = append(lines, leftAligned+"▕"+spark(values, most)+"▏")
		peaks = append(peaks, leftAligned+"up to "+c.form.write(peak))
	}
	out.WriteString(c.name + " by " + spaced(string(r.GroupBy[1])) + "\n")
	align(out, [][]string{names, lines, peaks}, 1)
	out.WriteByte('\n')
}

// runs are the items that follow each other and have the same keys.
func runs(items []wait.Item, keys []keyColumn) (list [][]wait.Item) {
	same := func(a, b wait.Item) bool {
		return !slices.ContainsFunc(keys, func(k keyColumn) bool { return k.text(a) != k.text(b) })
	}
	begin := 0
	for i := range items {
		if i > 0 && !same(items[i-1], items[i]) {
			list = append(list, items[begin:i])
			begin = i
		}
	}
	return append(list, items[begin:])
}

// isTime reports whether a key is a bucket of time.
func isTime(key wait.GroupKey) bool {
	switch key {
	case wait.ByHour, wait.ByDay, wait.ByWeek, wait.ByMonth, wait.ByWeekday, wait.ByHourOfDay:
		return true
	case wait.BySource, wait.ByLocation, wait.ByQueue, wait.ByDesk, wait.ByAgent:
	}
	return false
}

// wide is how many columns of a terminal a text takes.
func wide(s string) int { return uniseg.StringWidth(s) }
