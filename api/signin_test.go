package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestLocalPathLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	for _, next := range []string{"/", "/reports?from=2026-11-01&tz=Europe%2FTallinn", "/tickets/city/a%2Fb", "/board/city#now", "/?next=https://evil.example"} {
		if got := LocalPath(next); got != next {
			t.Errorf("LocalPath(%q) = %q", next, got)
		}
	}
	for _, next := range []string{
		"", "reports", "https://evil.example", "//evil.example", "/\\evil.example", "\\/evil.example", "/\t/evil.example", "/\n/evil.example",
		" //evil.example", "///evil.example", "javascript:alert(1)", "http:/evil.example", "/%zz", "/a b", "/login", "/login?next=/login",
		"/" + strings.Repeat("x", maxNext),
	} {
		if got := LocalPath(next); got != "/" {
			t.Errorf("LocalPath(%q) = %q", next, got)
		}
	}
}

// What a browser makes of each address that is let through stays on the host.
func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{"/x?y=z", "//evil.example", "/\\evil", "/..//evil.example", "/%2f/evil.example", "/\x00/e", "/@evil"} {
		f.Add(seed)
	}
	here := &url.URL{Scheme: "https", Host: "queue.example", Path: "/login"}
	f.Fuzz(func(t *testing.T, next string) {
		got := LocalPath(next)
		u, err := here.Parse(got)
		if err != nil || u.Host != here.Host || u.Scheme != here.Scheme || strings.ContainsAny(got, "\\\r\n\t") || strings.HasPrefix(got, "//") {
			t.Errorf("LocalPath(%q) = %q, which leads to %v, %v", next, got, u, err)
		}
	})
}

func TestSignInURL(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"/": "/login", "//evil.example": "/login", "/reports?a=b&c=d": "/login?next=%2Freports%3Fa%3Db%26c%3Dd",
	} {
		if got := SignInURL(next); got != want {
			t.Errorf("SignInURL(%q) = %q, want %q", next, got, want)
		}
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		caller      Caller
		read, admin bool
	}{
		{Caller{}, false, false},
		{CallerOf(t.Context()), false, false},
		{Caller{Scopes: []Scope{ScopeRead}}, true, false},
		{Caller{Scopes: []Scope{ScopeAdmin}}, true, true},
		{CallerOf(WithCaller(t.Context(), Anybody())), true, true},
	} {
		if c.caller.May(ScopeRead) != c.read || c.caller.May(ScopeAdmin) != c.admin {
			t.Errorf("%+v may read %v, admin %v", c.caller, c.caller.May(ScopeRead), c.caller.May(ScopeAdmin))
		}
	}
	if _, err := ParseScope("write"); err == nil || !strings.Contains(err.Error(), "read or admin") {
		t.Errorf("ParseScope(write): %v", err)
	}
}

// Whoever may not read gets the plain answer: a probe doesn't fail for want of a key.
func TestReadinessTellsDetailsToReadersOnly(t *testing.T) {
	t.Parallel()
	may := false
	fine := func(context.Context) error { return nil }
	health := NewHealth(Checks{Database: fine, Schema: fine, MayRead: func(*http.Request) bool { return may }})
	ready := func() string {
		w := httptest.NewRecorder()
		health.ready(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz?verbose", nil))
		if w.Code != http.StatusOK {
			t.Errorf("ready = %d", w.Code)
		}
		return w.Body.String()
	}
	if got := ready(); got != "{\"status\":\"ready\"}\n" {
		t.Errorf("a stranger is told %s", got)
	}
	if may = true; !strings.Contains(ready(), `"database":"ok"`) {
		t.Errorf("a reader is told %s", ready())
	}
}
