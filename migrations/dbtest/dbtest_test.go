package dbtest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"queuetrack/migrations"
)

// helperVar makes this binary a process that starts a server that way, prints its URL, and waits to be killed.
const helperVar = "DBTEST_HELPER"

// ways are the servers that a test binary can start by itself.
var ways = map[string]func(context.Context) (*server, error){"container": startContainer, "local": startLocal}

func TestMain(m *testing.M) {
	if way := os.Getenv(helperVar); way != "" {
		started, err := ways[way](context.Background())
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(started.url)
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0) // without stopping anything
	}
	Main(m, dockerGoroutines()...)
}

func TestEachTestHasItsOwnMigratedDatabase(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"one", "another"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := New(t)
			if err := migrations.Check(t.Context(), pool); err != nil {
				t.Error(err)
			}
			if _, err := pool.Exec(t.Context(), `INSERT INTO log_head (source) VALUES ('city')`); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDatabaseEndsWithItsTest(t *testing.T) {
	t.Parallel()
	var url string
	t.Run("leaves a connection open", func(t *testing.T) {
		url = NewURL(t)
		if _, err := pgx.Connect(context.Background(), url); err != nil {
			t.Fatal(err)
		}
	})
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	err = admin(t.Context(), Server(t), func(conn *pgx.Conn) error {
		found, err := exists(t.Context(), conn, config.Database)
		if found {
			t.Errorf("%s is still there", config.Database)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestManyProcessesMakeOneTemplate(t *testing.T) {
	t.Parallel()
	url := Server(t)
	name := templatePrefix + "of_" + newName()
	t.Cleanup(func() {
		_ = admin(context.Background(), url, func(conn *pgx.Conn) error { return drop(context.Background(), conn, name) })
	})
	group, ctx := errgroup.WithContext(t.Context())
	for range 4 {
		group.Go(func() error { return ensure(ctx, url, name) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	copied := newName()
	if err := clone(t.Context(), url, copied, name); err != nil {
		t.Fatal(err)
	}
	release(t, url, copied, "")
}

func TestStoppedServerLeavesNothing(t *testing.T) {
	t.Parallel()
	for way, start := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			started, err := start(t.Context())
			if err != nil {
				t.Skipf("not on this machine: %v", err)
			}
			if !answers(t.Context(), started.url) {
				t.Error("the server does not answer")
			}
			if err := started.stop(context.Background()); err != nil {
				t.Error(err)
			}
			if answers(t.Context(), started.url) {
				t.Error("the server still answers")
			}
		})
	}
}

// A package may forget Main, and a test binary may be killed: its server ends nevertheless.
func TestKilledTestBinaryLeavesNoServer(t *testing.T) {
	t.Parallel()
	for way := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			binary, url := startBinary(t, way)
			if !answers(t.Context(), url) {
				t.Error("the server does not answer")
			}
			if err := binary.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = binary.Wait()
			for deadline := time.Now().Add(30 * time.Second); answers(t.Context(), url); {
				if time.Now().After(deadline) {
					t.Fatal("the server outlived its test binary")
				}
			}
		})
	}
}

// startBinary runs this test binary as a helper, and returns the URL of the server that it started.
func startBinary(t *testing.T, way string) (binary *exec.Cmd, url string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// What a killed binary can't clear away goes with this folder, which the server's user gets through.
	temporary, err := os.MkdirTemp("", "dbtest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(temporary) })
	if err := os.Chmod(temporary, 0o755); err != nil {
		t.Fatal(err)
	}
	binary = exec.Command(self)
	binary.Env = append(os.Environ(), helperVar+"="+way, "TMPDIR="+temporary)
	stdin, err := binary.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stdin.Close() })
	stdout, err := binary.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := binary.Start(); err != nil {
		t.Fatal(err)
	}
	said, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || !strings.HasPrefix(said, "postgres://") {
		_ = binary.Wait()
		t.Skipf("not on this machine: %s", said)
	}
	return binary, strings.TrimSpace(said)
}

// answers takes a database that can't be reached for a server that is gone.
func answers(ctx context.Context, url string) bool {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return false
	}
	defer conn.Close(ctx) //nolint:errcheck // nothing was done
	return conn.Ping(ctx) == nil
}
