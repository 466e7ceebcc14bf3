//go:build unix

package localpg_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"queuetrack/migrations/localpg"
)

// A library upgrade wipes the data directory: the known library for this does so when the version differs.
func TestOtherMajorIsRefusedAndUntouched(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(publicDir(t), "data")
	server := start(t, localpg.Config{DataDir: dir, NoSync: true})
	stop(t, server)
	version := filepath.Join(dir, "postgres", "PG_VERSION")
	if err := os.WriteFile(version, []byte("99\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := tree(t, filepath.Join(dir, "postgres"))
	_, err := localpg.Start(t.Context(), localpg.Config{DataDir: dir})
	if !errors.Is(err, localpg.ErrVersion) {
		t.Fatalf("start = %v, want ErrVersion", err)
	}
	for _, named := range []string{"Postgres 99", server.Version()} {
		if !strings.Contains(err.Error(), named) {
			t.Errorf("the message does not name %s: %v", named, err)
		}
	}
	if diff := cmp.Diff(before, tree(t, filepath.Join(dir, "postgres"))); diff != "" {
		t.Errorf("the cluster was touched (-before +after):\n%s", diff)
	}
}

func TestForeignFolderIsRefusedAndUntouched(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(publicDir(t), "data")
	photos := filepath.Join(dir, "postgres", "photos")
	if err := os.MkdirAll(photos, 0o755); err != nil {
		t.Fatal(err)
	}
	giveAway(t, filepath.Join(dir, "postgres"))
	before := tree(t, dir+"/postgres")
	_, err := localpg.Start(t.Context(), localpg.Config{DataDir: dir})
	if !errors.Is(err, localpg.ErrDataDir) {
		t.Errorf("start = %v, want ErrDataDir", err)
	}
	if diff := cmp.Diff(before, tree(t, dir+"/postgres")); diff != "" {
		t.Errorf("the folder was touched (-before +after):\n%s", diff)
	}
}

func TestUnfinishedInitdbIsNoCluster(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(publicDir(t), "data")
	half := filepath.Join(dir, "initdb-123", "base")
	if err := os.MkdirAll(half, 0o755); err != nil {
		t.Fatal(err)
	}
	// initdb writes PG_VERSION early: having one makes no cluster.
	if err := os.WriteFile(filepath.Join(dir, "initdb-123", "PG_VERSION"), []byte("15\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := start(t, localpg.Config{DataDir: dir, NoSync: true})
	if got := query[int](t, server.URL(), `SELECT 1`); got != 1 {
		t.Errorf("answer = %d, want 1", got)
	}
	if _, err := os.Stat(half); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the unfinished folder is still there")
	}
}

func TestMissingBinariesAreOneMessage(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(publicDir(t), "data")
	_, err := localpg.Start(t.Context(), localpg.Config{DataDir: dir, BinDirs: []string{t.TempDir(), "/nowhere"}})
	if !errors.Is(err, localpg.ErrNoBinaries) {
		t.Fatalf("start = %v, want ErrNoBinaries", err)
	}
	for _, way := range []string{"apt-get install postgresql", "docker compose up", "DATABASE_URL"} {
		if !strings.Contains(err.Error(), way) {
			t.Errorf("the message does not offer %q: %v", way, err)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the refused start made a folder")
	}
}

func TestDefaultDataDir(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", "/srv/state")
	if got, err := localpg.DefaultDataDir(); err != nil || got != "/srv/state/queuetrack" {
		t.Errorf("with XDG_STATE_HOME: %s, %v", got, err)
	}
	t.Setenv("XDG_STATE_HOME", "relative")
	t.Setenv("HOME", "/home/somebody")
	want := "/home/somebody/.local/state/queuetrack"
	if os.Geteuid() == 0 {
		want = "/var/lib/queuetrack"
	}
	if got, err := localpg.DefaultDataDir(); err != nil || got != want {
		t.Errorf("without: %s, %v; want %s", got, err, want)
	}
}

// tree is every path below dir with its mode, size and time of change.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		all[path] = info.Mode().String() + info.ModTime().String()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// giveAway makes a folder of root another user's, since root's own are refused for that alone.
func giveAway(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
}
