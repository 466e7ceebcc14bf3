package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What hangs, fails, or says too much is a finding of one line like any other.
func TestExamine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fine := func(context.Context) ([]Finding, error) { return []Finding{{"a", OK, "two\n lines\x1b[2J", ""}}, nil }
		none := func(context.Context) ([]Finding, error) { return nil, nil }
		fails := func(context.Context) ([]Finding, error) { return nil, errors.New("no such thing") }
		hung := make(chan struct{})
		defer close(hung)
		hangs := func(context.Context) ([]Finding, error) { <-hung; return nil, nil } // deaf to its context
		began := time.Now()
		got := Examine(t.Context(), []Check{{"one", "a", fine}, {"one", "b", fails}, {"two", "c", none}, {"three", "d", hangs}}, time.Second)
		if took := time.Since(began); took != time.Second {
			t.Errorf("it took %v", took)
		}
		equal(t, "sections", []Section{
			{"one", []Finding{{"a", OK, "two lines\uFFFD[2J", ""}, {"b", Problem, "could not look: no such thing", ""}}},
			{"three", []Finding{{"d", Problem, "no answer within 1s", "look at it when the machine and the database have less to do"}}},
		}, got)
	})
}

func made() []Section {
	return []Section{
		{"database", []Finding{{"version", OK, "Postgres 15.18", ""}, {"fsync", Problem, "off", "set it"}}},
		{"clocks", []Finding{{"a clock – far", Warning, "ahead", "set it"}, {"b", Note, "as it is", ""}, {"c", Note, "so so", ""}}},
	}
}

func TestPrint(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := Print(&out, made(), false); err != nil {
		t.Fatal(err)
	}
	equal(t, "printed", `database
  ok       version        Postgres 15.18
  problem  fsync          off
                          → set it

clocks
  warning  a clock – far  ahead
                          → set it
  note     b              as it is
  note     c              so so

1 problem, 1 warning, 2 notes, 1 ok
`, out.String())
	plain := out.String()
	out.Reset()
	if err := Print(&out, made(), true); err != nil {
		t.Fatal(err)
	}
	for _, ink := range []string{"\x1b[32m", "\x1b[36m", "\x1b[33m", "\x1b[1;31m", "\x1b[0m"} {
		if !strings.Contains(out.String(), ink) {
			t.Errorf("no %q in colour", ink)
		}
	}
	equal(t, "without its colour", plain, strings.NewReplacer("\x1b[32m", "", "\x1b[36m", "", "\x1b[33m", "", "\x1b[1;31m", "", "\x1b[0m", "").Replace(out.String()))
}

func TestPrintJSON(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := PrintJSON(&out, made()); err != nil {
		t.Fatal(err)
	}
	var got struct {
		OK                        bool
		Problems, Warnings, Notes int
		Sections                  []Section
	}
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	equal(t, "sections", made(), got.Sections)
	if got.OK || got.Problems != 1 || got.Warnings != 1 || got.Notes != 2 {
		t.Errorf("counted %+v", got)
	}
}

func TestLong(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", 1234567 * time.Nanosecond: "1ms", 90*time.Second + 400*time.Millisecond: "1m30s", 25*time.Hour + 29*time.Second: "25h0m", 49 * time.Hour: "2 days",
	} {
		if got := long(d); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
}
