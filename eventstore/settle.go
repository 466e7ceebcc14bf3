package eventstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// retryTime is how long a batch is tried again while the database is away.
	retryTime = 5 * time.Second
	// settleTime bounds a batch as a whole: the last try may begin at the end of retryTime, and wait for the lock.
	settleTime = 12 * time.Second
	// The pause between tries doubles from the first to the longest.
	firstPause   = 20 * time.Millisecond
	longestPause = 500 * time.Millisecond
)

// refusedError is a delivery that the database will never take, for what is in it.
type refusedError struct {
	delivery Delivery
	cause    error
}

func (e *refusedError) Error() string {
	return fmt.Sprintf("refused event %q of ticket %q: %v", e.delivery.Type, e.delivery.Ticket, e.cause)
}

func (e *refusedError) Unwrap() error { return e.cause }

func refused(err error) bool {
	var r *refusedError
	return errors.As(err, &r)
}

// settle appends the entries, batch by batch, and says what became of each. If the database refuses a batch for its data,
// half as many are tried, until the offender is alone; then twice as many again. What follows another kind of failure
// isn't tried, so that no delivery overtakes one that was sent before it.
func (l *Log) settle(ctx context.Context, ln *lane, es []entry) []outcome {
	outcomes := make([]outcome, 0, len(es))
	for most := len(es); len(outcomes) < len(es); {
		b := nextBatch(es[len(outcomes):], most)
		receipts, err := l.commit(ctx, ln, b)
		switch {
		case err == nil:
			for _, r := range receipts {
				outcomes = append(outcomes, outcome{receipt: r})
			}
		case ofData(err) && len(b.entries) > 1:
			most = len(b.entries) / 2
			continue
		case ofData(err):
			err = fmt.Errorf("append to %s: %w", ln.source, &refusedError{b.entries[0].Delivery, err})
			outcomes = append(outcomes, outcome{err: err})
		default:
			err = fmt.Errorf("append to %s: %w", ln.source, err)
			return append(outcomes, slices.Repeat([]outcome{{err: err}}, len(es)-len(outcomes))...)
		}
		most = min(2*most, len(es))
	}
	return outcomes
}

// commit appends a batch in one transaction, and tries again while the database is away or picked it as the victim of
// a conflict. Every try, the first one too, looks for the batch's own delivery ids behind a tail from before them
// all. So a commit whose answer was lost is found; and a first try that lay in a dead connection's buffer, and that the
// database gets to only after the second one has committed, finds that and adds nothing.
func (l *Log) commit(parent context.Context, ln *lane, b batch) ([]Receipt, error) {
	ctx, cancel := context.WithTimeout(parent, settleTime)
	defer cancel()
	c, began := columnsOf(b.sent), time.Now()
	since, known := int64(0), false
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		var err error
		if !known {
			since, err = l.since(ctx, ln)
			known = err == nil
		}
		if known {
			var sent []Receipt
			if sent, err = l.try(ctx, ln, since, b, c); err == nil {
				receipts := b.receipts(sent)
				l.committed(ln, b.entries, receipts)
				return receipts, nil
			}
			l.metrics.failed(ln.source)
		}
		if parent.Err() != nil {
			return nil, fmt.Errorf("%w (%w)", parent.Err(), err)
		}
		switch kindOf(err) {
		case timedOut:
			return nil, fmt.Errorf("%w: %w", ErrBusy, err)
		case lasting, badData:
			return nil, err
		case passing:
		}
		if time.Since(began) > retryTime || !sleep(ctx, pause) {
			return nil, fmt.Errorf("%w: %w", ErrBusy, err)
		}
		if errors.Is(err, errNoHead) {
			ln.forget()
			known = false
		}
	}
}

// committed does what follows a commit. A crash before it loses counts and hints, never events.
func (l *Log) committed(ln *lane, es []entry, receipts []Receipt) {
	l.metrics.appended(ln.source, len(es))
	appended := int64(0)
	for i, r := range receipts {
		if r.Result == Duplicate {
			l.Count(ln.source, CounterDuplicate, "")
		} else {
			appended = max(appended, r.Position)
		}
		if e := es[i]; e.VerifiedBy != Own && e.RepeatOf == 0 {
			l.Count(ln.source, CounterVerified, e.VerifiedBy)
		}
	}
	if appended > 0 {
		ln.saw(appended, time.Time{})
		l.hints.appended(ln.source)
	}
}

// sleep waits, and says whether ctx let it.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// kind sorts what can go wrong by what to do about it.
type kind int

const (
	passing  kind = iota // try again: no connection, a lost one, a conflict
	timedOut             // the lock or the statement took too long: say so, others wait as well
	badData              // no try can mend it, but the batch may do without the offender
	lasting              // no try can mend it: a missing table, no right to write
)

func ofData(err error) bool { return kindOf(err) == badData }

func kindOf(err error) kind {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return passing
	}
	switch pg.Code {
	case "55P03", "57014": // lock_not_available, query_canceled
		return timedOut
	case "0A000", "26000": // a cached plan or statement that a migration or a proxy invalidated: made anew next time
		return passing
	case "25006": // read_only_sql_transaction: a standby, until it is promoted
		return passing
	}
	switch pg.Code[:2] {
	case "22", "23", "54": // data, constraints, limits of the format
		return badData
	case "08", "40", "53", "57", "58": // connection, conflict, resources, shutdown, disk
		return passing
	}
	return lasting
}
