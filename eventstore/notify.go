package eventstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

const (
	channel = "queuetrack_log"

	announceEvery  = 50 * time.Millisecond // at most 20 rounds of notifications a second
	announceTime   = 5 * time.Second       // bounds one round
	heartbeat      = 15 * time.Second      // how long a listener believes in silence
	reconnectPause = 500 * time.Millisecond
	goodbyeTime    = time.Second
)

// Run flushes counters each second and exchanges notifications with other processes, until ctx ends. It outlives the
// database: a lost connection is made anew. The error is always nil; it is there for errgroups.
//
// Notifications travel on connections of their own. Sent within the append, they would take a lock that all
// committers of the cluster share.
func (l *Log) Run(ctx context.Context) error {
	var g errgroup.Group
	for _, loop := range []func(context.Context){l.flushLoop, l.announceLoop, l.listenLoop} {
		g.Go(func() error {
			loop(ctx)
			return nil
		})
	}
	return g.Wait()
}

// listenLoop hears other processes. A lost connection only costs speed, since readers poll.
func (l *Log) listenLoop(ctx context.Context) {
	for {
		_ = l.listen(ctx)
		if !sleep(ctx, reconnectPause) {
			return
		}
	}
}

// listen is the life of one connection.
func (l *Log) listen(ctx context.Context) error {
	conn, err := l.connect(ctx)
	if err != nil {
		return err
	}
	defer goodbye(conn)
	if _, err := conn.Exec(ctx, `LISTEN `+channel); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	l.hints.wakeAll() // for what was appended while nobody listened
	for {
		n, err := await(ctx, conn)
		if err != nil {
			return err
		}
		if n != nil {
			l.hints.wake(n.Payload)
		}
	}
}

// await returns the next notification, or nil after a silence in which the connection proved alive: a peer that
// vanished without a word would look just as silent.
func await(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	quiet, cancel := context.WithTimeout(ctx, heartbeat)
	defer cancel()
	n, err := conn.WaitForNotification(quiet)
	if err == nil {
		return n, nil
	}
	if ctx.Err() != nil || quiet.Err() == nil {
		return nil, fmt.Errorf("wait for a notification: %w", err)
	}
	check, cancel := context.WithTimeout(ctx, announceTime)
	defer cancel()
	return nil, conn.Ping(check)
}

// announceLoop tells other processes what was appended here, coalesced: one notification a source and round.
func (l *Log) announceLoop(ctx context.Context) {
	for {
		_ = l.announce(ctx)
		if !sleep(ctx, reconnectPause) {
			return
		}
	}
}

// announce is the life of one connection, which begins with the first news.
func (l *Log) announce(ctx context.Context) error {
	var conn *pgx.Conn
	defer func() { goodbye(conn) }()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.hints.somebody:
		}
		if conn == nil {
			var err error
			if conn, err = l.connect(ctx); err != nil {
				nudge(l.hints.somebody) // the news wait for the next connection
				return err
			}
		}
		if err := l.tell(ctx, conn); err != nil {
			return err
		}
		if !sleep(ctx, announceEvery) {
			return ctx.Err()
		}
	}
}

// tell sends one notification a source; what it couldn't send it leaves for the next connection.
func (l *Log) tell(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, announceTime)
	defer cancel()
	sources := l.hints.news()
	for i, source := range sources {
		if _, err := conn.Exec(ctx, `SELECT pg_notify($1, $2)`, channel, source); err != nil {
			for _, rest := range sources[i:] {
				l.hints.leave(rest)
			}
			return fmt.Errorf("notify of %s: %w", source, err)
		}
	}
	return nil
}

// connect makes a connection outside the pool, so that neither waits for the other.
func (l *Log) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, l.pool.Config().ConnConfig)
	if err != nil {
		return nil, fmt.Errorf("connect for notifications: %w", err)
	}
	return conn, nil
}

func goodbye(conn *pgx.Conn) {
	if conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), goodbyeTime)
	defer cancel()
	_ = conn.Close(ctx)
}
