package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"queuetrack/api"
	"queuetrack/api/access"
)

// guarded asks the whole server's handler for something.
type guarded struct {
	t       *testing.T
	parts   *parts
	handler http.Handler
}

// newGuarded listens where other machines reach it.
func newGuarded(t *testing.T, log io.Writer) *guarded {
	t.Helper()
	p := cityParts(t)
	p.config.Listen = setting{Value: "0.0.0.0:8080"}
	p.config.Access = defaultAccess()
	return &guarded{t, p, newServer(p, slog.New(slog.NewTextHandler(log, nil)), time.Now).handler}
}

func (g *guarded) ask(method, target string, header ...string) *httptest.ResponseRecorder {
	g.t.Helper()
	r := httptest.NewRequestWithContext(g.t.Context(), method, target, nil)
	if strings.HasPrefix(target, "/webhooks/") {
		r = httptest.NewRequestWithContext(g.t.Context(), method, target, strings.NewReader(cityTicket))
		r.Header = g.parts.sources["city"].Sign([]byte(cityTicket)).Clone()
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	return w
}

func (g *guarded) key(scope api.Scope) string {
	g.t.Helper()
	_, secret, err := g.parts.keys.Create(g.t.Context(), "a test", scope)
	if err != nil {
		g.t.Fatal(err)
	}
	return secret
}

// Every path but the vendors' and the probes' wants a key, and every method but GET an admin's.
func TestWhatWantsAKey(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, io.Discard)
	read, admin := g.key(api.ScopeRead), g.key(api.ScopeAdmin)
	for target, want := range map[string][3]int{ // with nothing, with read, with admin
		"GET /livez":                             {200, 200, 200},
		"GET /readyz?verbose":                    {200, 200, 200},
		"POST /webhooks/city":                    {200, 200, 200},
		"GET /metrics":                           {401, 200, 200},
		"GET /docs":                              {401, 200, 200},
		"GET /docs/start.js":                     {401, 200, 200},
		"GET /openapi.json":                      {401, 200, 200},
		"GET /v1/queues":                         {401, 200, 200},
		"HEAD /v1/queues":                        {401, 200, 200},
		"GET /v1/events?source=city":             {401, 200, 200},
		"GET /v1/events?source=city&bodies=true": {401, 403, 200},
		"GET /v1/reports/waits?format=csv":       {401, 200, 200},
		"GET /v1/projections/rebuild":            {401, 200, 200},
		"POST /v1/quarantine/city/99/retry":      {401, 403, 404},
		"POST /v1/dead-letters/city/99/dismiss":  {401, 403, 404},
		"POST /v1/tickets/city/nobody/close":     {401, 403, 404},
		"POST /v1/stream":                        {401, 403, 405},
		"GET /v1/quarantine/city/99":             {401, 404, 404},
		"GET /":                                  {401, 200, 200},
		"GET /board/city":                        {200, 200, 200},
		"GET /login":                             {200, 200, 200},
		"GET /static/app.css":                    {200, 200, 200},
		"GET /v1/nothing":                        {404, 404, 404},
	} {
		method, path, _ := strings.Cut(target, " ")
		for i, header := range [][]string{nil, {"Authorization", "Bearer " + read}, {"Authorization", "Bearer " + admin}} {
			if got := g.ask(method, path, header...); got.Code != want[i] {
				t.Errorf("%s with %v: %d %s, want %d", target, header, got.Code, got.Body, want[i])
			}
		}
	}
}

// From the page that was wanted, by the form, back to it: and out again.
func TestSigningIn(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, io.Discard)
	secret := g.key(api.ScopeRead)
	sent := g.ask("GET", "/?location=City+Hall", "Accept", "text/html")
	if sent.Code != 303 || sent.Header().Get("Location") != "/login?next=%2F%3Flocation%3DCity%2BHall" {
		t.Fatalf("a page: %d to %s", sent.Code, sent.Header().Get("Location"))
	}
	if form := g.ask("GET", sent.Header().Get("Location")); form.Code != 200 || !strings.Contains(form.Body.String(), `value="/?location=City&#43;Hall"`) {
		t.Fatalf("the form: %d %s", form.Code, form.Body)
	}
	wrong := g.form("/login", url.Values{"key": {"qt_wrong"}, "next": {"/"}})
	if wrong.Code != 401 || wrong.Header().Get("Set-Cookie") != "" || strings.Contains(wrong.Body.String(), "qt_wrong") {
		t.Errorf("a wrong key: %d %v %s", wrong.Code, wrong.Header(), wrong.Body)
	}
	if forged := g.form("/login", url.Values{"key": {secret}}, "Sec-Fetch-Site", "cross-site"); forged.Code != 403 {
		t.Errorf("another site signs in: %d", forged.Code)
	}
	in := g.form("/login", url.Values{"key": {secret}, "next": {"//evil.example"}})
	cookies := in.Result().Cookies()
	if in.Code != 303 || in.Header().Get("Location") != "/" || len(cookies) != 1 {
		t.Fatalf("signing in: %d %v", in.Code, in.Header())
	}
	cookie := cookies[0].Name + "=" + cookies[0].Value
	page := g.ask("GET", "/", "Accept", "text/html", "Cookie", cookie)
	if page.Code != 200 || !strings.Contains(page.Body.String(), "Sign out") || page.Header().Get("X-Frame-Options") != "DENY" {
		t.Errorf("signed in: %d %v %s", page.Code, page.Header(), page.Body)
	}
	if got := g.ask("POST", "/v1/tickets/city/1/close", "Cookie", cookie, "Sec-Fetch-Site", "same-origin"); got.Code != 403 {
		t.Errorf("a session of read closes a ticket: %d", got.Code)
	}
	out := g.form("/logout", nil, "Cookie", cookie)
	if out.Code != 303 || !strings.Contains(out.Header().Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("signing out: %d %v", out.Code, out.Header())
	}
}

// form sends one as the page with it does.
func (g *guarded) form(path string, values url.Values, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(g.t.Context(), http.MethodPost, path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	return w
}

// Within the 5 s that are promised, an open stream ends with its key, and the log says so without the key.
func TestRevokedKeyEndsItsStream(t *testing.T) {
	t.Parallel()
	var logged output
	g := newGuarded(t, &logged)
	server := httptest.NewServer(g.handler)
	t.Cleanup(server.Close)
	made, secret, err := g.parts.keys.Create(t.Context(), "a test", api.ScopeRead)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	stream, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	if _, err := stream.Body.Read(make([]byte, 1)); stream.StatusCode != http.StatusOK || err != nil {
		t.Fatalf("the stream: %d, %v", stream.StatusCode, err)
	}
	// Another process revokes it.
	if _, err := access.NewKeys(g.parts.pools.reading, nil).Revoke(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	revoked := time.Now()
	if _, err := io.Copy(io.Discard, stream.Body); err != nil {
		t.Errorf("the stream was cut off: %v", err)
	}
	if took := time.Since(revoked); took > 5*time.Second {
		t.Errorf("the stream went on for %v", took)
	}
	eventually(t, "the request's line", func() bool { return strings.Contains(logged.String(), `ended="the key no longer opens it"`) })
	if !strings.Contains(logged.String(), "key="+made.ID) || strings.Contains(logged.String(), secret) {
		t.Errorf("the log: %s", logged.String())
	}
}

// A vendor's webhooks come, and probes are answered, whatever becomes of the keys.
func TestWebhooksDontWaitForKeys(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, io.Discard)
	if _, err := g.parts.pools.working.Exec(t.Context(), `DROP TABLE api_key`); err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]int{"POST /webhooks/city": 200, "GET /livez": 200, "GET /readyz": 200, "GET /readyz?verbose": 200, "GET /v1/queues": 503} {
		method, path, _ := strings.Cut(target, " ")
		if got := g.ask(method, path); got.Code != want {
			t.Errorf("%s: %d %s, want %d", target, got.Code, got.Body, want)
		}
	}
}
