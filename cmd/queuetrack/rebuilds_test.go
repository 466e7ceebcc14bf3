package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"queuetrack/projection"
)

// serving is a server that runs until it is stopped, which is no later than the test's end.
func serving(t *testing.T, p *parts) (base string, stop func()) {
	t.Helper()
	fresh, err := newParts(p.config, p.pools)
	if err != nil {
		t.Fatal(err)
	}
	l, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- newServer(fresh, slog.New(slog.DiscardHandler), time.Now).run(ctx, l) }()
	stopped := false
	stop = func() {
		if cancel(); !stopped {
			stopped = true
			if err := <-ended; err != nil {
				t.Errorf("the server ended with %v", err)
			}
		}
	}
	t.Cleanup(stop)
	return "http://" + l.Addr().String(), stop
}

// ask sends a request, with a JSON body unless that is empty, and returns what came back.
func ask(t *testing.T, method, url, body string, header ...string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(read)
}

const rebuildURL = "/v1/projections/rebuild"

// It goes on when its request has ended, is seen from another process and keeps that one out, ends with its server, and is
// gone on with by the next.
func TestARebuildOverREST(t *testing.T) {
	t.Parallel()
	p := cityParts(t)
	base, stop := serving(t, p)
	if status, answer := ask(t, http.MethodPost, base+"/webhooks/city", cityTicket, signature(p)...); status != http.StatusOK {
		t.Fatalf("send: %d %s", status, answer)
	}
	eventually(t, "it is folded", func() bool { return count(t, p, `SELECT count(*) FROM history_0`) == 1 })

	tx, err := p.pools.working.Begin(t.Context()) // somebody reads what is to be cleared: the rebuild waits
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background()) //nolint:errcheck // the end of the test
	if _, err := tx.Exec(t.Context(), `LOCK TABLE history_1 IN ACCESS SHARE MODE`); err != nil {
		t.Fatal(err)
	}
	other, _ := serving(t, p)
	status, answer := ask(t, http.MethodPost, base+rebuildURL, "")
	if status != http.StatusAccepted || !strings.Contains(answer, `"state":"running","action":"rebuild","generation":1,"phase":"clearing","events":0,"total":1,`) {
		t.Fatalf("begun: %d %s", status, answer)
	}
	for where, url := range map[string]string{"here": base, "in another process": other} {
		if status, answer := ask(t, http.MethodGet, url+rebuildURL, ""); status != http.StatusOK || !strings.Contains(answer, `"state":"running"`) {
			t.Errorf("watched %s: %d %s", where, status, answer)
		}
		for _, body := range []string{"", `{"action":"discard"}`} {
			if status, answer := ask(t, http.MethodPost, url+rebuildURL, body); status != http.StatusConflict || !strings.Contains(answer, "is at it: rebuild of generation 1, clearing") {
				t.Errorf("a second one %s, %q: %d %s", where, body, status, answer)
			}
		}
	}
	stop()
	if _, answer := ask(t, http.MethodGet, other+rebuildURL, ""); !strings.Contains(answer, `"state":"interrupted","action":"rebuild","generation":1,`) {
		t.Errorf("once its server has ended: %s", answer)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, answer := ask(t, http.MethodPost, other+rebuildURL, `{"action":"rebuild"}`); status != http.StatusAccepted {
		t.Fatalf("gone on with: %d %s", status, answer)
	}
	eventually(t, "it is done", func() bool {
		_, answer := ask(t, http.MethodGet, other+rebuildURL, "")
		return strings.Contains(answer, `"state":"done","action":"rebuild","generation":1,`)
	})
	if _, metrics := ask(t, http.MethodGet, other+"/metrics", ""); !strings.Contains(metrics, `queuetrack_rebuild_state{phase="",state="done",task="rebuild"} 1`) {
		t.Error("the metrics don't tell of it")
	}
	checkEverything(t.Context(), t, p)
}

// signature is what city's vendor sends with cityTicket.
func signature(p *parts) []string {
	return []string{"X-Qminder-Signature", p.sources["city"].Sign([]byte(cityTicket)).Get("X-Qminder-Signature")}
}

// What a page of another site, or of another name, would have a browser send is refused.
func TestARebuildIsNotBegunByAnotherSite(t *testing.T) {
	t.Parallel()
	p := cityParts(t)
	p.config.Listen.Value = "127.0.0.1:8080"
	base, _ := serving(t, p)
	if status, answer := ask(t, http.MethodPost, base+rebuildURL, "", "Origin", "https://evil.example"); status != http.StatusForbidden {
		t.Errorf("%d %s", status, answer)
	}
	if n := count(t, p, `SELECT count(*) FROM generation`); n != 1 {
		t.Errorf("%d generations", n)
	}
}

// One task at a time, whoever asks for it.
func TestRebuildsTakeTurns(t *testing.T) {
	t.Parallel()
	b := newRebuilds(cityParts(t).rebuilder(slog.New(slog.DiscardHandler)), slog.New(slog.DiscardHandler))
	if err := b.take(); err != nil {
		t.Fatal(err)
	}
	_, err := b.Rebuild(t.Context(), nil)
	for _, err := range []error{err, b.Discard(t.Context()), b.Begin(t.Context(), projection.TaskRollback)} {
		if !errors.Is(err, projection.ErrRebuilding) {
			t.Errorf("while one is at work: %v", err)
		}
	}
	b.give()
	if err := b.Begin(t.Context(), projection.TaskRollback); !errors.Is(err, projection.ErrNoPrevious) {
		t.Errorf("once it has ended: %v", err)
	}
	eventually(t, "its turn is given back", func() bool { return b.take() == nil })
	b.give()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Run(ctx); err != nil {
		t.Error(err)
	}
	if err := b.Begin(t.Context(), projection.TaskRebuild); !errors.Is(err, projection.ErrRebuilding) {
		t.Errorf("after the end: %v", err)
	}
}
