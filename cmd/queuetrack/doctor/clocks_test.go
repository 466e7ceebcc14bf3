package doctor

import (
	"strings"
	"testing"
	"time"

	"queuetrack/projection"
)

func TestVendorsClocks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		behind time.Duration
		want   Verdict
		hint   string
	}{
		{"as it should be", 2 * time.Second, OK, ""},
		{"ahead", -3 * time.Second, Warning, "NTP"},
		{"late", 10 * time.Minute, Warning, "held up"},
		{"another zone", 2*time.Hour + 3*time.Second, Warning, "timezone"},
		{"too late for any zone", 48 * time.Hour, Warning, "held up"},
		{"another zone, ahead", -time.Hour + 2*time.Second, Warning, "timezone"},
	} {
		s, _ := logOf(t)
		for n := range 3 {
			s.add(t, "city", "file:new", "", time.Duration(n)*time.Minute, c.behind)
		}
		findings, err := s.Clocks(t.Context())
		f := only(t, found(t, findings, err), "clock of city")
		if f.Verdict != c.want || !strings.Contains(f.Do, c.hint) || (c.hint == "timezone") != strings.Contains(f.Do, "timezone") {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
}

// A few that come before they happened are a note; most of them, a warning.
func TestSomeAheadOfTheirReceipt(t *testing.T) {
	t.Parallel()
	s, _ := logOf(t)
	for n := range 9 {
		behind := time.Second
		if n < 2 {
			behind = -time.Minute
		}
		s.add(t, "city", "file:new", "", time.Duration(n)*time.Minute, behind)
	}
	findings, err := s.Clocks(t.Context())
	if f := only(t, found(t, findings, err), "clock of city"); f.Verdict != Note || !strings.Contains(f.Found, "2 of them before it") {
		t.Errorf("%+v", f)
	}
}

func TestReceivedInTheFuture(t *testing.T) {
	t.Parallel()
	s, _ := logOf(t)
	s.add(t, "city", "file:new", "", -3*time.Hour, 0)
	findings, err := s.Clocks(t.Context())
	if f := only(t, found(t, findings, err), "this machine's clock"); f.Verdict != Problem || !strings.Contains(f.Found, "3h0m from now") {
		t.Errorf("%+v", f)
	}
}

func TestNegativeWaitsAreTold(t *testing.T) {
	t.Parallel()
	s, pool := logOf(t)
	reader := projection.NewReader(pool)
	look := func() []Finding {
		findings, err := s.NegativeWaits(t.Context(), reader)
		return found(t, findings, err)
	}
	if all := look(); len(all) != 0 {
		t.Errorf("of none: %+v", all)
	}
	exec(t, pool, `
		INSERT INTO wait_segment_0 (source, ticket, n, queue, desk, agent, entered_at, called_at, left_at, outcome, wait_seconds, self_registered, recalls)
		SELECT 'city', t::text, 1, '1', '', '', $1, $1::timestamptz + t * interval '1 second', $1, 'served', t, false, 0
		  FROM generate_series(-1, 2) AS t`, noon.Add(-time.Hour))
	if f := only(t, look(), "waits of city"); f.Verdict != Warning || !strings.HasPrefix(f.Found, "1 of 4 ") {
		t.Errorf("%+v", f)
	}
}
