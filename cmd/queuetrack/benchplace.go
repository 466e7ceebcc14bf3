package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/migrations"
	"queuetrack/migrations/localpg"
)

// benchPlace is where a bench runs: a Postgres server, and a folder for whatever it writes.
type benchPlace struct {
	server string // its URL
	folder string
	logger *slog.Logger
}

// withBench makes a place with room for so many connections beside the server's, and removes it again.
func (a *app) withBench(ctx context.Context, connections int, measure func(benchPlace) error) (err error) {
	c, _, err := a.merge()
	if err != nil {
		return err
	}
	folder, err := scratchFolder("queuetrack-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	logger := c.logger(a.stderr, slog.LevelWarn)
	server, stop, err := benchPostgres(ctx, c, folder, connections, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop(context.WithoutCancel(ctx))) }()
	return measure(benchPlace{server, folder, logger})
}

// migrated makes a database that nobody else uses, and drops it when the measuring is done.
func (b benchPlace) migrated(ctx context.Context, measure func(url string) error) (err error) {
	url, drop, err := ownDatabase(ctx, b.server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drop(context.WithoutCancel(ctx))) }()
	if err := migrations.Up(ctx, url, b.logger); err != nil {
		return err
	}
	return measure(url)
}

// introduce says what the figures are of.
func (a *app) introduce(ctx context.Context, pool *pgxpool.Pool) error {
	var version string
	if err := pool.QueryRow(ctx, `SHOW server_version`).Scan(&version); err != nil {
		return fmt.Errorf("ask for the version: %w", err)
	}
	fmt.Fprintf(a.stderr, "Postgres %s, %d CPUs\n", version, runtime.GOMAXPROCS(0))
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
