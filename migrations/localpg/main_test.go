//go:build unix

package localpg_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"queuetrack/migrations/localpg"
)

// helperVar makes this binary a process that starts a server in the folder it names, prints its URL, and waits for
// its standard input to end.
const helperVar = "LOCALPG_TEST_HELPER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperVar); dir != "" {
		os.Exit(help(dir))
	}
	goleak.VerifyTestMain(m)
}

func help(dir string) int {
	server, err := localpg.Start(context.Background(), localpg.Config{DataDir: dir, NoSync: true})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(server.URL())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := server.Stop(context.Background()); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// helper is this test binary as another process, of another user if need be.
type helper struct {
	cmd   *exec.Cmd
	stdin io.Closer
	// said is the first line that it printed: the URL, or what went wrong.
	said string
}

func startHelper(t *testing.T, dataDir string, as *syscall.Credential) *helper {
	t.Helper()
	cmd := exec.Command(publicCopyOfThisBinary(t))
	cmd.Env = append(os.Environ(), helperVar+"="+dataDir)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h := &helper{cmd: cmd, stdin: stdin, said: firstLine(t, stdout)}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return h
}

func firstLine(t *testing.T, r io.Reader) string {
	t.Helper()
	var line strings.Builder
	one := make([]byte, 1)
	for {
		_, err := r.Read(one)
		if err != nil || one[0] == '\n' {
			return line.String()
		}
		line.WriteByte(one[0])
	}
}

// publicCopyOfThisBinary lies where another user may execute it: `go test` builds into a private folder.
func publicCopyOfThisBinary(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(publicDir(t), "helper")
	// By another process: a child that a parallel test starts while we write would hold the file open, and nobody
	// could execute it then.
	if out, err := exec.CommandContext(t.Context(), "cp", self, path).CombinedOutput(); err != nil {
		t.Fatalf("copy the test binary: %v: %s", err, out)
	}
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// publicDir is a temporary folder that every user gets through; t.TempDir is private.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "localpg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
