package source_test

import (
	"testing"
	"time"

	"queuetrack/eventstore/source"
)

func TestParseTime(t *testing.T) {
	t.Parallel()
	oslo := time.FixedZone("winter", 3600)
	for _, tt := range []struct {
		in   string
		zone *time.Location
		want string // RFC 3339 UTC; empty: no time
	}{
		{"2020-05-15T00:15:24Z", nil, "2020-05-15T00:15:24Z"},
		{"2018-12-31T13:53:19.243Z", nil, "2018-12-31T13:53:19.243Z"},
		{"2020-05-15T00:15Z", nil, "2020-05-15T00:15:00Z"}, // Qminder without seconds
		{"2020-05-15T00:15+02:00", nil, "2020-05-14T22:15:00Z"},
		{"2025-05-14T10:48:07.8912039+02:00", nil, "2025-05-14T08:48:07.891203Z"},
		{"2025-05-14T10:48:07.5-0330", nil, "2025-05-14T14:18:07.5Z"},
		{"2018-04-24T08:18:42.089895Z", nil, "2018-04-24T08:18:42.089895Z"},
		{"2018-04-24T08:18:42.1Z", nil, "2018-04-24T08:18:42.1Z"},
		{"2018-04-24T08:18:42.123456789Z", nil, "2018-04-24T08:18:42.123456Z"},
		{"2018-04-24T08:18:42.123456789123456789Z", nil, "2018-04-24T08:18:42.123456Z"},
		{"2025-05-16T14:25:37", oslo, "2025-05-16T13:25:37Z"},
		{"2025-05-16T14:25:37.5", oslo, "2025-05-16T13:25:37.5Z"},
		{"2021-01-21 14:10", oslo, "2021-01-21T13:10:00Z"}, // Ombori's bookings
		{"2021-01-21 14:10:05Z", oslo, "2021-01-21T14:10:05Z"},
		{"2025-05-16T14:25:37", nil, ""},
		{"0001-01-01T00:00:00", oslo, ""}, // .NET's "none"
		{"0001-01-01T00:00:00Z", nil, ""},
		{"0001-12-31T23:59:59Z", nil, ""},
		{"0000-01-01T00:00:00Z", nil, ""},
		{"9999-12-31T23:59:59Z", nil, "9999-12-31T23:59:59Z"},
		{"9999-12-31T23:59:59-01:00", nil, ""},
		{"10000-01-01T00:00:00Z", nil, ""},
		{"-2020-05-15T00:15:24Z", nil, ""},
		{"2020-02-30T00:15:24Z", nil, ""},
		{"2020-05-15T24:15:24Z", nil, ""},
		{"2020-05-15T00:15:24Zjunk", nil, ""},
		{"2020-05-15T00:15:24z", nil, ""},
		{"2020-05-15T00:15:24.Z", nil, ""},
		{"2020-05-15", oslo, ""},
		{"1589501724", oslo, ""},
		{"yyyy-MM-dd HH:mm", oslo, ""},
		{"", oslo, ""},
	} {
		got := source.ParseTime(tt.in, tt.zone)
		text := ""
		if !got.IsZero() {
			text = got.Format(time.RFC3339Nano)
		}
		if text != tt.want {
			t.Errorf("ParseTime(%q) = %q, want %q", tt.in, text, tt.want)
		}
		if got.Location() != time.UTC {
			t.Errorf("ParseTime(%q) is in %v", tt.in, got.Location())
		}
	}
}

func FuzzParseTime(f *testing.F) {
	f.Add("2020-05-15T00:15:24.123Z")
	f.Add("2021-01-21 14:10")
	f.Fuzz(func(t *testing.T, s string) {
		got := source.ParseTime(s, time.UTC)
		if got.IsZero() {
			return
		}
		if y := got.Year(); y < 2 || y > 9999 || got.Nanosecond()%1000 != 0 {
			t.Errorf("ParseTime(%q) = %v", s, got)
		}
	})
}
