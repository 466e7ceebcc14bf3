//go:build linux

package faults

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// The test of the check: each kind of damage is seen, and only that.
func TestCompareSees(t *testing.T) {
	t.Parallel()
	a, b, c, strange := digest{1}, digest{2}, digest{3}, digest{4}
	answers := map[digest]answer{a: {city, 1}, b: {city, 2}, c: {crm, 1}}
	whole := []row{{city, 1, a}, {city, 2, b}, {crm, 1, c}}
	for name, broken := range map[string]struct {
		rows []row
		want []string
	}{
		"nothing":          {whole, nil},
		"a loss":           {whole[:2], []string{"crm:1 was answered 200, and its delivery is not in the log"}},
		"a hole":           {[]row{{city, 1, a}, {city, 3, b}, {crm, 1, c}}, []string{"city: position 3 follows 1", "city:3 was answered as city:2"}},
		"a hole in front":  {[]row{{city, 1, a}, {city, 2, b}, {crm, 2, c}}, []string{"crm: position 2 follows 0", "crm:2 was answered as crm:1"}},
		"a double":         {slices.Insert(slices.Clone(whole), 2, row{city, 3, a}), []string{"city:3 is a second copy of position 1"}},
		"an exchange":      {[]row{{city, 1, b}, {city, 2, a}, {crm, 1, c}}, []string{"city:1 was answered as city:2", "city:2 was answered as city:1"}},
		"another source":   {[]row{{city, 1, a}, {city, 2, b}, {city, 3, c}}, []string{"city:3 was answered as crm:1"}},
		"an unknown event": {append(slices.Clone(whole), row{crm, 2, strange}), []string{"crm:2 was never sent"}},
	} {
		if got := compare(answers, broken.rows); !slices.Equal(got, broken.want) {
			t.Errorf("%s: %q, want %q", name, got, broken.want)
		}
	}
}

func TestSendersSee(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status   string
		position int64
		known    bool
		attempt  int
		wrong    bool
	}{
		"the first":                        {"accepted", 7, false, 1, false},
		"a retry that found itself":        {"duplicate", 7, false, 2, false},
		"known before it was sent":         {"duplicate", 7, false, 1, true},
		"a repetition":                     {"duplicate", 7, true, 1, false},
		"a repetition taken as news":       {"accepted", 8, true, 1, true},
		"a repetition of something else":   {"duplicate", 8, true, 1, true},
		"quarantined, with nothing amiss":  {"quarantined", 7, false, 1, true},
		"quarantined, though known before": {"quarantined", 7, true, 1, true},
	} {
		d := life(city, 1, time.Now())[0]
		l := &load{answers: map[digest]answer{}, statuses: map[string]map[string]string{city: {}}}
		if c.known {
			l.keep(d, 1, "accepted", 7)
		}
		l.keep(d, c.attempt, c.status, c.position)
		if got := len(l.problems) > 0; got != c.wrong {
			t.Errorf("%s: complained %v (%q), want %v", name, got, l.problems, c.wrong)
		}
	}
}

// A real log, changed behind everybody's back: the check as a whole says so, and `queuetrack verify` with it.
func TestCheckSeesALostEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := startLoad(t, w, chance(t), 1)
	l.flow(t, 20)
	l.finish()
	if problems := audit(t, l); len(problems) > 0 {
		t.Fatalf("before anything is broken: %q", problems)
	}
	err := w.execute(`
		ALTER TABLE event DISABLE TRIGGER USER;
		DELETE FROM event WHERE source = 'city' AND position = 2;
		ALTER TABLE event ENABLE TRIGGER USER`)
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Join(audit(t, l), "\n")
	for _, want := range []string{"city: position 3 follows 1", "city:2 was answered 200, and its delivery is not in the log", "queuetrack verify: exit status 1"} {
		if !strings.Contains(said, want) {
			t.Errorf("nobody said %q of a lost event, only:\n%s", want, said)
		}
	}
}
