package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"queuetrack/api"
)

// open are the routes that nobody needs a key for. Whatever else there is, and whatever comes to be, asks for one.
var open = []string{
	"GET /board/{source}", "GET /livez", "GET /login", "GET /problems", "GET /problems/{kind}", "GET /readyz", "GET /static/{name}",
	"POST /login", "POST /logout",
}

// everyRoute calls visit with each route of the server but the vendors' door, which has signatures.
func everyRoute(t *testing.T, h http.Handler, visit func(method, pattern string)) {
	t.Helper()
	routes, ok := h.(chi.Routes)
	if !ok {
		t.Fatalf("the handler is a %T", h)
	}
	err := chi.Walk(routes, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if pattern != "/webhooks/*" {
			visit(method, pattern)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// placeholder is a part of a route that an address has something else for.
var placeholder = regexp.MustCompile(`\{[^}]*\}`)

func TestEveryRouteWantsAKey(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, io.Discard)
	read := g.key(api.ScopeRead)
	missing, asked := slices.Clone(open), 0
	everyRoute(t, g.handler, func(method, pattern string) {
		if i := slices.Index(missing, method+" "+pattern); i >= 0 {
			missing = slices.Delete(missing, i, i+1)
			return
		}
		asked++
		path := placeholder.ReplaceAllString(pattern, "1")
		if got := g.ask(method, path); got.Code != http.StatusUnauthorized {
			t.Errorf("%s %s without a key: %d %.200s", method, path, got.Code, got.Body)
		}
		if got := g.ask(method, path, "Accept", "text/html"); got.Code != http.StatusUnauthorized && got.Code != http.StatusSeeOther {
			t.Errorf("%s %s from a browser that has not signed in: %d %.200s", method, path, got.Code, got.Body)
		}
		if method == http.MethodGet || method == http.MethodHead {
			return
		}
		if got := g.ask(method, path, "Authorization", "Bearer "+read); got.Code != http.StatusForbidden {
			t.Errorf("%s %s with a key that only reads: %d %.200s", method, path, got.Code, got.Body)
		}
	})
	if len(missing) > 0 {
		t.Errorf("there are no such routes: %v", missing)
	}
	if asked < 50 {
		t.Errorf("only %d routes were asked for", asked)
	}
}

// Behind a loopback address a page that gave its own name that address reads nothing that is ours: also where no key was
// ever made, and so everybody may read.
func TestNoRouteAnswersUnderAForeignName(t *testing.T) {
	t.Parallel()
	p := cityParts(t)
	p.config.Listen = setting{Value: "127.0.0.1:8080"}
	p.config.Access = defaultAccess()
	handler := newServer(p, slog.New(slog.DiscardHandler), time.Now).handler
	ask := func(method, host, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		r.Host = host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	tell := []string{"GET /livez", "GET /problems", "GET /problems/{kind}", "GET /readyz"} // nothing of ours
	everyRoute(t, handler, func(method, pattern string) {
		path := placeholder.ReplaceAllString(pattern, "1")
		got := ask(method, "evil.example:8080", path)
		if !slices.Contains(tell, method+" "+pattern) && (got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), string(api.KindForeignHost))) {
			t.Errorf("%s %s: %d %.200s", method, path, got.Code, got.Body)
		}
	})
	for host, want := range map[string]bool{"localhost:8080": true, "evil.example:8080": false} {
		got := ask(http.MethodGet, host, "/readyz?verbose")
		if got.Code != http.StatusOK || strings.Contains(got.Body.String(), "checks") != want {
			t.Errorf("readiness for %s: %d %s, want the details: %v", host, got.Code, got.Body, want)
		}
	}
}

// Who mistypes an address in a browser gets a page, and a program a problem.
func TestNothingIsThere(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, io.Discard)
	for accept, want := range map[string]string{"text/html": "text/html; charset=utf-8", "": "application/problem+json"} {
		r := httptest.NewRequest(http.MethodGet, "/quues", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		g.handler.ServeHTTP(w, r)
		if got := w.Header().Get("Content-Type"); w.Code != http.StatusNotFound || got != want {
			t.Errorf("Accept %q: %d, %s; want 404, %s", accept, w.Code, got, want)
		}
	}
}
