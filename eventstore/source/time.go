package source

import (
	"strings"
	"time"
)

// ParseTime reads a vendor's time, with or without seconds, a fraction of any length, and an offset; a space may stand
// for the T. One without an offset is in zone, and a nil zone means that such a time can't be told.
//
// The result is UTC in whole microseconds, which is what Postgres keeps. It is zero for what is no time and for a
// year outside 2 to 9999: .NET writes year 1 for "none", and one odd date must not lose the rest of a delivery.
func ParseTime(s string, zone *time.Location) time.Time {
	const minutes = len("2006-01-02T15:04")
	if len(s) < minutes || s[10] != 'T' && s[10] != ' ' {
		return time.Time{}
	}
	if s[10] == 'T' { // what nearly all vendors write, and the library reads it ten times as fast as any other
		if t, err := time.Parse(time.RFC3339, s); err == nil {
			return plausible(t)
		}
	}
	layout := "2006-01-02" + s[10:11] + "15:04"
	if len(s) > minutes && s[minutes] == ':' {
		layout += ":05" // a fraction after it needs no layout
	}
	switch offset := strings.LastIndexAny(s, "Zz+-"); {
	case offset < minutes:
		if zone == nil {
			return time.Time{}
		}
	case strings.Contains(s[offset:], ":") || s[offset] == 'Z':
		layout, zone = layout+"Z07:00", time.UTC
	default:
		layout, zone = layout+"Z0700", time.UTC
	}
	t, err := time.ParseInLocation(layout, s, zone)
	if err != nil {
		return time.Time{}
	}
	return plausible(t)
}

// plausible is the time in UTC and whole microseconds, unless it stands for none.
func plausible(t time.Time) time.Time {
	t = t.UTC().Truncate(time.Microsecond)
	if t.Year() < 2 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}
