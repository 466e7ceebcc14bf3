package projection

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// session is how pg_stat_activity calls a session (application_name) in a transaction that an epoch's owner writes in.
//
// The server ends a transaction that is left idle, and with it the locks of an owner that froze, or whose machine is gone,
// between two statements. It does not end one in the middle of a COPY, or of a batch that only half arrived: to the server
// that session is at work. It would wait there until the kernel gives the connection up, for hours, and whoever writes the
// same rows would wait for it. Whoever takes over knows better, and ends it by its name.
type session struct {
	of    string // a shard, or a generation; no more than 63 bytes with the epoch, for Postgres would cut the rest
	epoch int64
}

func (s *shard) session() session {
	return session{fmt.Sprintf("queuetrack %s:%d", s.source, s.generation), s.epoch}
}

func (t tenure) session() session {
	return session{fmt.Sprintf("queuetrack *:%d", t.generation), t.epoch}
}

func (s session) String() string { return fmt.Sprintf("%s/%d", s.of, s.epoch) }

// inTx is as the other one, in a session of this name.
func (s session) inTx(ctx context.Context, pool *pgxpool.Pool, lease time.Duration, f func(pgx.Tx) error) error {
	name := strings.ReplaceAll(s.String(), "'", "''")
	options := pgx.TxOptions{BeginQuery: begin(lease) + fmt.Sprintf(`;
		SET LOCAL application_name = '%s'`, name)}
	return pgx.BeginTxFunc(ctx, pool, options, f)
}

// evict ends the sessions of earlier epochs. Whatever they write would be refused, so nothing is lost; with the sessions
// of another role, which are not ours to end, we wait as before.
func (s session) evict(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `
		SELECT pg_terminate_backend(pid)
		FROM pg_stat_activity
		WHERE datname = current_database() AND usename = current_user
			AND starts_with(application_name, $1) AND application_name <> $2`, s.of+"/", s.String())
	if err != nil {
		return fmt.Errorf("end the sessions of earlier owners: %w", err)
	}
	return nil
}

// orLost returns errLost in the place of an error that was met while another owner has the shard by now: it may have ended
// our session, or its rows were in the way of ours.
func (s *shard) orLost(ctx context.Context, pool *pgxpool.Pool, err error) error {
	var epoch int64
	row := pool.QueryRow(ctx, `SELECT epoch FROM shard WHERE source = $1 AND generation = $2`, s.source, s.generation)
	if row.Scan(&epoch) == nil && epoch != s.epoch {
		return errLost
	}
	return err
}

// lost reports whether another owner has the generation by now.
func (t tenure) lost(ctx context.Context, pool *pgxpool.Pool) bool {
	var epoch int64
	row := pool.QueryRow(ctx, `SELECT epoch FROM generation WHERE generation = $1`, t.generation)
	return row.Scan(&epoch) == nil && epoch != t.epoch
}
