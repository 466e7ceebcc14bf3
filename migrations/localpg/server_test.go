//go:build unix

package localpg_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"queuetrack/migrations/localpg"
)

func TestSecondStartFindsItsData(t *testing.T) {
	t.Parallel()
	config := localpg.Config{DataDir: filepath.Join(publicDir(t), "data")}
	first := start(t, config)
	execute(t, first.URL(), `CREATE TABLE kept AS SELECT 42 AS answer`)
	stop(t, first)
	second := start(t, config)
	if got := query[int](t, second.URL(), `SELECT answer FROM kept`); got != 42 {
		t.Errorf("answer = %d, want 42", got)
	}
}

func TestServerIsDurablePrivateAndChecksummed(t *testing.T) {
	t.Parallel()
	dir := publicDir(t)
	server := start(t, localpg.Config{DataDir: filepath.Join(dir, "data")})
	want := map[string]string{
		"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "data_checksums": "on",
		"listen_addresses": "", "unix_socket_permissions": "0700", "server_encoding": "UTF8", "server_version": server.Version(),
	}
	got := map[string]string{}
	for name := range want {
		got[name] = query[string](t, server.URL(), `SELECT current_setting('`+name+`')`)
	}
	got["server_version"], _, _ = strings.Cut(got["server_version"], " ")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	for _, private := range []string{"data/postgres", "data/run"} {
		info, err := os.Stat(filepath.Join(dir, private))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o700 {
			t.Errorf("%s has mode %o, want 700", private, got)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	server := start(t, localpg.Config{
		DataDir: filepath.Join(publicDir(t), "data"), NoSync: true, Settings: map[string]string{"max_connections": "33"},
	})
	if got := query[string](t, server.URL(), `SELECT current_setting('fsync')`); got != "off" {
		t.Errorf("fsync = %s, want off", got)
	}
	if got := query[string](t, server.URL(), `SELECT current_setting('max_connections')`); got != "33" {
		t.Errorf("max_connections = %s, want 33", got)
	}
}

func TestRootDropsToAnotherUser(t *testing.T) {
	t.Parallel()
	onlyRoot(t)
	dir := filepath.Join(publicDir(t), "data")
	stop(t, start(t, localpg.Config{DataDir: dir, NoSync: true}))
	if uid := owner(t, filepath.Join(dir, "postgres")); uid == 0 {
		t.Error("the cluster belongs to root")
	}
}

func TestRootIsToldWhichFolderIsShut(t *testing.T) {
	t.Parallel()
	onlyRoot(t)
	shut := filepath.Join(publicDir(t), "shut")
	if err := os.Mkdir(shut, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := localpg.Start(t.Context(), localpg.Config{DataDir: filepath.Join(shut, "deep", "data")})
	if !errors.Is(err, localpg.ErrDataDir) || !strings.Contains(err.Error(), shut+" does not let through") {
		t.Errorf("start below a shut folder = %v, want ErrDataDir naming %s", err, shut)
	}
	if _, err := os.Stat(filepath.Join(shut, "deep")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the refused start made a folder")
	}
}

func TestOrdinaryUser(t *testing.T) {
	t.Parallel()
	onlyRoot(t) // only root can become somebody else; run by somebody else, every test here is this one
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip("no user nobody on this machine")
	}
	uid, gid := number(t, nobody.Uid), number(t, nobody.Gid)
	dir := publicDir(t)
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	h := startHelper(t, filepath.Join(dir, "data"), &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)})
	if got := query[int](t, h.said, `SELECT 1`); got != 1 {
		t.Errorf("the server of an ordinary user answered %d, want 1", got)
	}
	if got := owner(t, filepath.Join(dir, "data", "postgres")); got != uid {
		t.Errorf("the cluster belongs to %d, want %d", got, uid)
	}
	server := postmaster(t, filepath.Join(dir, "data"))
	if err := h.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.cmd.Wait(); err != nil {
		t.Errorf("clean end: %v", err)
	}
	if alive(server) {
		t.Error("the server outlived its queuetrack")
	}
}

func TestRootOpensTheClusterOfItsOwner(t *testing.T) {
	t.Parallel()
	onlyRoot(t)
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip("no user nobody on this machine")
	}
	dir := filepath.Join(publicDir(t), "data")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, number(t, nobody.Uid), number(t, nobody.Gid)); err != nil {
		t.Fatal(err)
	}
	h := startHelper(t, dir, &syscall.Credential{Uid: uint32(number(t, nobody.Uid)), Gid: uint32(number(t, nobody.Gid))})
	execute(t, h.said, `CREATE TABLE kept ()`)
	_ = h.stdin.Close()
	_ = h.cmd.Wait()
	server := start(t, localpg.Config{DataDir: dir, NoSync: true})
	execute(t, server.URL(), `SELECT FROM kept`)
}

// An orphaned server after kill -9 would block every replacement.
func TestKilledParentLeavesNoServer(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(publicDir(t), "data")
	h := startHelper(t, dir, nil)
	execute(t, h.said, `CREATE TABLE kept AS SELECT 42 AS answer`)
	server := postmaster(t, dir)
	if err := h.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = h.cmd.Wait()
	// At once: the successor waits for the predecessor's server to finish its shutdown.
	successor := start(t, localpg.Config{DataDir: dir, NoSync: true})
	if alive(server) {
		t.Error("the server outlived its killed queuetrack")
	}
	if got := query[int](t, successor.URL(), `SELECT answer FROM kept`); got != 42 {
		t.Errorf("answer = %d, want 42", got)
	}
}

func TestKilledServerIsTold(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(publicDir(t), "data")
	server := start(t, localpg.Config{DataDir: dir, NoSync: true})
	if err := server.Err(); err != nil {
		t.Errorf("error of a running server: %v", err)
	}
	if err := syscall.Kill(postmaster(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-server.Done():
	case <-time.After(time.Minute):
		t.Fatal("not told that the server ended")
	}
	if err := server.Err(); err == nil {
		t.Error("no error of a server that was killed")
	}
	stop(t, server)
	// Its postmaster.pid is still there: that must not keep the next one from starting.
	start(t, localpg.Config{DataDir: dir, NoSync: true})
}

func TestTwoStartsAtOnce(t *testing.T) {
	t.Parallel()
	config := localpg.Config{DataDir: filepath.Join(publicDir(t), "data"), NoSync: true}
	type outcome struct {
		server *localpg.Server
		err    error
	}
	outcomes := make(chan outcome, 2)
	for range 2 {
		go func() {
			server, err := localpg.Start(context.Background(), config)
			outcomes <- outcome{server, err}
		}()
	}
	var running, refused int
	for range 2 {
		o := <-outcomes
		switch {
		case o.err == nil:
			running++
			defer stop(t, o.server)
		case errors.Is(o.err, localpg.ErrInUse):
			refused++
		default:
			t.Error(o.err)
		}
	}
	if running != 1 || refused != 1 {
		t.Errorf("%d running and %d refused, want one each", running, refused)
	}
}

func TestLongPath(t *testing.T) {
	t.Parallel()
	dir := publicDir(t)
	long := filepath.Join(dir, strings.Repeat("a-long-name-", 12), "with, comma", "and 'quotes\"")
	server := start(t, localpg.Config{DataDir: long, NoSync: true})
	if got := query[int](t, server.URL(), `SELECT 1`); got != 1 {
		t.Errorf("answer = %d, want 1", got)
	}
	sockets := query[string](t, server.URL(), `SELECT current_setting('unix_socket_directories')`)
	stop(t, server)
	if _, err := os.Stat(strings.Trim(sockets, `"`)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket's folder is still there: %v", err)
	}
}

func TestStopIsRepeatable(t *testing.T) {
	t.Parallel()
	server := start(t, localpg.Config{DataDir: filepath.Join(publicDir(t), "data"), NoSync: true})
	conn, err := pgx.Connect(t.Context(), server.URL()) // an idle connection does not hold a stop up
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) //nolint:errcheck // cut by the stop
	stop(t, server)
	stop(t, server)
	if err := server.Err(); err != nil {
		t.Errorf("error after a stop: %v", err)
	}
}

func TestCancelledStartLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(publicDir(t), "data")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if server, err := localpg.Start(ctx, localpg.Config{DataDir: dir, NoSync: true}); err == nil {
		stop(t, server)
		t.Skip("this machine starts a server in 50 ms")
	}
	if _, err := os.Stat(filepath.Join(dir, "postgres")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a cancelled initdb left a cluster")
	}
	start(t, localpg.Config{DataDir: dir, NoSync: true})
}

func start(t *testing.T, config localpg.Config) *localpg.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	server, err := localpg.Start(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, server) })
	return server
}

func stop(t *testing.T, server *localpg.Server) {
	t.Helper()
	if err := server.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func execute(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) //nolint:errcheck // what was done is committed
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func query[T any](t *testing.T, url, sql string) (value T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) //nolint:errcheck // only read
	if err := conn.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func onlyRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

func owner(t *testing.T, path string) int {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.Sys().(*syscall.Stat_t).Uid)
}

// postmaster is the process id of a running server.
func postmaster(t *testing.T, dataDir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dataDir, "postgres", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return number(t, first)
}

// alive leaves out a process that has ended, and only waits for a busy init to take note.
func alive(pid int) bool {
	state, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err == nil && strings.Contains(string(state), ") Z ") {
		return false
	}
	return syscall.Kill(pid, 0) == nil
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
