package dbtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
)

// serverVar names the variable that tests take their server from before any other.
const serverVar = "TEST_DATABASE_URL"

// errNoServer says what to do about it.
var errNoServer = errors.New(`no Postgres for the tests. Either
  name a server:               export TEST_DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres
  or start a Docker daemon
  or install the binaries:     apt-get install postgresql
(go test -short skips the tests that need one)`)

// A server is where databases are made. stop ends it, if this test binary started it.
type server struct {
	url  string
	stop func(context.Context) error
}

// sharing is a test binary's one server, started by the first test that needs it. Under Main it ends after the last
// test; a package without Main has no such moment, so there it ends with the last test that is using it.
type sharing struct {
	mu     sync.Mutex
	server *server
	err    error
	users  int
	kept   bool // Main will stop it
}

// shared is state of the package, since a test binary has no other place that outlives a test.
var shared sharing

// Server returns the URL of this test binary's server, for the rest of the test: its maintenance database.
func Server(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), setUpTimeout)
	defer cancel()
	url, err := shared.acquire(ctx)
	if err != nil {
		if errors.Is(err, errNoServer) && testing.Short() {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shared.release(); err != nil {
			t.Errorf("stop the test server: %v", err)
		}
	})
	return url
}

func (s *sharing) acquire(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return "", s.err // the next test would wait as long for the same answer
	}
	if s.server == nil {
		s.server, s.err = find(ctx)
		if s.err != nil {
			return "", s.err
		}
	}
	s.users++
	return s.server.url, nil
}

func (s *sharing) release() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users--
	if s.users > 0 || s.kept {
		return nil
	}
	return s.end()
}

// keep leaves the server running between tests, until stop.
func (s *sharing) keep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = true
}

func (s *sharing) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end()
}

func (s *sharing) end() error {
	if s.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), tearDownTimeout)
	defer cancel()
	err := s.server.stop(ctx)
	s.server = nil
	return err
}

// find looks for a server in the documented order.
func find(ctx context.Context) (*server, error) {
	if url := os.Getenv(serverVar); url != "" {
		return &server{url: url, stop: func(context.Context) error { return nil }}, nil
	}
	inContainer, dockerErr := startContainer(ctx)
	if dockerErr == nil {
		return inContainer, nil
	}
	local, localErr := startLocal(ctx)
	if localErr == nil {
		return local, nil
	}
	return nil, fmt.Errorf("%w\n\nDocker: %w\n\nlocal binaries: %w", errNoServer, dockerErr, localErr)
}
