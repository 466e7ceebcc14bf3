package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestSameSite(t *testing.T) {
	t.Parallel()
	const here, anywhere = "127.0.0.1:8080", "0.0.0.0:8080"
	for name, c := range map[string]struct {
		listen, method, host string
		header               map[string]string
		want                 Kind // empty: let through
	}{
		"a client that is no browser":        {here, "POST", "127.0.0.1:8080", nil, ""},
		"by name":                            {here, "POST", "localhost:8080", nil, ""},
		"by name, in any case":               {here, "POST", "LocalHost", nil, ""},
		"by IPv6":                            {"[::1]:8080", "POST", "[::1]:8080", nil, ""},
		"by IPv6 without a port":             {"[::1]:8080", "GET", "[::1]", nil, ""},
		"through a tunnel, on another port":  {here, "POST", "127.0.0.1:9999", nil, ""},
		"our own page":                       {here, "POST", "localhost:8080", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:8080"}, ""},
		"our own page in an older browser":   {here, "POST", "localhost:8080", map[string]string{"Origin": "http://localhost:8080"}, ""},
		"another site's page":                {here, "POST", "127.0.0.1:8080", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, KindCrossOrigin},
		"another site's, in an older one":    {here, "POST", "127.0.0.1:8080", map[string]string{"Origin": "https://evil.example"}, KindCrossOrigin},
		"another port of this machine":       {here, "POST", "127.0.0.1:8080", map[string]string{"Origin": "http://127.0.0.1:3000"}, KindCrossOrigin},
		"a sandboxed page":                   {here, "POST", "127.0.0.1:8080", map[string]string{"Origin": "null"}, KindCrossOrigin},
		"another site's, wherever we listen": {anywhere, "POST", "queue.example", map[string]string{"Sec-Fetch-Site": "cross-site"}, KindCrossOrigin},
		"a name that was rebound":            {here, "POST", "evil.example:8080", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example:8080"}, KindForeignHost},
		"a rebound name that reads":          {here, "GET", "evil.example:8080", nil, KindForeignHost},
		"a name that begins like an address": {here, "GET", "127.0.0.1.evil.example", nil, KindForeignHost},
		"another machine's address":          {here, "GET", "192.0.2.1:8080", nil, KindForeignHost},
		"no host":                            {here, "GET", "", nil, KindForeignHost},
		"any name, where others reach us":    {anywhere, "GET", "queue.example", nil, ""},
		"reading from another site's page":   {anywhere, "GET", "queue.example", map[string]string{"Sec-Fetch-Site": "cross-site"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), c.method, "/v1/x", nil)
			r.Host = c.host
			for key, value := range c.header {
				r.Header.Set(key, value)
			}
			w := httptest.NewRecorder()
			SameSite(c.listen)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })).ServeHTTP(w, r)
			if c.want == "" {
				if w.Code != http.StatusNoContent {
					t.Errorf("answered %d %s, want it let through", w.Code, w.Body)
				}
				return
			}
			if p := problemIn(t, w); w.Code != http.StatusForbidden || p.Type != "/problems/"+string(c.want) {
				t.Errorf("answered %d %+v, want 403 %s", w.Code, p, c.want)
			}
			if c.want == KindForeignHost && !strings.Contains(w.Body.String(), c.listen) {
				t.Errorf("%s does not say where to ask", w.Body)
			}
		})
	}
}
