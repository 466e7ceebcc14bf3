package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// flood is a wrapped handler, and the lines that it has written.
type flood struct {
	t       *testing.T
	handler http.Handler
	lines   bytes.Buffer
}

func newFlood(t *testing.T, handle http.HandlerFunc) *flood {
	f := &flood{t: t}
	f.handler = Wrap(slog.New(slog.NewJSONHandler(&f.lines, nil)), handle)
	return f
}

func (f *flood) send(n int, method, path string) {
	for range n {
		r := httptest.NewRequestWithContext(f.t.Context(), http.MethodGet, "/", nil)
		r.Method, r.URL.Path = method, path
		f.handler.ServeHTTP(httptest.NewRecorder(), r)
	}
}

// take returns the lines since the last call.
func (f *flood) take() []map[string]any {
	f.t.Helper()
	var all []map[string]any
	for line := range strings.Lines(f.lines.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			f.t.Fatal(err)
		}
		all = append(all, m)
	}
	f.lines.Reset()
	return all
}

func TestAFloodOfRequestsWritesFewLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFlood(t, func(w http.ResponseWriter, r *http.Request) { Fail(w, r, NewProblem(KindNotFound, "x")) })
		f.send(10_000, http.MethodGet, "/guess")
		if got := len(f.take()); got != linesPerSecond {
			t.Errorf("%d lines in a second, want %d", got, linesPerSecond)
		}
		<-time.After(time.Second)
		f.send(1, http.MethodGet, "/guess")
		lines := f.take()
		if len(lines) != 2 || lines[0]["msg"] != "requests without a line of their own" || lines[0]["count"] != 10_000.0-linesPerSecond || lines[1]["path"] != "/guess" {
			t.Errorf("lines %v, want the count of the others and the next one", lines)
		}
		<-time.After(time.Second)
		f.send(1, http.MethodGet, "/guess")
		if lines := f.take(); len(lines) != 1 {
			t.Errorf("lines %v, want one: nothing was held back", lines)
		}
	})
}

// What strangers do hides neither our own failures nor what was taken.
func TestAFloodHidesNothingElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFlood(t, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/broken":
				Fail(w, r, errors.New("our own bug"))
			case "/signed":
			default:
				Fail(w, r, NewProblem(KindNotFound, "x"))
			}
		})
		f.send(1000, http.MethodGet, "/guess")
		f.take()
		f.send(1, http.MethodGet, "/broken")
		if lines := f.take(); len(lines) != 1 || lines[0]["level"] != "ERROR" {
			t.Errorf("lines %v, want the failure", lines)
		}
		f.send(200, http.MethodPost, "/signed")
		if got := len(f.take()); got != linesPerSecond {
			t.Errorf("%d lines of 200 requests that were answered, want %d", got, linesPerSecond)
		}
		f.send(1000, http.MethodGet, "/broken")
		if got := len(f.take()); got != linesPerSecond-1 {
			t.Errorf("%d more lines of failures, want %d", got, linesPerSecond-1)
		}
	})
}

func TestALineIsShortWhateverIsAskedFor(t *testing.T) {
	t.Parallel()
	f := newFlood(t, func(w http.ResponseWriter, r *http.Request) {
		Annotate(r.Context(), slog.String("cause", "method"))
		Fail(w, r, NewProblem(KindNotFound, "x"))
	})
	f.send(1, strings.Repeat("M", 60_000), "/"+strings.Repeat("ä", 30_000))
	if got := f.lines.Len(); got > 1000 {
		t.Errorf("a line of %d bytes", got)
	}
	line := f.take()[0]
	if line["cause"] != "method" || line["method"] != strings.Repeat("M", 16)+"…" || line["path"] != "/"+strings.Repeat("ä", 99)+"…" {
		t.Errorf("line %v", line)
	}
}
