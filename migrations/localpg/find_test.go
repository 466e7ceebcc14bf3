//go:build unix

package localpg

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHighestMajorIsNumeric(t *testing.T) {
	root := t.TempDir()
	for _, version := range []string{"9.6", "15", "100", "9.10"} {
		if err := os.MkdirAll(filepath.Join(root, "pg", version, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(root) // a relative pattern: the temporary folder's name has digits, too
	want := []string{"pg/100/bin", "pg/15/bin", "pg/9.10/bin", "pg/9.6/bin"}
	if diff := cmp.Diff(want, highestFirst("pg/*/bin")); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestMajorOf(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{"17.4": "17", "15": "15", "9.6.24": "9.6", "18beta1": "18", "19devel": "19"} {
		if got := majorOf(version); got != want {
			t.Errorf("majorOf(%s) = %s, want %s", version, got, want)
		}
	}
}

func TestInstallationForACluster(t *testing.T) {
	t.Parallel()
	found := []installation{
		{dir: "/a", version: "13.1", major: "13"},
		{dir: "/b", version: "15.18", major: "15"},
		{dir: "/c", version: "17.4", major: "17"},
	}
	if got, err := forNew(found); err != nil || got.dir != "/b" {
		t.Errorf("for a new cluster: %+v, %v; want the first that is new enough", got, err)
	}
	if got, err := forMajor(found, "13", "/data"); err != nil || got.dir != "/a" {
		t.Errorf("for a cluster of 13: %+v, %v", got, err)
	}
	if _, err := forMajor(found, "16", "/data"); !errors.Is(err, ErrVersion) {
		t.Errorf("for a cluster of 16: %v, want ErrVersion", err)
	}
	if _, err := forNew(found[:1]); !errors.Is(err, ErrNoBinaries) {
		t.Errorf("with an old one only: %v, want ErrNoBinaries", err)
	}
}

func TestWrapperScriptIsPassedOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"postgres", "initdb"} {
		script := "#!/bin/sh\necho 'postgres (PostgreSQL) 17.4'\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if found := installations(t.Context(), []string{dir}); len(found) != 0 {
		t.Errorf("found %+v, want none", found)
	}
}

func TestLinksAreFollowed(t *testing.T) {
	t.Parallel()
	real := installations(t.Context(), nil)
	if len(real) == 0 {
		t.Skip("no Postgres installed")
	}
	dir := t.TempDir()
	if err := os.Symlink(real[0].binary("postgres"), filepath.Join(dir, "postgres")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(real[:1], installations(t.Context(), []string{dir, dir}), cmp.AllowUnexported(installation{})); diff != "" {
		t.Errorf("through a link (-want +got):\n%s", diff)
	}
}

func TestSocketPathFits(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"/var/lib/queuetrack", "/" + string(make([]byte, 200)), "/with,comma"} {
		if got := socketDir(dir); !fits(got) {
			t.Errorf("socket folder of %q = %q: too long", dir, got)
		}
	}
	if got, want := socketDir("/var/lib/queuetrack"), "/var/lib/queuetrack/run"; got != want {
		t.Errorf("socket folder = %s, want %s", got, want)
	}
}
