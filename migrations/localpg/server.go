//go:build unix

package localpg

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// database is made in every cluster, for the application.
	database = "queuetrack"
	// fastShutdown is what a clean stop may take before the server is told to stop at once (it then recovers at
	// the next start), and abandonAfter what that may take before it is killed.
	fastShutdown = 10 * time.Second
	abandonAfter = 10 * time.Second
	// readyPoll is how often a starting server is asked whether it is ready.
	readyPoll = 20 * time.Millisecond
)

var errEnded = errors.New("postgres ended by itself")

// A Server is a running private Postgres. Its methods may be called from any goroutine.
type Server struct {
	url     string
	version string
	child   *child
	log     *serverLog
	lock    *os.File
	sockets string

	stop    sync.Once
	stopped chan struct{} // closed by the first Stop
	done    chan struct{} // closed when the server has ended and its data folder is free again
}

// Start makes the cluster where there is none, starts the server, and returns when it answers. The context bounds the
// start only. The errors to branch on are ErrNoBinaries, ErrInUse, ErrVersion and ErrDataDir.
func Start(ctx context.Context, config Config) (*Server, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("find the data folder: %w", err)
	}
	found := installations(ctx, config.BinDirs)
	if len(found) == 0 {
		return nil, ErrNoBinaries // before anything is written
	}
	as, err := serverAccount(clusterDir(config.DataDir))
	if err != nil {
		return nil, err
	}
	if err := makeDataDir(config.DataDir, as); err != nil {
		return nil, err
	}
	lock, err := lockDataDir(config.DataDir)
	if err != nil {
		return nil, err
	}
	server, err := startLocked(ctx, config, found, as)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	server.lock = lock
	go server.watch()
	if err := server.ready(ctx); err != nil {
		return nil, errors.Join(err, server.Stop(context.WithoutCancel(ctx)))
	}
	return server, nil
}

func startLocked(ctx context.Context, config Config, found []installation, as account) (*Server, error) {
	childLock, err := lockForChild(ctx, config.DataDir)
	if err != nil {
		return nil, err
	}
	defer childLock.Close() //nolint:errcheck // from here on the server's processes hold it
	with, err := prepare(ctx, config, found, as)
	if err != nil {
		return nil, err
	}
	if err := as.checkWay(with.dir); err != nil {
		return nil, err
	}
	sockets, err := makeSocketDir(config.DataDir, as)
	if err != nil {
		return nil, err
	}
	log := newServerLog(config.Logger)
	child, err := startChild(childCommand{
		path: with.binary("postgres"), args: arguments(config, sockets), dir: config.DataDir,
		as: as, out: log, inherit: []*os.File{childLock}, deathSignal: syscall.SIGINT,
	})
	if err != nil {
		return nil, fmt.Errorf("start Postgres: %w", err)
	}
	return &Server{
		url: socketURL(sockets, database), sockets: sockets, version: with.version, child: child, log: log,
		stopped: make(chan struct{}), done: make(chan struct{}),
	}, nil
}

// arguments beat what the cluster's configuration file says.
func arguments(config Config, sockets string) []string {
	settings := map[string]string{
		"listen_addresses": "", "unix_socket_directories": `"` + strings.ReplaceAll(sockets, `"`, `""`) + `"`, "port": strconv.Itoa(socketPort),
		"unix_socket_permissions": "0700", "timezone": "UTC", "log_timezone": "UTC", "logging_collector": "off",
		"log_destination": "stderr", "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on",
	}
	if config.NoSync {
		settings["fsync"], settings["full_page_writes"], settings["synchronous_commit"] = "off", "off", "off"
	}
	maps.Copy(settings, config.Settings)
	args := []string{"-D", clusterDir(config.DataDir)}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}

// socketURL names the port too: PGPORT in the environment would otherwise change it.
func socketURL(sockets, database string) string {
	query := url.Values{"host": {sockets}, "port": {strconv.Itoa(socketPort)}}
	return (&url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database, RawQuery: query.Encode()}).String()
}

// ready waits until the server answers, through a recovery after a crash too, and makes the database once.
func (s *Server) ready(ctx context.Context) error {
	for {
		err := ensureDatabase(ctx, s.url)
		if err == nil || !isStarting(err) {
			return err
		}
		select {
		case <-s.done:
			return s.Err()
		case <-ctx.Done():
			return fmt.Errorf("wait for Postgres to start: %w (last answer: %w)", ctx.Err(), err)
		case <-time.After(readyPoll):
		}
	}
}

// isStarting tells a server that can't be reached yet, or is recovering, from one that refuses us for good.
func isStarting(err error) bool {
	var answer *pgconn.PgError
	return !errors.As(err, &answer) || answer.Code == "57P03" // cannot_connect_now
}

func ensureDatabase(ctx context.Context, serverURL string) error {
	config, err := pgx.ParseConfig(serverURL)
	if err != nil {
		return err
	}
	config.Database = "postgres"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // what was done is committed
	var exists bool
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, database).Scan(&exists)
	if err != nil || exists {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+database)
	return err
}

// watch frees the data folder when the server has ended, whatever ended it.
func (s *Server) watch() {
	<-s.child.done
	_ = os.Remove(s.sockets) // it is empty now, and made anew at the next start
	_ = s.lock.Close()
	close(s.done)
}

// URL is the connection string of the server's database, for pgx.
func (s *Server) URL() string { return s.url }

// Version is the server's version, such as 17.4.
func (s *Server) Version() string { return s.version }

// Done is closed when the server has ended, by Stop or by itself.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err is nil while the server runs and after Stop; else it says why the server ended.
func (s *Server) Err() error {
	select {
	case <-s.stopped:
		return nil
	default:
	}
	select {
	case <-s.done:
		return fmt.Errorf("%w:\n%s", errors.Join(errEnded, s.child.err), s.log.tail())
	default:
		return nil
	}
}

// Stop ends the server and returns when it is gone: connections are cut, what is committed stays. A server that does
// not end within 10 seconds is told to stop at once, as it is when the context ends. Further calls wait, too.
func (s *Server) Stop(ctx context.Context) error {
	s.stop.Do(func() {
		s.log.quiet.Store(true)
		close(s.stopped)
		s.child.signal(syscall.SIGINT)
	})
	if s.gone(ctx, fastShutdown) {
		return nil
	}
	s.child.signal(syscall.SIGQUIT)
	// The context may be over already, and yet nothing may be left behind.
	if s.gone(context.WithoutCancel(ctx), abandonAfter) {
		return nil
	}
	s.child.kill()
	<-s.done
	return errors.New("postgres did not stop, and was killed; it recovers at the next start")
}

func (s *Server) gone(ctx context.Context, within time.Duration) bool {
	select {
	case <-s.done:
		return true
	case <-ctx.Done():
		return false
	case <-time.After(within):
		return false
	}
}
