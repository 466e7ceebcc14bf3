package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"queuetrack/eventstore/source"
	"queuetrack/migrations/dbtest"
)

// cityParts are a database and the one source "city".
func cityParts(t *testing.T) *parts {
	t.Helper()
	pool := dbtest.New(t)
	p, err := newParts(config{Access: accessConfig{AuthNone: true}, Sources: []sourceConfig{{
		Kind: kindQminder, Location: time.UTC, ReplayWindow: defaultReplayWindow,
		Config: source.Config{
			Name: "city", PublicURL: "https://hooks.example.com/webhooks/city",
			Secrets: []source.Secret{{Name: "literal-1", Value: []byte("a-secret-of-the-city")}},
		},
	}}}, pools{pool, pool, pool})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const cityTicket = `{"type":"ticket_created","data":{"id":"1","status":"NEW","line":37338,"created":{"date":"2026-03-02T07:00:00Z"}}}`

// A webhook whose body is still arriving when the server is told to stop is taken in and answered.
func TestShutdownFinishesWhatRuns(t *testing.T) {
	t.Parallel()
	p := cityParts(t)
	l, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(p, slog.New(slog.DiscardHandler), time.Now)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx, l) }()

	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // the test has read what it came for
	signature := p.sources["city"].Sign([]byte(cityTicket)).Get("X-Qminder-Signature")
	half := len(cityTicket) / 2
	fmt.Fprintf(conn, "POST /webhooks/city HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\nX-Qminder-Signature: %s\r\nExpect: 100-continue\r\n\r\n",
		len(cityTicket), signature)
	goOn := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
	if _, err := io.ReadFull(conn, goOn); err != nil { // the door is reading the body
		t.Fatal(err)
	}
	fmt.Fprint(conn, cityTicket[:half])
	stop()
	for accepting(t, l.Addr().String()) { // until the listener is closed
	}
	fmt.Fprint(conn, cityTicket[half:])
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200") || !strings.Contains(string(answer), `"accepted"`) {
		t.Errorf("answer while shutting down: %q, %v", answer, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

func accepting(t *testing.T, address string) bool {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// A stream never ends by itself, and must not hold up the end: a whole server, as a process, with one open.
func TestSignalEndsStreams(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	var errs output
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "queuetrack", "serve", "--listen", address)
	cmd.Env = append(os.Environ(), "DATABASE_URL="+dbtest.NewEmptyURL(t))
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer cmd.Process.Kill() //nolint:errcheck // it has ended, unless the test failed
	eventually(t, "the server accepts", func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		return err == nil && conn.Close() == nil
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/v1/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	if _, err := stream.Body.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	told := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, stream.Body); err != nil {
		t.Errorf("the stream was cut off: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v: %s", err, &errs)
	}
	if took := time.Since(told); took > shutdownTimeout/3 {
		t.Errorf("the end took %v", took)
	}
	if strings.Contains(errs.String(), "cut off") {
		t.Errorf("the server waited in vain: %s", &errs)
	}
}

// While it is told to stop, /readyz says no; before, yes.
func TestReadiness(t *testing.T) {
	t.Parallel()
	s := newServer(cityParts(t), slog.New(slog.DiscardHandler), time.Now)
	l, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx, l) }()
	if got := status(t, "http://"+l.Addr().String()+"/readyz"); got != http.StatusOK {
		t.Errorf("ready = %d, want 200", got)
	}
	s.health.Drain()
	if got := status(t, "http://"+l.Addr().String()+"/readyz"); got != http.StatusServiceUnavailable {
		t.Errorf("draining = %d, want 503", got)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func status(t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// output is what a running command has written so far.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// With a private Postgres: other commands join it while the server runs, and when it ends by itself, it is started
// again.
func TestPrivatePostgres(t *testing.T) {
	t.Parallel()
	data := filepath.Join(openFolder(t), "data")
	var out, errs output
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"serve", "--data-dir", data, "--listen", "127.0.0.1:0"}, nil, nil, &out, &errs)
	}()
	for deadline := time.Now().Add(startTimeout); !strings.Contains(out.String(), "listens on"); {
		select {
		case code := <-ended:
			if strings.Contains(errs.String(), "no Postgres found") {
				t.Skip("no Postgres is installed here")
			}
			t.Fatalf("serve ended with %d: %s", code, &errs)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("serve did not start: %s", &errs)
		}
	}
	if !strings.Contains(out.String(), "No source is configured") {
		t.Errorf("without a source it says: %s", &out)
	}
	var verified output
	if code := run(t.Context(), []string{"verify", "--data-dir", data}, nil, nil, &verified, &errs); code != exitDone {
		t.Errorf("verify beside the server = %d: %s%s", code, &verified, &errs)
	}
	if code := run(t.Context(), []string{"serve", "--data-dir", data, "--listen", "127.0.0.1:0"}, nil, nil, io.Discard, &errs); code != exitNo {
		t.Errorf("a second server on the same data = %d, want %d", code, exitNo)
	}
	killed := killPostmaster(t, data)
	eventually(t, "another Postgres", func() bool { return strings.Contains(errs.String(), "private postgres started again") })
	if code := run(t.Context(), []string{"verify", "--data-dir", data}, nil, nil, &verified, &errs); code != exitDone {
		t.Errorf("verify after the Postgres was killed = %d: %s%s", code, &verified, &errs)
	}
	// Where no restart can help, serve ends and says why.
	if err := os.WriteFile(filepath.Join(data, "postgres", "PG_VERSION"), []byte("8.4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if again := killPostmaster(t, data); again == killed {
		t.Errorf("the Postgres is still process %d", killed)
	}
	if code := <-ended; code != exitNo {
		t.Errorf("serve without its Postgres = %d, want %d", code, exitNo)
	}
	if !strings.Contains(errs.String(), "start the private Postgres again: no matching Postgres version") {
		t.Errorf("serve does not say why: %s", &errs)
	}
}

// killPostmaster kills the private Postgres of a server of ours, and returns which process it was.
func killPostmaster(t *testing.T, data string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(data, "postgres", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(startTimeout); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, startTimeout)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// A log that was tampered with is told, with the place, and exit code 1.
func TestVerifySaysNo(t *testing.T) {
	t.Parallel()
	p := cityParts(t)
	body := []byte(cityTicket)
	l, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- newServer(p, slog.New(slog.DiscardHandler), time.Now).run(ctx, l) }()
	send := sender{client: http.DefaultClient, source: p.sources["city"], url: "http://" + l.Addr().String() + "/webhooks/city"}
	if status, answer, err := send.post(t.Context(), body); err != nil || status != http.StatusOK {
		t.Fatalf("send: %d %s %v", status, answer, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	_, err = p.pools.reading.Exec(t.Context(), `
		ALTER TABLE event DISABLE TRIGGER USER;
		UPDATE event SET body = 'forged';
		ALTER TABLE event ENABLE TRIGGER USER`)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "queuetrack.yaml")
	text := "sources: [{name: city, kind: qminder, public_url: 'https://hooks.example.com/webhooks/city', secrets: [a-secret-of-the-city]}]"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs output
	code := run(t.Context(), []string{"verify", "--config", config, "--database-url", p.pools.reading.Config().ConnString()}, nil, nil, &out, &errs)
	if code != exitNo || !strings.Contains(out.String(), "city:1") || !strings.Contains(out.String(), "violation") {
		t.Errorf("verify = %d\n%s%s", code, &out, &errs)
	}
	var lines output
	code = run(t.Context(), []string{"verify", "--json", "--config", config, "--database-url", p.pools.reading.Config().ConnString()}, nil, nil, &lines, &errs)
	for _, want := range []string{
		`{"line":"progress","events":`, // how many depends on whether the server had folded it
		`{"line":"violation","source":"city","position":1,"ticket":"1","what":"the body is not the one that the digest was made of"}`,
		`{"line":"result","ok":false,"sources":1,"events":1,`,
	} {
		if code != exitNo || !strings.Contains(lines.String(), want) {
			t.Errorf("verify --json = %d\n%swant in it %s", code, &lines, want)
		}
	}
}
