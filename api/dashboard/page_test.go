package dashboard

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"queuetrack/api"
)

// The line for a script begins with https only where somebody who is trusted says so.
func TestOriginGoesByTrustedProxies(t *testing.T) {
	t.Parallel()
	for proxy, want := range map[string]string{"192.0.2.1": "https://queues.example.com", "192.0.2.2": "http://queues.example.com"} {
		trusted, err := api.ParseProxies([]string{proxy})
		if err != nil {
			t.Fatal(err)
		}
		router := api.NewRouter(slog.New(slog.DiscardHandler), api.Clients(trusted))
		router.Get("/", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, originOf(r)) })
		r := httptest.NewRequest(http.MethodGet, "http://queues.example.com/", nil) // httptest asks from 192.0.2.1
		r.Header.Set("X-Forwarded-Proto", "https")
		w := httptest.NewRecorder()
		router.ServeHTTP(w, r)
		if got := w.Body.String(); got != want {
			t.Errorf("%s is trusted: %q, want %q", proxy, got, want)
		}
	}
}
