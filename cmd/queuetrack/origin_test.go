package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// On an open loopback address no page of another site has anything done or read; a vendor's webhook comes under
// whatever name the proxy was asked for.
func TestOtherSitesAreRefusedOnLoopback(t *testing.T) {
	t.Parallel()
	p := cityParts(t)
	p.config.Listen = setting{Value: "127.0.0.1:8080"}
	p.config.Access = defaultAccess()
	handler := newServer(p, slog.New(slog.DiscardHandler), time.Now).handler
	for name, c := range map[string]struct {
		method, target, host, site string
		want                       int
	}{
		"a read":                          {http.MethodGet, "/v1/queues", "localhost:8080", "cross-site", http.StatusOK},
		"a read by a rebound name":        {http.MethodGet, "/v1/queues", "evil.example:8080", "same-origin", http.StatusForbidden},
		"a retry":                         {http.MethodPost, "/v1/quarantine/city/99/retry", "localhost:8080", "", http.StatusNotFound},
		"another site's retry":            {http.MethodPost, "/v1/quarantine/city/99/retry", "localhost:8080", "cross-site", http.StatusForbidden},
		"another site's dismissal":        {http.MethodPost, "/v1/dead-letters/city/99/dismiss", "localhost:8080", "cross-site", http.StatusForbidden},
		"another site's close":            {http.MethodPost, "/v1/tickets/city/1/close", "localhost:8080", "cross-site", http.StatusForbidden},
		"a close by a rebound name":       {http.MethodPost, "/v1/tickets/city/1/close", "evil.example:8080", "same-origin", http.StatusForbidden},
		"a webhook by the public name":    {http.MethodPost, "/webhooks/city", "hooks.example.com", "", http.StatusOK},
		"readiness by any name":           {http.MethodGet, "/livez", "probe.example", "", http.StatusOK},
		"the document, by a rebound name": {http.MethodGet, "/openapi.json", "evil.example:8080", "", http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), c.method, c.target, strings.NewReader(""))
			if strings.HasPrefix(c.target, "/webhooks/") {
				r = httptest.NewRequestWithContext(t.Context(), c.method, c.target, strings.NewReader(cityTicket))
				r.Header = p.sources["city"].Sign([]byte(cityTicket)).Clone()
				r.Header.Set("Content-Type", "application/json")
			}
			r.Host = c.host
			if c.site != "" {
				r.Header.Set("Sec-Fetch-Site", c.site)
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("answered %d %s, want %d", w.Code, w.Body, c.want)
			}
		})
	}
}
