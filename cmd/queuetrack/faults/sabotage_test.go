//go:build linux

package faults

import (
	"errors"
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

// The readers' check: each kind of damage is seen, and only that.
func TestReadersSee(t *testing.T) {
	t.Parallel()
	at := func(positions map[string]int64) glimpse { return glimpse{path: "/v1/queues", positions: positions} }
	both := func(a, b int64) map[string]int64 { return map[string]int64{city: a, crm: b} }
	serves := func(n int) glimpse { return glimpse{path: "/v1/projections", positions: both(9, 9), generation: &n} }
	report := func(offered int64) glimpse {
		return glimpse{path: "/v1/reports/waits", positions: both(9, 9), offered: offered}
	}
	for name, c := range map[string]struct {
		saw         []glimpse
		want        []string
		generations []int
	}{
		"nothing":          {saw: []glimpse{at(both(7, 3)), at(both(7, 4)), at(both(9, 4))}},
		"a step back":      {saw: []glimpse{at(both(7, 3)), at(both(8, 2))}, want: []string{"crm goes back from 3 to 2"}},
		"back to nothing":  {saw: []glimpse{at(both(7, 3)), at(both(0, 3))}, want: []string{"city goes back from 7 to 0"}},
		"back, later":      {saw: []glimpse{at(both(7, 3)), at(both(9, 3)), at(both(8, 3)), at(both(9, 3))}, want: []string{"city goes back from 9 to 8"}},
		"a missing source": {saw: []glimpse{at(map[string]int64{city: 7})}, want: []string{"no position of crm"}},
		"no answer": {
			saw:  []glimpse{at(both(7, 3)), {path: "/v1/queues", err: errors.New("status 503")}, at(both(7, 3))},
			want: []string{"status 503"},
		},
		"a lost ticket": {
			saw:  []glimpse{{path: "/v1/tickets/city/1", positions: both(7, 3), status: "waiting", want: "served"}},
			want: []string{`status "waiting", want "served"`},
		},
		"a partial report": {saw: []glimpse{report(5), report(6), report(2), report(6)}, want: []string{"2 tickets were offered, and 6 before"}},
		"an empty report":  {saw: []glimpse{report(5), report(0)}, want: []string{"0 tickets were offered, and 5 before"}},
		"switches":         {saw: []glimpse{serves(1), serves(1), serves(2), at(both(9, 9)), serves(1)}, generations: []int{1, 2, 1}},
	} {
		w := witness{sources: []string{city, crm}, positions: map[string]int64{}}
		for _, g := range c.saw {
			w.see(g)
		}
		if !slices.EqualFunc(w.problems, c.want, strings.HasSuffix) {
			t.Errorf("%s: %q, want %q", name, w.problems, c.want)
		}
		if !slices.Equal(w.generations, c.generations) {
			t.Errorf("%s: the generations %v, want %v", name, w.generations, c.generations)
		}
	}
}

func TestReadersSeeWhatTookLong(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	asked := func(after, took time.Duration) glimpse { return glimpse{at: noon.Add(after), took: took} }
	r := &readers{all: []*reader{
		{glimpses: []glimpse{asked(0, time.Second), asked(2*time.Second, 50*time.Millisecond), asked(9*time.Second, 2*time.Second)}},
		{glimpses: []glimpse{asked(5*time.Second, 30*time.Millisecond), asked(11*time.Second, 70*time.Millisecond), asked(20*time.Second, 3*time.Second)}},
	}}
	longest, others := r.around(noon.Add(10*time.Second), noon.Add(12*time.Second))
	if longest != 2*time.Second || others != 3*time.Second {
		t.Errorf("the longest around it %v, others %v", longest, others)
	}
}
