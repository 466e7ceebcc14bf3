package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"queuetrack/migrations/dbtest"
)

func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"queuetrack": main})
}

// leakChecked fails a run of all tests that left goroutines behind.
type leakChecked struct{ *testing.M }

func (m leakChecked) Run() int {
	code := m.M.Run()
	if code != 0 {
		return code // a failed test may well leave something behind
	}
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil {
		fmt.Fprintf(os.Stderr, "the tests left goroutines behind: %v\n", err)
		return 1
	}
	return 0
}

// TestScripts runs the command as a person would, each script of testdata/script with a database of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("scripts: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			testscript.Run(t, testscript.Params{
				Files:         []string{file},
				UpdateScripts: *update,
				Setup: func(env *testscript.Env) error {
					env.Setenv("TEST_URL", dbtest.NewEmptyURL(t))
					env.Setenv("OTHER_URL", dbtest.NewEmptyURL(t))
					env.Setenv("ADDRESS", freeAddress(t))
					env.Setenv("OPEN_FOLDER", openFolder(t))
					return nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){"ready": waitReady, "get": get, "sql": sql},
			})
		})
	}
}

// startTimeout bounds what a server in a script may take to be ready.
const startTimeout = time.Minute

// waitReady waits until the server at an address is ready: the command itself says so.
func waitReady(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ready ADDRESS")
	}
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); {
		if err := ts.Exec("queuetrack", "healthcheck", "--listen", args[0]); err == nil {
			return
		}
	}
	ts.Fatalf("%s is not ready", args[0])
}

// get prints what a URL answers, with the API key that a file holds; with a pattern, when the answer has come to match it.
func get(ts *testscript.TestScript, neg bool, args []string) {
	key := ""
	if len(args) > 2 && args[0] == "-key" {
		key, args = strings.TrimSpace(ts.ReadFile(args[1])), args[2:]
	}
	if neg || len(args) == 0 || len(args) > 2 {
		ts.Fatalf("usage: get [-key FILE] URL [PATTERN]")
	}
	pattern := regexp.MustCompile(strings.Join(args[1:], ""))
	client := &http.Client{Timeout: startTimeout}
	defer client.CloseIdleConnections()
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); {
		req, err := http.NewRequest(http.MethodGet, args[0], nil)
		ts.Check(err)
		if key != "" {
			req.Header.Set("Authorization", "Bearer "+key)
		}
		resp, err := client.Do(req)
		ts.Check(err)
		body, err := io.ReadAll(resp.Body)
		ts.Check(errors.Join(err, resp.Body.Close()))
		if pattern.Match(body) {
			_, err := ts.Stdout().Write(body)
			ts.Check(err)
			return
		}
	}
	ts.Fatalf("%s did not come to match %s", args[0], pattern)
}

// sql has a database obey a statement.
func sql(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sql URL STATEMENT")
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, args[0])
	ts.Check(err)
	_, err = conn.Exec(ctx, args[1])
	ts.Check(errors.Join(err, conn.Close(ctx)))
}

// freeAddress is one that nobody listened on a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return address
}

// openFolder is a fresh temporary folder that other users may pass through, as the private Postgres of root does.
func openFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "queuetrack-test-")
	if err == nil {
		err = os.Chmod(folder, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}
