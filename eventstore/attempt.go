package eventstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// errNoHead means that the row to lock is not there: another database than the one we made it in.
var errNoHead = errors.New("the source has no log_head row")

// horizon is the last tail of a source that this process saw, when it last looked: what an earlier try of a batch
// appended lies behind it.
type horizon struct {
	tail int64
	at   time.Time // zero: never looked, and perhaps the source has no log_head row yet
}

// horizonAge bounds how many of other processes' events an append looks through for its own.
const horizonAge = time.Second

// since returns a tail from before the batch's first try, and makes the source's row on the first call.
func (l *Log) since(ctx context.Context, ln *lane) (int64, error) {
	ln.mu.Lock()
	known := ln.horizon
	ln.mu.Unlock()
	if !known.at.IsZero() && time.Since(known.at) < horizonAge {
		return known.tail, nil
	}
	if known.at.IsZero() {
		if err := l.makeHead(ctx, ln.source); err != nil {
			return 0, err
		}
	}
	at := time.Now()
	tail, err := tailOf(ctx, l.working, ln.source)
	if err != nil {
		return 0, fmt.Errorf("read the tail of %s: %w", ln.source, err)
	}
	ln.saw(tail, at)
	return tail, nil
}

func (ln *lane) saw(tail int64, at time.Time) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if at.After(ln.horizon.at) {
		ln.horizon.at = at
	}
	ln.horizon.tail = max(ln.horizon.tail, tail)
}

// forget makes the next append look at the database anew.
func (ln *lane) forget() {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	ln.horizon = horizon{}
}

// try appends a batch once. An error says nothing about whether it was committed: the answer may have been lost.
func (l *Log) try(ctx context.Context, ln *lane, since int64, b batch, c columns) ([]Receipt, error) {
	first, err := transact(ctx, l, ln.source, pgx.RowTo[*int64], appendNews, c.args(ln.source))
	if err != nil {
		return nil, err
	}
	if first[0] != nil {
		return news(b.sent, *first[0]), nil
	}
	return transact(ctx, l, ln.source, pgx.RowToStructByPos[Receipt], appendEvents, c.args(ln.source, since, l.window(ln.source), c.rules))
}

// news are the receipts of a batch that was appended as it is.
func news(es []entry, first int64) []Receipt {
	receipts := make([]Receipt, len(es))
	for i, e := range es {
		receipts[i] = Receipt{Result: Accepted, Position: first + int64(i)}
		if e.Quarantined != "" {
			receipts[i].Result = Quarantined
		}
	}
	return receipts
}

// transact runs a statement under the source's lock, on one connection, in one pipelined transaction.
func transact[T any](ctx context.Context, l *Log, source string, row pgx.RowToFunc[T], statement string, args []any) ([]T, error) {
	conn, err := l.working.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("get a connection: %w", err)
	}
	defer l.release(conn)
	began := time.Now()
	b := &pgx.Batch{}
	b.Queue(beginAppend)
	b.Queue(limitAppend)
	b.Queue(lockHead, source)
	b.Queue(statement, args...)
	b.Queue(commitAppend)
	answers := conn.SendBatch(ctx, b)
	rows, lockWait, err := collect(answers, row)
	if errClose := answers.Close(); err == nil {
		err = errClose
	}
	if err != nil {
		return nil, err
	}
	l.metrics.transacted(source, time.Since(began), lockWait)
	return rows, nil
}

// collect reads the five answers in turn. After an error the database skips what follows, the commit included.
func collect[T any](answers pgx.BatchResults, row pgx.RowToFunc[T]) (all []T, lockWait time.Duration, err error) {
	for range 2 {
		if _, err := answers.Exec(); err != nil {
			return nil, 0, fmt.Errorf("begin: %w", err)
		}
	}
	var waited float64
	err = answers.QueryRow().Scan(&waited)
	headless := errors.Is(err, pgx.ErrNoRows)
	if err != nil && !headless {
		return nil, 0, fmt.Errorf("lock the head: %w", err)
	}
	rows, _ := answers.Query() // its error comes again from CollectRows
	all, err = pgx.CollectRows(rows, row)
	if err != nil {
		return nil, 0, fmt.Errorf("insert: %w", err)
	}
	// A transaction that had failed answers COMMIT with ROLLBACK, and no error.
	tag, err := answers.Exec()
	if err != nil {
		return nil, 0, fmt.Errorf("commit: %w", err)
	}
	if tag.String() != "COMMIT" {
		return nil, 0, fmt.Errorf("commit: the database answered %s", tag)
	}
	if headless {
		return nil, 0, errNoHead
	}
	return all, time.Duration(waited * float64(time.Second)), nil
}

// rollbackTime bounds the clean-up of a failed try; a connection that can't be cleaned is closed by the pool.
const rollbackTime = 2 * time.Second

// release gives the connection back outside any transaction, also when the try's time is over.
func (l *Log) release(conn *pgxpool.Conn) {
	defer conn.Release()
	if pg := conn.Conn().PgConn(); pg.IsClosed() || pg.TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), rollbackTime)
	defer cancel()
	_, _ = conn.Exec(ctx, `ROLLBACK`) // if it fails, the pool sees the open transaction and closes the connection
}
