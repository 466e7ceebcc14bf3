package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/cmd/queuetrack/bench"
	"queuetrack/eventstore/source"
	"queuetrack/eventstore/source/qminder"
	"queuetrack/projection"
)

// benchPath is where the deliveries go, and benchURL what the vendor would have registered.
const (
	benchPath = "/webhooks/" + bench.Source
	benchURL  = "https://bench.example" + benchPath
)

// benchServer is a server in a process of its own.
type benchServer struct {
	cmd    *exec.Cmd
	host   string
	config string // its file
	sign   func(body []byte) http.Header
	logs   string // the file that it logs to
}

// startServer runs this very program as a server with these sources, on a free port.
func (a *app) startServer(ctx context.Context, url, folder string, zone *time.Location, sources ...string) (*benchServer, error) {
	file, sign, err := benchConfig(folder, zone, sources...)
	if err != nil {
		return nil, err
	}
	s := &benchServer{config: file, sign: sign, logs: filepath.Join(folder, "server.log")}
	logs, err := os.Create(s.logs)
	if err != nil {
		return nil, fmt.Errorf("make the server's log: %w", err)
	}
	defer logs.Close() //nolint:errcheck // the server has it by then
	if s.cmd, err = ourselves(ctx, url, "serve", "--config", file, "--listen", "127.0.0.1:0", "--log-format", logText); err != nil {
		return nil, err
	}
	s.cmd.Stderr = logs
	stdout, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	first, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(errors.New("the server did not start"), s.stop())
	}
	s.host = strings.TrimSpace(strings.TrimPrefix(first, "queuetrack listens on http://"))
	return s, nil
}

// ourselves is this very program as another process, with these arguments and the database.
func ourselves(ctx context.Context, url string, args ...string) (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Args[0] = os.Args[0]
	// Not among the arguments: it may hold a password. What the environment says of a real server's is not for this one.
	cmd.Env = append(os.Environ(), "DATABASE_URL="+url, "QUEUETRACK_DATABASE_URL=", "QUEUETRACK_ADMIN_KEY_FILE=")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = shutdownTimeout + 5*time.Second
	return cmd, nil
}

// measured is the server as a bench knows it.
func (s *benchServer) measured(url string, pool *pgxpool.Pool) bench.Server {
	return bench.Server{
		DatabaseURL: url, Host: s.host, Path: benchPath, Sign: s.sign, PID: s.cmd.Process.Pid,
		CaughtUp: func(ctx context.Context) error { return caughtUp(ctx, projection.NewReader(pool)) },
	}
}

// benchConfig writes the configuration of these sources, and returns how the vendor of bench.Source signs.
func benchConfig(folder string, zone *time.Location, sources ...string) (file string, sign func([]byte) http.Header, err error) {
	secret := rand.Text()
	adapter, err := qminder.New(source.Config{
		Name: bench.Source, PublicURL: benchURL, Secrets: []source.Secret{{Name: "literal-1", Value: []byte(secret)}},
	})
	if err != nil {
		return "", nil, err
	}
	file = filepath.Join(folder, "bench.yaml")
	settings := "sources:\n"
	for _, name := range sources {
		settings += fmt.Sprintf("- {name: %s, kind: qminder, public_url: %q, secrets: [%q], timezone: %s}\n", name, benchURL, secret, zone)
	}
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		return "", nil, fmt.Errorf("write the server's configuration: %w", err)
	}
	return file, adapter.Sign, nil
}

// stop ends the server in order. What it has to say when that fails comes along.
func (s *benchServer) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	if err := s.cmd.Wait(); err != nil {
		said, _ := os.ReadFile(s.logs) // else the error alone must do
		return fmt.Errorf("the server ended with %w: %s", err, bytes.TrimSpace(said[max(0, len(said)-2000):]))
	}
	return nil
}
