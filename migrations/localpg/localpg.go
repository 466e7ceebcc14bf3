// Package localpg runs a private Postgres from installed binaries, for a first try without any configuration and
// for tests.
//
// The server is a child of this process. It listens on a unix socket in a folder that only its user may enter, and
// on no network. Under the data folder lie
//
//	postgres/   the cluster, with data checksums; made in initdb-*/ and renamed when complete
//	run/        the socket (in a temporary folder when the path would be too long for one)
//	lock        held by this process: one queuetrack a data folder
//	child-lock  held by the server's processes themselves: a successor waits for the last of them
//
// What it promises: a cluster is never deleted, re-created or opened by another major version. Commits are
// durable (unless a test says otherwise). No process is left behind: Stop ends the server, and where this process
// dies without it, the kernel tells the server (Linux), which shuts down. As root the server runs as the user postgres
// (or nobody), since Postgres refuses root.
package localpg

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
)

var (
	// ErrNoBinaries means that no usable Postgres is installed; its text names the ways out.
	ErrNoBinaries = errors.New(`no Postgres found on this machine. Either
  install one:           apt-get install postgresql   (macOS: brew install postgresql)
  or use the containers: docker compose up
  or name a server:      set DATABASE_URL=postgres://user:password@host:5432/database`)
	// ErrInUse means that another queuetrack has the data folder.
	ErrInUse = errors.New("the data folder is in use")
	// ErrVersion means that the cluster needs binaries of another major version.
	ErrVersion = errors.New("no matching Postgres version")
	// ErrDataDir means that the data folder can't be used as it is.
	ErrDataDir = errors.New("the data folder can't be used")
)

// Config says where and how the server runs. The zero value works.
type Config struct {
	// DataDir holds the cluster and what goes with it. Empty: DefaultDataDir.
	DataDir string
	// Logger gets what the server logs. Nil: nothing does.
	Logger *slog.Logger
	// NoSync trades durability for speed. Only for tests.
	NoSync bool
	// Settings are server parameters (`max_connections`, …) besides ours.
	Settings map[string]string
	// BinDirs are the folders to look for binaries in. Nil: $PATH and the usual places.
	BinDirs []string
}

// DefaultDataDir is $XDG_STATE_HOME/queuetrack, else /var/lib/queuetrack for root and ~/.local/state/queuetrack for
// everyone else.
func DefaultDataDir() (string, error) {
	// A relative path is to be ignored, says the XDG specification.
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "queuetrack"), nil
	}
	if os.Geteuid() == 0 {
		return "/var/lib/queuetrack", nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".local", "state", "queuetrack"), nil
}

func (c Config) withDefaults() (Config, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	dir := c.DataDir
	if dir == "" {
		standard, err := DefaultDataDir()
		if err != nil {
			return c, err
		}
		dir = standard
	}
	abs, err := filepath.Abs(dir)
	c.DataDir = abs
	return c, err
}
