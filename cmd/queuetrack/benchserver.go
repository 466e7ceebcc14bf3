package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/cmd/queuetrack/bench"
	"queuetrack/eventstore/source"
	"queuetrack/eventstore/source/qminder"
	"queuetrack/migrations"
	"queuetrack/migrations/localpg"
)

// benchPath is where the deliveries go, and benchURL what the vendor would have registered.
const (
	benchPath = "/webhooks/" + bench.Source
	benchURL  = "https://bench.example" + benchPath
)

// benchServer is a server in a process of its own.
type benchServer struct {
	cmd  *exec.Cmd
	host string
	sign func(body []byte) http.Header
	logs string // the file that it logs to
}

// startServer runs this very program as a server with one source, on a free port.
func (a *app) startServer(ctx context.Context, url, folder string) (*benchServer, error) {
	file, sign, err := benchConfig(folder)
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	s := &benchServer{sign: sign, logs: filepath.Join(folder, "server.log")}
	logs, err := os.Create(s.logs)
	if err != nil {
		return nil, fmt.Errorf("make the server's log: %w", err)
	}
	defer logs.Close() //nolint:errcheck // the server has it by then
	s.cmd = exec.CommandContext(ctx, program, "serve", "--config", file, "--listen", "127.0.0.1:0")
	s.cmd.Args[0] = os.Args[0]
	s.cmd.Env = append(os.Environ(), "DATABASE_URL="+url) // not among the arguments: it may hold a password
	s.cmd.Stderr = logs
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = shutdownTimeout + 5*time.Second
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

// benchConfig writes the server's configuration, and returns how the vendor of its source signs.
func benchConfig(folder string) (file string, sign func([]byte) http.Header, err error) {
	secret := rand.Text()
	adapter, err := qminder.New(source.Config{
		Name: bench.Source, PublicURL: benchURL, Secrets: []source.Secret{{Name: "literal-1", Value: []byte(secret)}},
	})
	if err != nil {
		return "", nil, err
	}
	file = filepath.Join(folder, "bench.yaml")
	settings := fmt.Sprintf("sources:\n- {name: %s, kind: qminder, public_url: %q, secrets: [%q]}\n", bench.Source, benchURL, secret)
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

// serverConnections is what the server itself may take of Postgres, beside the yardstick.
const serverConnections = 44

// benchPostgres returns the configured server, or a private one, with room for so many connections, that stop ends.
func benchPostgres(ctx context.Context, c config, folder string, connections int, logger *slog.Logger) (url string, stop func(context.Context) error, err error) {
	if c.DatabaseURL.Value != "" {
		return c.DatabaseURL.Value, func(context.Context) error { return nil }, nil
	}
	server, err := localpg.Start(ctx, localpg.Config{
		DataDir: filepath.Join(folder, "data"), Logger: logger, Settings: map[string]string{"max_connections": strconv.Itoa(connections + serverConnections)},
	})
	if err != nil {
		return "", nil, fmt.Errorf("start a private Postgres: %w", err)
	}
	return server.URL(), server.Stop, nil
}

// ownDatabase makes a database that nobody else uses beside the one of the URL.
func ownDatabase(ctx context.Context, url string) (own string, drop func(context.Context) error, err error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return "", nil, errDatabaseURL
	}
	name := "queuetrack_bench_" + strings.ToLower(rand.Text()[:8])
	do := func(ctx context.Context, statement string) error {
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			return fmt.Errorf("connect to the database: %w", err)
		}
		defer conn.Close(ctx) //nolint:errcheck // everything is done
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
		return nil
	}
	if err := do(ctx, `CREATE DATABASE `+name); err != nil {
		return "", nil, err
	}
	own, err = migrations.WithDatabase(url, name)
	return own, func(ctx context.Context) error { return do(ctx, `DROP DATABASE `+name+` WITH (FORCE)`) }, err
}
