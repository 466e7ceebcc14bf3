package access

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"queuetrack/api"
)

func TestCookieAttributes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	_, secret := w.create(api.ScopeRead)
	plain, err := w.signIn(" " + secret + "\n") // as pasted
	if err != nil {
		t.Fatal(err)
	}
	secure, err := w.signIn(secret, "X-Forwarded-For", "203.0.113.1", "X-Forwarded-Proto", "https")
	if err != nil {
		t.Fatal(err)
	}
	for c, want := range map[*http.Cookie]string{
		plain:  "qt=" + plain.Value + "; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax",
		secure: "__Host-qt=" + secure.Value + "; Path=/; Max-Age=43200; HttpOnly; Secure; SameSite=Lax",
	} {
		if c.String() != want || strings.Contains(c.Value, secret[len(prefix)+idLength:]) {
			t.Errorf("cookie %s, want %s", c, want)
		}
	}
	// Each is taken on its own road only: one set without TLS, by whoever, is none over TLS.
	if w.browser("GET", plain).Code != 200 || w.browser("GET", secure).Code != 401 {
		t.Error("without TLS")
	}
	over := []string{"X-Forwarded-For", "203.0.113.1", "X-Forwarded-Proto", "https"}
	if w.browser("GET", secure, over...).Code != 200 || w.browser("GET", plain, over...).Code != 401 {
		t.Error("over TLS")
	}
	w.around(func(r *http.Request) {
		if out := w.guard.SignOut(r); out.String() != "qt=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax" {
			t.Errorf("signing out: %s", out)
		}
	})
}

// A session ends by itself, with its key, and when a single character of it is another; and a second process takes it.
func TestSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	made, secret := w.create(api.ScopeRead)
	other, _ := w.create(api.ScopeAdmin)
	c, err := w.signIn(secret)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.browser("GET", c); got.Code != 200 || got.Body.String() != "in: "+made.ID {
		t.Errorf("signed in: %d %s", got.Code, got.Body)
	}
	second := &world{t: t, pool: w.pool, inner: w.inner, keys: NewKeys(w.pool, w.now)}
	second.guard = NewGuard(second.keys, Config{Now: w.now})
	if second.browser("GET", c).Code != 200 {
		t.Error("another process does not take it")
	}
	id, rest, _ := strings.Cut(c.Value, ".")
	end, signature, _ := strings.Cut(rest, ".")
	forged := base64.RawURLEncoding.EncodeToString(make([]byte, 64))
	for _, value := range []string{
		"", ".", "..", id, other.ID + "." + rest, id + ".9" + end + "." + signature, id + "." + end + ".", id + "." + end + "." + forged,
		id + ".0" + end + "." + signature, "unknown1." + rest, c.Value + "A", strings.ToUpper(c.Value),
	} {
		if got := w.browser("GET", &http.Cookie{Name: c.Name, Value: value}); got.Code != 401 {
			t.Errorf("%q: %d", value, got.Code)
		}
	}
	// One that another site of the domain put before ours does no harm.
	r := w.request("GET", "/", "Cookie", "qt=nonsense; qt="+c.Value)
	if w.send(r).Code != 200 {
		t.Error("a foreign cookie of the same name locks out")
	}
	w.pass(SessionLength)
	if w.browser("GET", c).Code != 401 {
		t.Error("it outlasts its length")
	}
	if c, err = w.signIn(secret); err != nil || w.browser("GET", c).Code != 200 {
		t.Fatalf("signing in again: %v", err)
	}
	w.revoke(made.ID)
	w.pass(Freshness)
	if w.browser("GET", c).Code != 401 {
		t.Error("it outlasts its key")
	}
	if _, err := w.signIn(secret); api.ProblemOf(err).Status != 401 {
		t.Errorf("signing in with a revoked key: %v", err)
	}
}

// With a cookie nothing is changed but from a page of ours; with a key in the header, from anywhere but another site's page.
func TestForgedRequestsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	_, secret := w.create(api.ScopeAdmin)
	c, err := w.signIn(secret)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		header []string
		ok     bool
	}{
		"our page":                    {[]string{"Sec-Fetch-Site", "same-origin", "Origin", "http://example.com"}, true},
		"our page in an older one":    {[]string{"Origin", "http://example.com"}, true},
		"another site's page":         {[]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, false},
		"another site of the domain":  {[]string{"Sec-Fetch-Site", "same-site", "Origin", "http://other.example.com"}, false},
		"another site's, older":       {[]string{"Origin", "https://evil.example"}, false},
		"a page of no origin":         {[]string{"Origin", "null"}, false},
		"a browser that says nothing": {nil, false},
	} {
		for _, method := range []string{"POST", "PUT", "DELETE"} {
			got := w.browser(method, c, x.header...)
			if x.ok && got.Code != 200 || !x.ok && (got.Code != 403 || kindOf(t, got) != api.KindCrossOrigin) {
				t.Errorf("%s from %s: %d %s", method, name, got.Code, got.Body)
			}
		}
		// Even where nothing stands around the guard.
		r := w.request("POST", "/", x.header...)
		r.AddCookie(c)
		if _, err := w.guard.caller(r); (err == nil) != x.ok {
			t.Errorf("the guard alone, from %s: %v", name, err)
		}
	}
	if got := w.send(w.request("POST", "/", "Authorization", "Bearer "+secret)); got.Code != 200 {
		t.Errorf("a POST with the key: %d", got.Code)
	}
}

// A session has the scope of its key.
func TestASessionMayWhatItsKeyMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	_, secret := w.create(api.ScopeRead)
	c, err := w.signIn(secret)
	if err != nil {
		t.Fatal(err)
	}
	got := w.browser("POST", c, "Sec-Fetch-Site", "same-origin")
	if got.Code != 403 || kindOf(t, got) != api.KindForbidden {
		t.Errorf("a POST: %d %s", got.Code, got.Body)
	}
}
