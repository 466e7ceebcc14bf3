package access

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/api"
	"queuetrack/migrations/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// world is a guarded server on a database of its own, with a clock that stands until it is moved.
type world struct {
	t     testing.TB
	pool  *pgxpool.Pool
	clock atomic.Int64
	keys  *Keys
	guard *Guard
	lines bytes.Buffer
	inner http.Handler
}

// newWorld asks everybody for a key, unless c says otherwise.
func newWorld(t testing.TB, c Config) *world {
	t.Helper()
	w := &world{t: t, pool: dbtest.New(t)}
	w.clock.Store(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC).UnixNano())
	w.inner = http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(out, "in: "+api.CallerOf(r.Context()).KeyID)
	})
	w.keys = NewKeys(w.pool, w.now)
	c.Now = w.now
	w.guard = NewGuard(w.keys, c)
	return w
}

func (w *world) now() time.Time       { return time.Unix(0, w.clock.Load()) }
func (w *world) pass(d time.Duration) { w.clock.Add(int64(d)) }

// create makes a key.
func (w *world) create(scope api.Scope) (Key, string) {
	w.t.Helper()
	made, secret, err := w.keys.Create(w.t.Context(), "a test", scope)
	if err != nil {
		w.t.Fatal(err)
	}
	return made, secret
}

func (w *world) revoke(id string) {
	w.t.Helper()
	if _, err := w.keys.Revoke(w.t.Context(), id); err != nil {
		w.t.Fatal(err)
	}
}

// request is one that a client sends, with headers in pairs.
func (w *world) request(method, target string, header ...string) *http.Request {
	r := httptest.NewRequestWithContext(w.t.Context(), method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

// send is what it is answered, by the guard within all that a server puts around it; this test's proxy is trusted.
func (w *world) send(r *http.Request) *httptest.ResponseRecorder {
	w.t.Helper()
	proxies, err := api.ParseProxies([]string{"192.0.2.1"})
	if err != nil {
		w.t.Fatal(err)
	}
	out := httptest.NewRecorder()
	log := slog.New(slog.NewJSONHandler(&w.lines, nil))
	api.Wrap(log, api.Clients(proxies)(api.SameSite("0.0.0.0:8080")(w.guard.Handler(w.inner)))).ServeHTTP(out, r)
	return out
}

// with sends a GET with a key.
func (w *world) with(secret string) *httptest.ResponseRecorder {
	w.t.Helper()
	return w.send(w.request(http.MethodGet, "/v1/queues", "Authorization", "Bearer "+secret))
}

// status is with's status.
func (w *world) status(secret string) int {
	w.t.Helper()
	return w.with(secret).Code
}

// signIn is the cookie that a browser gets, which came with these headers.
func (w *world) signIn(secret string, header ...string) (cookie *http.Cookie, err error) {
	w.t.Helper()
	w.around(func(r *http.Request) { cookie, err = w.guard.SignIn(context.Background(), r, secret) }, header...)
	return cookie, err
}

// around has do look at a request as a handler outside of the guard does.
func (w *world) around(do func(*http.Request), header ...string) {
	w.t.Helper()
	proxies, err := api.ParseProxies([]string{"192.0.2.1"})
	if err != nil {
		w.t.Fatal(err)
	}
	h := api.Wrap(slog.New(slog.DiscardHandler), api.Clients(proxies)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { do(r) })))
	h.ServeHTTP(httptest.NewRecorder(), w.request(http.MethodPost, "/login", header...))
}

// browser sends what a browser with a cookie does.
func (w *world) browser(method string, c *http.Cookie, header ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := w.request(method, "/v1/queues", header...)
	r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	return w.send(r)
}

func kindOf(t *testing.T, out *httptest.ResponseRecorder) api.Kind {
	t.Helper()
	var p api.Problem
	if err := json.Unmarshal(out.Body.Bytes(), &p); err != nil {
		t.Fatalf("answer %d %q is no problem: %v", out.Code, out.Body, err)
	}
	return api.Kind(strings.TrimPrefix(p.Type, "/problems/"))
}
