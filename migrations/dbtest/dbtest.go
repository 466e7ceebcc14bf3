// Package dbtest gives each test a fresh, migrated database of its own.
//
// The first test of a test binary finds a server: TEST_DATABASE_URL, else a Docker daemon that answers
// (postgres:17-alpine), else a private server from installed binaries. There it makes a template: an empty database
// with all migrations applied, named after their digest, so that the binaries of one `go test ./...` share it and a
// changed migration makes a new one. A test's database is a clone of it, and is dropped when the test ends.
//
// On a failed test with QUEUETRACK_TEST_KEEP set the database stays, and its URL is logged; that is of use with
// TEST_DATABASE_URL, since the other servers end with the test binary.
package dbtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/migrations"
)

const (
	// keepVar names the variable that keeps the database of a failed test.
	keepVar = "QUEUETRACK_TEST_KEEP"
	// poolSize is enough for a test that runs a handful of goroutines, and lets many tests share a server.
	poolSize = 10
	// setUpTimeout bounds what a test may wait for its database, a server's start and download included.
	setUpTimeout = 5 * time.Minute
	// tearDownTimeout bounds closing and dropping.
	tearDownTimeout = time.Minute
)

// New returns a pool on a fresh, migrated database. Both end with the test.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(NewURL(t))
	if err != nil {
		t.Fatalf("read the test database's URL: %v", err)
	}
	config.MaxConns = poolSize
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatalf("open the test database: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// NewURL returns the URL of a fresh, migrated database. It is dropped when the test ends, whoever is still connected.
func NewURL(t testing.TB) string {
	t.Helper()
	return newURL(t, template)
}

// NewEmptyURL is NewURL without migrations.
func NewEmptyURL(t testing.TB) string {
	t.Helper()
	return newURL(t, func(context.Context, string) (string, error) { return "template0", nil })
}

func newURL(t testing.TB, origin func(ctx context.Context, serverURL string) (string, error)) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), setUpTimeout)
	defer cancel()
	server := Server(t)
	from, err := origin(ctx, server)
	if err != nil {
		t.Fatalf("make the template of the test databases: %v", err)
	}
	name := newName()
	if err := clone(ctx, server, name, from); err != nil {
		t.Fatalf("make a test database: %v", err)
	}
	url, err := migrations.WithDatabase(server, name)
	if err != nil {
		t.Fatalf("name the test database: %v", err)
	}
	t.Cleanup(func() { release(t, server, name, url) })
	return url
}

func release(t testing.TB, server, name, url string) {
	if t.Failed() && os.Getenv(keepVar) != "" {
		t.Logf("kept the test database: %s", url)
		return
	}
	// The test's own context is over by now.
	ctx, cancel := context.WithTimeout(context.Background(), tearDownTimeout)
	defer cancel()
	err := admin(ctx, server, func(conn *pgx.Conn) error { return drop(ctx, conn, name) })
	if err != nil {
		t.Errorf("drop the test database: %v", err)
	}
}

// newName tells when the database was made, so that what a killed test left behind can be told from what is in use.
func newName() string {
	return fmt.Sprintf("%s%d_%s", testPrefix, time.Now().Unix(), strings.ToLower(rand.Text()[:10]))
}
