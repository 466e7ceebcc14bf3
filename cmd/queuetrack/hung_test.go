package main

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// Requests that promise a body and send none are answered, and hold no server that is told to stop.
func TestShutdownWaitsForNoHungConnection(t *testing.T) {
	t.Parallel()
	l, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- newServer(cityParts(t), slog.New(slog.DiscardHandler), time.Now).run(ctx, l) }()
	for _, c := range []struct {
		request string
		status  int
	}{
		{"POST /webhooks/nosuch", 404},
		{"POST /webhooks/city", 415},
		{"GET /livez", 200},
		{"GET /v1/sources", 200},
		{"POST /metrics", 405},
	} {
		for range 4 {
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close() //nolint:errcheck // held open until the test's end
			fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n", c.request)
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("%s: %v", c.request, err)
			}
			defer answer.Body.Close()
			if answer.StatusCode != c.status || !answer.Close {
				t.Errorf("%s: %d, Connection: close %v, want %d and true", c.request, answer.StatusCode, answer.Close, c.status)
			}
		}
	}
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("shutdown: %v", err)
		}
	case <-time.After(shutdownTimeout):
		t.Error("the server waits for them")
	}
}

func TestMetricsAreOnlyRead(t *testing.T) {
	t.Parallel()
	s := newServer(cityParts(t), slog.New(slog.DiscardHandler), time.Now)
	for method, want := range map[string]int{
		http.MethodGet: 200, http.MethodHead: 200, http.MethodPost: 405, http.MethodPut: 405, http.MethodDelete: 405, http.MethodOptions: 405,
	} {
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/metrics", nil))
		if w.Code != want || want == 405 && w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s /metrics: %d, Allow %q, want %d", method, w.Code, w.Header().Get("Allow"), want)
		}
	}
}
