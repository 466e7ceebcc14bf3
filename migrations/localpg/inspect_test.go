//go:build unix

package localpg_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"queuetrack/migrations/localpg"
)

func inspect(t *testing.T, config localpg.Config) localpg.State {
	t.Helper()
	s, err := localpg.Inspect(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What Inspect tells is so, before, while and after a server runs; and it leaves nothing.
func TestInspect(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(publicDir(t), "data")
	config := localpg.Config{DataDir: dir, NoSync: true}
	if s := inspect(t, config); s.Major != "" || s.Running || s.Refuses != nil || s.DataDir != dir {
		t.Errorf("of nothing: %+v", s)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("looking made the folder")
	}
	server, err := localpg.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	s := inspect(t, config)
	if !s.Running || s.Refuses != nil || s.URL != server.URL() || s.Major == "" || s.Owner == "" || s.Free <= 0 {
		t.Errorf("while it runs: %+v", s)
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := inspect(t, config); s.Running || s.Refuses != nil || s.Major == "" {
		t.Errorf("afterwards: %+v", s)
	}
}

// What Start would refuse, Inspect tells.
func TestInspectTellsRefusals(t *testing.T) {
	t.Parallel()
	other := filepath.Join(publicDir(t), "other")
	mustWrite(t, filepath.Join(other, "postgres", "PG_VERSION"), "9.6\n")
	strange := filepath.Join(publicDir(t), "strange")
	mustWrite(t, filepath.Join(strange, "postgres", "notes.txt"), "mine")
	for _, c := range []struct {
		name   string
		config localpg.Config
		want   error
	}{
		{"no binaries", localpg.Config{DataDir: filepath.Join(publicDir(t), "none"), BinDirs: []string{t.TempDir()}}, localpg.ErrNoBinaries},
		{"another major version", localpg.Config{DataDir: other}, localpg.ErrVersion},
		{"no cluster", localpg.Config{DataDir: strange}, localpg.ErrDataDir},
	} {
		if s := inspect(t, c.config); !errors.Is(s.Refuses, c.want) {
			t.Errorf("%s: %v, want %v", c.name, s.Refuses, c.want)
		}
	}
}

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}
