package main

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"queuetrack/migrations/dbtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"queuetrack": main})
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
					env.Setenv("ADDRESS", freeAddress(t))
					return nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){"ready": waitReady},
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

// freeAddress is one that nobody listened on a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
