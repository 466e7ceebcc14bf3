package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5/pgconn"

	"queuetrack/eventstore"
	"queuetrack/projection"
)

// ask sends one request to a router whose log lines it returns.
func ask(t *testing.T, method, target string, mount func(*http.ServeMux)) (*httptest.ResponseRecorder, []map[string]any) {
	t.Helper()
	var lines bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	mux := http.NewServeMux()
	mount(mux)
	w := httptest.NewRecorder()
	Wrap(log, mux).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, target, nil))
	var logged []map[string]any
	for line := range strings.Lines(lines.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		logged = append(logged, m)
	}
	return w, logged
}

func problemIn(t *testing.T, w *httptest.ResponseRecorder) Problem {
	t.Helper()
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q, want a problem", got)
	}
	var p Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("problem %q: %v", w.Body, err)
	}
	return p
}

func TestProblemOf(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for name, c := range map[string]struct {
		err  error
		want Kind
	}{
		"a problem stays itself":    {fmt.Errorf("deep: %w", NewProblem(KindUnknownQueue, "x")), KindUnknownQueue},
		"the log is busy":           {fmt.Errorf("append to city: %w", eventstore.ErrBusy), KindBusy},
		"the deadline passed":       {fmt.Errorf("read: %w", context.DeadlineExceeded), KindTimeout},
		"a statement took too long": {&pgconn.PgError{Code: "57014"}, KindTimeout},
		"the database shuts down":   {&pgconn.PgError{Code: "57P01"}, KindUnavailable},
		"a rebuild was faster":      {fmt.Errorf("read: %w", projection.ErrCleared), KindOvertaken},
		"no connection":             {fmt.Errorf("connect: %w", refused), KindUnavailable},
		"too many connections":      {&pgconn.PgError{Code: "53300"}, KindUnavailable},
		"anything else":             {errors.New("secret detail"), KindInternal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := ProblemOf(c.err); !errors.Is(got, NewProblem(c.want, "")) {
				t.Errorf("ProblemOf(%v) = %s, want %s", c.err, got.Type, c.want)
			}
		})
	}
}

func TestAnInternalErrorIsBlandOutsideAndLoggedInside(t *testing.T) {
	t.Parallel()
	w, logged := ask(t, http.MethodGet, "/v1/x?token=hidden", func(mux *http.ServeMux) {
		mux.HandleFunc("/v1/x", func(w http.ResponseWriter, r *http.Request) { Fail(w, r, errors.New("relation missing")) })
	})
	p := problemIn(t, w)
	if w.Code != 500 || strings.Contains(w.Body.String(), "relation") {
		t.Errorf("answer %d %s tells the cause", w.Code, w.Body)
	}
	if p.Instance == "" || p.Instance != w.Header().Get("X-Request-Id") {
		t.Errorf("instance %q, want the request id %q", p.Instance, w.Header().Get("X-Request-Id"))
	}
	if len(logged) != 1 {
		t.Fatalf("%d log lines, want 1: %v", len(logged), logged)
	}
	want := map[string]any{
		"level": "ERROR", "msg": "request", "method": "GET", "path": "/v1/x", "status": 500.0,
		"error": "relation missing", "request_id": p.Instance,
	}
	ignore := cmpopts.IgnoreMapEntries(func(k string, _ any) bool { return k == "time" || k == "bytes" || k == "duration_seconds" })
	if diff := cmp.Diff(want, logged[0], ignore); diff != "" {
		t.Errorf("log line (-want +got):\n%s", diff)
	}
}

func TestAPanicBecomesA500WithItsStackLogged(t *testing.T) {
	t.Parallel()
	w, logged := ask(t, http.MethodGet, "/boom", func(mux *http.ServeMux) {
		mux.HandleFunc("/boom", func(http.ResponseWriter, *http.Request) { panic("the vendor sent a 7") })
	})
	if p := problemIn(t, w); p.Status != 500 || strings.Contains(w.Body.String(), "vendor") {
		t.Errorf("answer %s", w.Body)
	}
	if len(logged) != 1 || logged[0]["error"] != "panic: the vendor sent a 7" || !strings.Contains(fmt.Sprint(logged[0]["stack"]), "api_test.go") {
		t.Errorf("log %v, want one line with the panic and its stack", logged)
	}
}

func TestAPanicAfterTheAnswerBeganHangsUp(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(Wrap(slog.New(slog.DiscardHandler), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 1<<16))
		panic("half way")
	})))
	t.Cleanup(server.Close)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err == nil {
		_, err = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
	if err == nil {
		t.Error("the answer looks whole")
	}
}

func TestEveryAnswerHasTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	w, _ := ask(t, http.MethodGet, "/", func(mux *http.ServeMux) { mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {}) })
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cache-Control": "no-store",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestRouterAnswersUnknownPathsAndMethodsWithProblems(t *testing.T) {
	t.Parallel()
	r := NewRouter(slog.New(slog.DiscardHandler))
	r.Get("/v1/queues/{source}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "body") })
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{http.MethodGet, "/v1/queues/city", 200, ""},
		{http.MethodHead, "/v1/queues/city", 200, ""},
		{http.MethodGet, "/v1/nothing", 404, ""},
		{http.MethodGet, "/v1/queues/city/", 404, ""},
		{http.MethodPost, "/v1/queues/city", 405, "GET, HEAD"},
		{http.MethodDelete, "/v1/queues/a%2Fb", 405, "GET, HEAD"},
	} {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), c.method, c.path, nil))
		if w.Code != c.status || w.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s: %d Allow %q, want %d Allow %q", c.method, c.path, w.Code, w.Header().Get("Allow"), c.status, c.allow)
		}
		if c.status >= 400 {
			problemIn(t, w)
		}
	}
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]bool{
		"127.0.0.1:8080": true, "localhost:0": true, "[::1]:8080": true, "127.9.9.9:1": true,
		":8080": false, "0.0.0.0:8080": false, "[::]:8080": false, "10.0.0.7:8080": false,
		"queues.example.com:8080": false, "127.0.0.1.example.com:8080": false,
	} {
		if got, err := Loopback(addr); err != nil || got != want {
			t.Errorf("Loopback(%q) = %v, %v", addr, got, err)
		}
	}
	if _, err := Loopback("nonsense"); err == nil || !strings.Contains(err.Error(), "host:port") {
		t.Errorf("Loopback(nonsense): %v does not say what to write", err)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	var database, schema error
	var found projection.Drift
	h := NewHealth(Checks{
		Database: func(context.Context) error { return database },
		Schema:   func(context.Context) error { return schema },
		Projections: func(context.Context) ([]projection.Progress, error) {
			return []projection.Progress{{State: "serving", Source: "city", Position: 5, Tail: 9, LagSeconds: 1.5, DeadLetters: 2, Halted: "a hole", Drift: []string{"code"}}}, nil
		},
		Drift:  func(context.Context) (projection.Drift, error) { return found, nil },
		Logger: slog.New(slog.DiscardHandler),
	})
	r := NewRouter(slog.New(slog.DiscardHandler))
	h.Mount(r)
	get := func(path string, status int) string {
		t.Helper()
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if w.Code != status {
			t.Errorf("%s: %d, want %d", path, w.Code, status)
		}
		return strings.TrimSpace(w.Body.String())
	}
	equal := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	equal(get("/livez", 200), `{"status":"ok"}`)
	equal(get("/readyz", 200), `{"status":"ready"}`)
	equal(get("/readyz?verbose", 200), `{"status":"ready","checks":{"database":"ok","schema":"ok","shutdown":"ok"},"projections":[`+
		`{"source":"city","generation":0,"state":"serving","position":5,"tail":9,"lag_events":4,"lag_seconds":1.5,"dead_letters":2,"halted":"a hole","drift":["code"]}]}`)
	found = projection.Drift{Generation: 3, Code: true, Settings: []string{"city"}}
	if got, want := get("/readyz?verbose", 200), `"drift":{"generation":3,"code":true,"settings":["city"],"advice":"run 'queuetrack rebuild', or start serve with --rebuild-on-drift"},"projections":[`; !strings.Contains(got, want) {
		t.Errorf("got  %s\nwant in it %s", got, want)
	}

	schema = errors.New("migration 3 of 8")
	equal(get("/readyz", 503), `{"status":"unavailable","checks":{"database":"ok","schema":"failed","shutdown":"ok"}}`)
	database = errors.New("connection refused to 10.0.0.3")
	equal(get("/readyz", 503), `{"status":"unavailable","checks":{"database":"failed","schema":"not checked","shutdown":"ok"}}`)
	equal(get("/livez", 200), `{"status":"ok"}`)

	database, schema = nil, nil
	h.Drain()
	equal(get("/readyz", 503), `{"status":"unavailable","checks":{"database":"ok","schema":"ok","shutdown":"shutting down"}}`)
	equal(get("/livez", 200), `{"status":"ok"}`)
}

func TestHealthIsLoggedAtDebugOnly(t *testing.T) {
	t.Parallel()
	_, logged := ask(t, http.MethodGet, LivePath, func(mux *http.ServeMux) { mux.HandleFunc(LivePath, func(http.ResponseWriter, *http.Request) {}) })
	if len(logged) != 1 || logged[0]["level"] != "DEBUG" {
		t.Errorf("log %v, want one line at debug", logged)
	}
}

func TestMetricsHaveTheLag(t *testing.T) {
	t.Parallel()
	reg := NewRegistry()
	reg.MustRegister(NewLagCollector(func(context.Context) ([]projection.Progress, error) {
		return []projection.Progress{{State: "serving", Source: "city", Position: 5, Tail: 9, LagSeconds: 1.5, DeadLetters: 2, Drift: []string{"settings"}}}, nil
	}))
	w := httptest.NewRecorder()
	MetricsHandler(reg).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, MetricsPath, nil))
	for _, want := range []string{
		`queuetrack_projection_lag_events{source="city",state="serving"} 4`,
		`queuetrack_projection_lag_seconds{source="city",state="serving"} 1.5`,
		`queuetrack_projection_dead_letters{source="city",state="serving"} 2`,
		`queuetrack_projection_halted{source="city",state="serving"} 0`,
		`queuetrack_projection_drift{source="city",state="serving"} 1`,
		"go_goroutines",
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %q in the metrics", want)
		}
	}
}

func TestMetricsHaveTheRebuild(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state projection.WorkState
		phase projection.Phase
		want  string
	}{
		{projection.WorkNone, "", `state{phase="",state="none",task="rebuild"} 1`},
		{projection.WorkDone, "", `state{phase="",state="done",task="rebuild"} 1`},
		{projection.WorkInterrupted, projection.PhaseFilling, `events 5, log_events 9, state{phase="filling",state="interrupted",task="rebuild"} 1`},
		{projection.WorkFailed, projection.PhaseFilling, `events 5, log_events 9, state{phase="filling",state="failed",task="rebuild"} 1`},
		{projection.WorkRunning, projection.PhaseFilling, `events 5, events_per_second 2, log_events 9, state{phase="filling",state="running",task="rebuild"} 1`},
	} {
		reg := NewRegistry()
		reg.MustRegister(NewRebuildCollector(func(context.Context) (projection.Work, error) {
			return projection.Work{State: c.state, Task: projection.TaskRebuild, Rebuilding: projection.Rebuilding{Phase: c.phase, Events: 5, Total: 9, Rate: 2}}, nil
		}))
		w := httptest.NewRecorder()
		MetricsHandler(reg).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, MetricsPath, nil))
		var got []string
		for line := range strings.Lines(w.Body.String()) {
			if value, ours := strings.CutPrefix(strings.TrimSpace(line), "queuetrack_rebuild_"); ours {
				got = append(got, value)
			}
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %q, want %q", c.state, strings.Join(got, ", "), c.want)
		}
	}
}
