package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"queuetrack/projection/wait"
)

// absent stands where nothing is known.
const absent = "–"

// lowMark follows a number of samples so small that its percentiles say little.
const lowMark = "*"

// form is how a number is written for people.
type form string

// The forms.
const (
	formCount    form = "count"
	formDuration form = "duration" // of seconds
	formShare    form = "share"    // 1 is all
	formDecimal  form = "decimal"
)

// write is a number that is known.
func (f form) write(v float64) string {
	switch f {
	case formCount:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case formDuration:
		return duration(v)
	case formShare:
		return share(v)
	case formDecimal:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return absent
}

// difference is how much more a number is than before, with its sign.
func (f form) difference(now, before float64) string {
	text := f.write(math.Abs(now - before))
	if f == formShare {
		text = strconv.FormatFloat(math.Abs(now-before)*100, 'f', 1, 64) + " pp"
	}
	if !strings.ContainsAny(text, "123456789") {
		return "±" + text
	}
	if now < before {
		return "-" + text
	}
	return "+" + text
}

// share is a part of 1 as a percentage.
func share(f float64) string {
	text := strconv.FormatFloat(f*100, 'f', 1, 64)
	if text == "-0.0" {
		text = "0.0"
	}
	return text + " %"
}

// duration is seconds as m:ss; an hour is 60 minutes.
func duration(seconds float64) string {
	s := int64(math.Round(seconds))
	sign := ""
	if s < 0 {
		sign, s = "-", -s
	}
	return fmt.Sprintf("%s%d:%02d", sign, s/60, s%60)
}

// spaced is a name of the answers' JSON as people write it.
func spaced(name string) string { return strings.ReplaceAll(name, "_", " ") }

// placeName is a range of places in a queue.
func placeName(p wait.Place) string {
	switch p.To {
	case p.From:
		return integer(p.From)
	case 0:
		return integer(p.From) + "+"
	}
	return integer(p.From) + "–" + integer(p.To)
}

// meanLength is the average number that waited, unknown where no time has gone by yet.
func meanLength(l wait.QueueLength) (float64, bool) {
	if l.ElapsedSeconds <= 0 {
		return 0, false
	}
	return float64(l.WaitingSeconds) / float64(l.ElapsedSeconds), true
}

// rate is a part of a whole, unknown where there is no whole.
func rate(part, whole int64) (float64, bool) {
	if whole <= 0 {
		return 0, false
	}
	return float64(part) / float64(whole), true
}
