package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
)

// logLines are what a JSON log says, which must be nothing but JSON.
func logLines(t *testing.T, text string) (lines []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var read map[string]any
		if err := json.Unmarshal([]byte(line), &read); err != nil {
			t.Errorf("%v in the log's line %q", err, line)
			continue
		}
		for _, key := range []string{"time", "level", "msg"} {
			if read[key] == nil {
				t.Errorf("no %s in the log's line %q", key, line)
			}
		}
		lines = append(lines, read)
	}
	return lines
}

// said is the first line with the message, nil where there is none.
func said(lines []map[string]any, message string) map[string]any {
	for _, line := range lines {
		if line["msg"] == message {
			return line
		}
	}
	return nil
}

// Whatever serve writes with --log-format json is a line of JSON: from the start over its private Postgres' own lines, requests,
// and a Postgres that was killed, to an end that is no good one.
func TestJSONLog(t *testing.T) {
	t.Parallel()
	data := filepath.Join(openFolder(t), "data")
	var all output // standard output, too: a container has one log
	serve := func(ctx context.Context) int {
		return run(ctx, []string{"serve", "--log-format", "json", "--data-dir", data, "--listen", "127.0.0.1:0"}, nil, nil, &all, &all)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	go func() { ended <- serve(ctx) }()
	for !strings.Contains(all.String(), `"listening"`) {
		select {
		case <-ended:
			if strings.Contains(all.String(), "no Postgres found") {
				t.Skip("no Postgres is installed here")
			}
			t.Fatalf("serve ended: %s", &all)
		case <-time.After(10 * time.Millisecond):
		}
	}
	base, _ := said(logLines(t, all.String()), "listening")["url"].(string)
	if status, _ := ask(t, http.MethodGet, base+"/v1/nothing%0a", ""); status != http.StatusNotFound {
		t.Errorf("an unknown path: %d", status)
	}
	killPostmaster(t, data)
	eventually(t, "another Postgres", func() bool { return strings.Contains(all.String(), "private postgres started again") })
	stop()
	if code := <-ended; code != exitDone {
		t.Errorf("serve = %d", code)
	}
	if err := os.WriteFile(filepath.Join(data, "postgres", "PG_VERSION"), []byte("8.4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := serve(t.Context()); code != exitNo {
		t.Errorf("serve without its Postgres = %d, want %d", code, exitNo)
	}
	lines := logLines(t, all.String())
	for _, message := range []string{
		"private postgres started", "request", "the private postgres ended by itself; it is started again", "shutting down", "serve ended",
	} {
		if said(lines, message) == nil {
			t.Errorf("no line says %q:\n%s", message, &all)
		}
	}
}

// A handler that panics is one line of the log, its stack included, and what the HTTP server itself has to say another one.
func TestPanicsInTheJSONLog(t *testing.T) {
	t.Parallel()
	var all output
	c := config{LogFormat: setting{Value: logJSON}}
	s := newServer(cityParts(t), c.logger(&all, 0), time.Now)
	router, ok := s.handler.(chi.Router)
	if !ok {
		t.Fatalf("the handler is a %T", s.handler)
	}
	router.Get("/panic", func(http.ResponseWriter, *http.Request) { panic("first line\nsecond line") })
	router.Get("/twice", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.WriteHeader(http.StatusOK) // the server complains
	})
	l, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx, l) }()
	base := "http://" + l.Addr().String()
	if status, _ := ask(t, http.MethodGet, base+"/panic", ""); status != http.StatusInternalServerError {
		t.Errorf("a panic: %d", status)
	}
	if status, _ := ask(t, http.MethodGet, base+"/twice", ""); status != http.StatusOK {
		t.Errorf("an answer given twice: %d", status)
	}
	stop()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	lines := logLines(t, all.String())
	if line := said(lines, "request"); line == nil || line["stack"] == nil || line["error"] != "panic: first line\nsecond line" {
		t.Errorf("the panic's line: %v", line)
	}
	if !strings.Contains(all.String(), "superfluous") {
		t.Errorf("the server did not complain:\n%s", &all)
	}
}
