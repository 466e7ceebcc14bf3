package access

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"queuetrack/api"
)

// Each method wants its scope.
func TestMethodsWantTheirScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	_, read := w.create(api.ScopeRead)
	_, admin := w.create(api.ScopeAdmin)
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
		reads := method == "GET" || method == "HEAD"
		if got := w.send(w.request(method, "/v1/x", "Authorization", "Bearer "+admin)).Code; got != 200 {
			t.Errorf("%s with admin: %d", method, got)
		}
		got := w.send(w.request(method, "/v1/x", "Authorization", "Bearer "+read))
		if reads && got.Code != 200 || !reads && (got.Code != 403 || kindOf(t, got) != api.KindForbidden || !strings.Contains(got.Body.String(), "--scope admin")) {
			t.Errorf("%s with read: %d %s", method, got.Code, got.Body)
		}
		if got := w.send(w.request(method, "/v1/x")); got.Code != 401 {
			t.Errorf("%s with nothing: %d", method, got.Code)
		}
	}
}

// Whatever is wrong with a key, the answer is the same, byte for byte.
func TestAWrongKeyIsToldNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	made, secret := w.create(api.ScopeAdmin)
	gone, revoked := w.create(api.ScopeAdmin)
	w.revoke(gone.ID)
	w.pass(Freshness)
	almost := secret[:len(secret)-1] + "a"
	if almost == secret {
		almost = secret[:len(secret)-1] + "b"
	}
	want := ""
	for name, header := range map[string][]string{
		"nothing": nil, "another scheme": {"Authorization", "Basic " + secret}, "no scheme": {"Authorization", secret},
		"no key": {"Authorization", "Bearer"}, "a word": {"Authorization", "Bearer x"}, "a key of nobody": {"Authorization", "Bearer " + newKey()},
		"one letter": {"Authorization", "Bearer " + almost}, "revoked": {"Authorization", "Bearer " + revoked}, "the id": {"Authorization", "Bearer qt_" + made.ID},
		"twice": {"Authorization", "Bearer " + secret, "Authorization", "Bearer " + secret}, "in the query": {"X-Api-Key", secret},
	} {
		got := w.send(w.request("GET", "/v1/queues?key="+secret, header...))
		all := fmt.Sprint(got.Code, got.Body, got.Header()["Www-Authenticate"], got.Header()["Content-Type"])
		if want == "" {
			want = all
		}
		if got.Code != 401 || all != want || got.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: %s, want %s", name, all, want)
		}
	}
	if w.status(secret) != 200 || w.send(w.request("GET", "/", "Authorization", "bearer  "+secret)).Code != 200 {
		t.Error("the right key is not let in")
	}
	if strings.Contains(w.lines.String(), secret[len(prefix)+idLength:]) {
		t.Error("the log has a key")
	}
	if !strings.Contains(w.lines.String(), `"key":"`+made.ID+`"`) {
		t.Errorf("the log does not name the key by its id: %s", w.lines.String())
	}
}

// A key is good at once, and a revoked one is good no longer than a look is fresh.
func TestKeysComeAndGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	if w.status(newKey()) != 401 { // there has been a look
		t.Fatal("let in")
	}
	made, secret := w.create(api.ScopeRead)
	if w.status(secret) != 200 {
		t.Error("a new key is not known at once")
	}
	w.revoke(made.ID)
	w.pass(Freshness)
	if w.status(secret) != 401 {
		t.Error("a revoked key still opens")
	}
	if Freshness+lookAgain >= 5*time.Second {
		t.Error("5 s were promised")
	}
}

// On loopback it is open until the first key is made, for good: revoking that opens nothing.
func TestLoopbackIsOpenUntilTheFirstKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{Local: true})
	if got := w.send(w.request("POST", "/v1/x")); got.Code != 200 || got.Body.String() != "in: " {
		t.Errorf("before the first key: %d %s", got.Code, got.Body)
	}
	made, secret := w.create(api.ScopeRead)
	w.pass(Freshness)
	if w.send(w.request("GET", "/v1/x")).Code != 401 || w.status(secret) != 200 {
		t.Error("a key was made, and nobody is asked")
	}
	w.revoke(made.ID)
	w.pass(Freshness)
	if w.send(w.request("GET", "/v1/x")).Code != 401 {
		t.Error("revoking the last key opened the door")
	}
}

func TestAuthNoneAsksNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{AuthNone: true})
	w.create(api.ScopeRead)
	w.away()
	if w.send(w.request("POST", "/v1/x")).Code != 200 {
		t.Error("somebody was asked")
	}
}

// While nobody can tell, nobody is let in: nor on loopback, nor with a key that was good a moment ago.
func TestWithoutTheDatabaseNobodyIsLetIn(t *testing.T) {
	t.Parallel()
	for _, local := range []bool{false, true} {
		w := newWorld(t, Config{Local: local})
		_, secret := w.create(api.ScopeAdmin)
		if w.status(secret) != 200 {
			t.Fatal("not let in")
		}
		cookie, err := w.signIn(secret)
		if err != nil {
			t.Fatal(err)
		}
		w.away()
		if w.status(secret) != 200 {
			t.Error("a fresh look was not enough")
		}
		w.pass(Freshness)
		for name, got := range map[string]*httptest.ResponseRecorder{
			"a key": w.with(secret), "no key": w.send(w.request("GET", "/")), "a cookie": w.browser("GET", cookie),
		} {
			if got.Code != 503 || kindOf(t, got) != api.KindUnavailable || got.Header().Get("Retry-After") == "" || strings.Contains(got.Body.String(), "api_key") {
				t.Errorf("%s, local %v: %d %s", name, local, got.Code, got.Body)
			}
		}
		if _, err := w.signIn(secret); api.ProblemOf(err).Status != 503 {
			t.Errorf("signing in: %v", err)
		}
		w.back()
		if w.status(secret) != 200 {
			t.Error("it did not come back")
		}
	}
}

// A stream ends when its key does: also that of somebody who sends wrong keys all the while, and so gets no other answer.
func TestARevokedKeyEndsItsStream(t *testing.T) {
	t.Parallel()
	for _, guesses := range []int{0, guessesAtOnce} {
		w := newWorld(t, Config{})
		w.guard.lookAgain = 10 * time.Millisecond
		made, secret := w.create(api.ScopeRead)
		began, cause := make(chan struct{}), error(nil)
		w.inner = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(began)
			<-r.Context().Done()
			cause = context.Cause(r.Context())
		})
		ended := make(chan struct{})
		go func() { defer close(ended); w.with(secret) }()
		<-began
		for range guesses {
			w.status(secret + "x")
		}
		w.revoke(made.ID)
		w.pass(Freshness)
		<-ended
		if api.ProblemOf(cause).Status != 401 {
			t.Errorf("after %d wrong keys it ended for %v", guesses, cause)
		}
	}
}

// A browser that wants a page is shown the way to sign in; nobody else is.
func TestABrowserIsSentToSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	const page = "text/html,application/xhtml+xml,*/*;q=0.8"
	got := w.send(w.request("GET", "/reports?a=b&c=d", "Accept", page))
	if got.Code != 303 || got.Header().Get("Location") != "/login?next=%2Freports%3Fa%3Db%26c%3Dd" || got.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("a page: %d %v", got.Code, got.Header())
	}
	for name, r := range map[string]*http.Request{
		"a client": w.request("GET", "/reports"), "a script": w.request("GET", "/v1/queues", "Accept", "*/*"),
		"a form": w.request("POST", "/reports", "Accept", page), "a wrong key": w.request("GET", "/", "Accept", page, "Authorization", "Bearer x"),
	} {
		if got := w.send(r); got.Code != 401 || got.Header().Get("Location") != "" {
			t.Errorf("%s: %d %v", name, got.Code, got.Header())
		}
	}
	elsewhere := w.request("GET", "/", "Accept", page)
	elsewhere.URL.Path, elsewhere.RequestURI = "//evil.example/x", "//evil.example/x"
	if got := w.send(elsewhere); got.Header().Get("Location") != "/login" {
		t.Errorf("leads to %q", got.Header().Get("Location"))
	}
}

// No page of another site is let to read an answer, and none may put one of ours in a frame.
func TestHeadersForBrowsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	_, secret := w.create(api.ScopeAdmin)
	for _, r := range []*http.Request{
		w.request("GET", "/v1/queues", "Authorization", "Bearer "+secret, "Origin", "https://evil.example"),
		w.request("GET", "/v1/queues", "Origin", "https://evil.example"),
		w.request("OPTIONS", "/v1/queues", "Origin", "https://evil.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization"),
		w.request("GET", "/", "Accept", "text/html"),
	} {
		got := w.send(r).Header()
		for name := range got {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s %s: %s", r.Method, r.URL, name)
			}
		}
		if got.Get("X-Frame-Options") != "DENY" || !strings.Contains(got.Get("Content-Security-Policy"), "frame-ancestors 'none'") ||
			got.Get("Cross-Origin-Resource-Policy") != "same-origin" || got.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s: %v", r.Method, r.URL, got)
		}
	}
}
