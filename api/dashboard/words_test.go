package dashboard

import (
	"testing"
	"time"
)

func TestEstimateText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{0, 0, "under 5 min"},
		{20, 300, "under 5 min"},
		{20, 301, "under 10 min"},
		{300, 420, "5–10 min"},
		{900, 1200, "15–20 min"},
		{899, 1201, "10–25 min"},
		{900, 900, "about 15 min"},
		{4000, 9000, "65–150 min"},
	} {
		if got := estimateText(&estimate{LowSeconds: &c.low, HighSeconds: &c.high}); got != c.want {
			t.Errorf("%v to %v: %q, want %q", c.low, c.high, got, c.want)
		}
	}
	if got := estimateText(nil) + estimateText(&estimate{}); got != "" {
		t.Errorf("what can't be told: %q, want nothing", got)
	}
}

func TestNextText(t *testing.T) {
	t.Parallel()
	for high, want := range map[float64]string{300: "next in under 5 min", 900: "next about 10–15 min"} {
		low := high - 300
		if got := nextText(&estimate{LowSeconds: &low, HighSeconds: &high}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := nextText(nil); got != "" {
		t.Errorf("what can't be told: %q", got)
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[int64]string{0: "0 s", 59: "59 s", 60: "1 min", 3599: "59 min", 3600: "1 h 00", 7500: "2 h 05", 200000: "2 days"} {
		if got := duration(&seconds); got != want {
			t.Errorf("%d: %q, want %q", seconds, got, want)
		}
	}
	if got := duration(nil); got != absent {
		t.Errorf("no duration: %q", got)
	}
}

func TestAgo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	for before, want := range map[time.Duration]string{-time.Minute: "just now", 9 * time.Second: "just now", 10 * time.Second: "10 s ago", time.Hour: "1 h 00 ago"} {
		at := now.Add(-before)
		if got := ago(now, &at); got != want {
			t.Errorf("%s before: %q, want %q", before, got, want)
		}
	}
	if got := ago(now, nil); got != "never" {
		t.Errorf("never: %q", got)
	}
}
