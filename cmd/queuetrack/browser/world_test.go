//go:build linux

package browser

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"queuetrack/cmd/queuetrack/demo"
	"queuetrack/eventstore/source"
	"queuetrack/eventstore/source/ombori"
	"queuetrack/eventstore/source/qminder"
	"queuetrack/eventstore/source/superoffice"
	"queuetrack/migrations/dbtest"
)

const (
	secret = "Bearer only-for-these-tests"
	// patience bounds every wait for something that has no bound of its own.
	patience = 30 * time.Second
	look     = 15 * time.Millisecond // how often is looked whether it has come
)

// world is a running queuetrack.
type world struct {
	t       *testing.T
	base    string // its URL
	dir     string
	args    []string
	signers map[string]source.Source
	log     *lines
	process *os.Process
	ended   <-chan error
}

// newWorld starts a queuetrack that has the demo's three places for sources, and has been told nothing.
func newWorld(t *testing.T) *world {
	t.Helper()
	theBrowser(t) // without one there is no need for anything else
	w := &world{t: t, dir: t.TempDir(), signers: map[string]source.Source{}, log: &lines{}}
	// One of the loopback network's 16 million addresses: nobody else has the port, also not after a restart.
	address := fmt.Sprintf("127.%d.%d.%d:8080", 1+rand.IntN(250), rand.IntN(250), 1+rand.IntN(250))
	w.base = "http://" + address
	file := filepath.Join(w.dir, "queuetrack.yaml")
	if err := os.WriteFile(file, []byte(w.configuration()), 0o600); err != nil {
		t.Fatal(err)
	}
	w.args = []string{"--config", file, "--listen", address, "--database-url", dbtest.NewURL(t)}
	w.start()
	t.Cleanup(w.stop)
	return w
}

// configuration is the file for the demo's places, and opens each to sign by it.
func (w *world) configuration() string {
	file := "sources:\n"
	for _, p := range demo.Places() {
		c := source.Config{
			Name: p.Source, Header: "Authorization", PublicURL: w.base + "/webhooks/" + p.Source,
			Secrets: []source.Secret{{Name: "literal-1", Value: []byte(secret)}},
		}
		open := map[demo.Vendor]func(source.Config) (source.Source, error){
			demo.Qminder: qminder.New, demo.Ombori: ombori.New, demo.SuperOffice: superoffice.New,
		}[p.Vendor]
		signer, err := open(c)
		if err != nil {
			w.t.Fatal(err)
		}
		w.signers[p.Source] = signer
		file += fmt.Sprintf("  - name: %s\n    kind: %s\n    secrets: [%q]\n    timezone: %s\n", p.Source, p.Vendor, secret, p.Zone)
		switch p.Vendor {
		case demo.Qminder:
			file += fmt.Sprintf("    public_url: %q\n", c.PublicURL)
		case demo.Ombori:
			file += fmt.Sprintf("    header: %s\n", c.Header)
		case demo.SuperOffice:
		}
		file += "    queues:\n"
		for _, q := range p.Queues {
			file += fmt.Sprintf("      %q: {name: %q, location: %q}\n", q.ID, q.Name, q.Location)
		}
	}
	return file
}

// start runs the server, and returns when it is ready.
func (w *world) start() {
	w.t.Helper()
	cmd := w.command(append([]string{"serve"}, w.args...)...)
	cmd.Stdout, cmd.Stderr = w.log, w.log
	var err error
	if w.process, w.ended, err = launch(cmd); err != nil {
		w.t.Fatal(err)
	}
	eventually(w.t, "/readyz", patience, func() error {
		_, err := w.read("/readyz", "")
		return err
	})
}

// command is a queuetrack with none of this process's settings.
func (w *world) command(args ...string) *exec.Cmd {
	w.t.Helper()
	binary, err := shop.binary()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(binary, args...) //nolint:noctx // who starts it, ends it
	cmd.Dir = w.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "TMPDIR=" + os.TempDir()}
	return cmd
}

// launch starts a command that dies with this process. Linux sends the death signal when the thread that forked ends, so
// that thread waits for the command.
func launch(cmd *exec.Cmd) (*os.Process, <-chan error, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second
	started, over := make(chan error), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		err := cmd.Start()
		started <- err
		if err == nil {
			over <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, nil, err
	}
	return cmd.Process, over, nil
}

// kill ends the server as a crash would.
func (w *world) kill() {
	_ = w.process.Kill()
	if err := <-w.ended; err == nil {
		w.t.Error("queuetrack ended in order, though it was killed")
	}
}

// stop ends the server in order. What it said is shown when the test failed.
func (w *world) stop() {
	_ = w.process.Signal(syscall.SIGTERM)
	select {
	case err := <-w.ended:
		if err != nil {
			w.t.Errorf("queuetrack did not end in order: %v", err)
		}
	case <-time.After(patience):
		w.t.Errorf("queuetrack does not end %v after SIGTERM", patience)
		w.kill()
	}
	if w.t.Failed() {
		w.t.Logf("the server's last words:\n%s", w.log.String())
	}
}

// read asks for a path; an answer that is not 200 is an error.
func (w *world) read(path, accept string) ([]byte, error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, w.base+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", accept)
	client := &http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %d %s", path, response.StatusCode, body)
	}
	return body, err
}

// get reads a JSON answer.
func (w *world) get(path string, into any) {
	w.t.Helper()
	body, err := w.read(path, "application/json")
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// eventually looks until the condition holds, and fails the test when that takes too long.
func eventually(t *testing.T, what string, within time.Duration, holds func() error) {
	t.Helper()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for began := time.Now(); ; <-tick.C {
		err := holds()
		if err == nil {
			return
		}
		if time.Since(began) > within {
			t.Fatalf("%s: not within %v: %v", what, within, err)
		}
	}
}

// lines keeps the last words of a process. Safe for concurrent use.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String leaves out requests that went well.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var kept []string
	for line := range strings.Lines(l.text.String()) {
		if !strings.Contains(line, "status=200") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept[max(0, len(kept)-100):], "")
}

// text is a page as it comes over the wire.
func (w *world) text(path, accept string) string {
	w.t.Helper()
	body, err := w.read(path, accept)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(body)
}

// stream is the first event of a live page.
func (w *world) stream(path string) string {
	w.t.Helper()
	ctx, end := context.WithTimeout(context.Background(), patience)
	defer end()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.base+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	events := bufio.NewScanner(response.Body)
	events.Buffer(nil, 4<<20)
	for events.Scan() {
		if data, ok := strings.CutPrefix(events.Text(), "data: {"); ok {
			return data
		}
	}
	w.t.Fatalf("%s: no event: %v", path, events.Err())
	return ""
}
