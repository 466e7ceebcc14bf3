//go:build !unix

package localpg

import (
	"context"
	"errors"
)

// A Server is a running private Postgres; there is none on this system.
type Server struct{}

// Start refuses: running Postgres privately needs a Unix.
func Start(context.Context, Config) (*Server, error) {
	return nil, errors.New("a private Postgres is not supported on this system: use `docker compose up`, or set DATABASE_URL")
}

// URL is empty.
func (*Server) URL() string { return "" }

// Version is empty.
func (*Server) Version() string { return "" }

// Done is never closed.
func (*Server) Done() <-chan struct{} { return nil }

// Err is nil.
func (*Server) Err() error { return nil }

// Stop does nothing.
func (*Server) Stop(context.Context) error { return nil }

// InUse is false.
func InUse(string) bool { return false }

// RunningURL refuses, as Start does.
func RunningURL(Config) (string, error) { return "", errors.New("no private Postgres on this system") }

// Exists returns false: there is none.
func Exists(config Config) (dataDir string, exists bool, err error) {
	return config.DataDir, false, nil
}

// State is what there is of a private Postgres: nothing.
type State struct {
	DataDir, Major, Owner, URL string
	Running                    bool
	Refuses                    error
	Free                       int64
}

// Inspect returns why there is none.
func Inspect(ctx context.Context, config Config) (State, error) {
	_, err := Start(ctx, config)
	return State{DataDir: config.DataDir, Refuses: err, Free: -1}, nil
}
