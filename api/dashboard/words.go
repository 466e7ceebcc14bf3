package dashboard

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"time"
)

// functions are what templates call.
var functions = template.FuncMap{
	"asset": asset, "duration": duration, "estimate": estimateText, "percent": percent,
	"clock": clock, "whole": whole, "address": pathOf, "absent": func() string { return absent }, "spaced": spaced,
}

// absent stands where there is no value.
const absent = "–"

// duration is a time that somebody waits, as a person would say it.
func duration(seconds *int64) string {
	if seconds == nil {
		return absent
	}
	s := *seconds
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min", s/60)
	case s < 48*3600:
		return fmt.Sprintf("%d h %02d", s/3600, s%3600/60)
	}
	return fmt.Sprintf("%d days", s/86400)
}

// estimateStep is what an estimate on a screen is rounded to: seconds would promise what nobody can keep.
const estimateStep = 300

// estimateText is an estimate for a screen: a range in steps of five minutes that contains the computed one. Nothing when
// it can't be told.
func estimateText(e *estimate) string {
	if e == nil || e.LowSeconds == nil || e.HighSeconds == nil {
		return ""
	}
	low := int(math.Floor(*e.LowSeconds/estimateStep)) * 5
	high := int(math.Ceil(*e.HighSeconds/estimateStep)) * 5
	switch {
	case high <= 5:
		return "under 5 min"
	case low == 0:
		return fmt.Sprintf("under %d min", high)
	case low == high:
		return fmt.Sprintf("about %d min", low)
	}
	return fmt.Sprintf("%d–%d min", low, high)
}

// ago is how long something has been.
func ago(now time.Time, t *time.Time) string {
	if t == nil {
		return "never"
	}
	seconds := max(0, int64(now.Sub(*t).Seconds()))
	if seconds < 10 {
		return "just now"
	}
	return duration(&seconds) + " ago"
}

// percent is a share; a whole number of hundredths is as much as a glance takes in.
func percent(share *float64) string {
	if share == nil {
		return absent
	}
	return strconv.Itoa(int(math.Round(*share*100))) + " %"
}

// clock is the time of the day in a zone.
func clock(t *time.Time, zone *time.Location) string {
	if t == nil {
		return absent
	}
	return t.In(zone).Format("15:04:05")
}

// whole is a number rounded for a glance.
func whole(v *float64) string {
	if v == nil {
		return absent
	}
	return strconv.Itoa(int(math.Round(*v)))
}

// pathOf is the path of parts that may hold anything.
func pathOf(parts ...string) string { return address(nil, parts...) }

// spaced is a word of the API as people read it.
func spaced(word string) string {
	out := []byte(word)
	for i, c := range out {
		if c == '_' {
			out[i] = ' '
		}
	}
	return string(out)
}
