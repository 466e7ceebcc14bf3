package eventstore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// entry is a delivery made ready before any lock is taken: hashed and named.
type entry struct {
	Delivery
	digest [sha256.Size]byte
	id     uuid.UUID
}

func newEntry(d Delivery) entry {
	return entry{Delivery: d, digest: sha256.Sum256(d.Body), id: uuid.New()}
}

// outcome is what a delivery's caller is told.
type outcome struct {
	receipt Receipt
	err     error
}

// Append adds the delivery to the source's log, unless it is known, and returns after the commit. Concurrent calls
// share a transaction.
//
// ErrBusy means that the sender should try again. When ctx ends first, Append returns its error; the delivery is
// appended all the same if its flight had left by then. A delivery that the database refuses for what is in it (text
// that isn't UTF-8, a key too long for an index) is refused alone, with an error that is not ErrBusy.
func (l *Log) Append(ctx context.Context, source string, d Delivery) (Receipt, error) {
	ln := l.lane(source)
	p := &passenger{entry: newEntry(d), landed: make(chan outcome, 1)}
	switch ln.board(p) {
	case full:
		return Receipt{}, fmt.Errorf("append to %s: %w: too much is waiting", source, ErrBusy)
	case first:
		go l.fly(ln)
	case queued:
	}
	select {
	case o := <-p.landed:
		return o.receipt, o.err
	case <-ctx.Done():
		ln.leave(p)
		return Receipt{}, fmt.Errorf("append to %s: %w", source, ctx.Err())
	}
}

// AppendBatch appends the deliveries in their order in one transaction: what Append's group commit does. A batch
// whose receipts lie further apart than the replay window takes several, since only the log can tell a replay.
//
// There is a receipt for each delivery, in order. With an error some of them are zero: those of the deliveries that
// were refused for what is in them, which the error names, and all that follow anything else that went wrong.
func (l *Log) AppendBatch(ctx context.Context, source string, ds []Delivery) ([]Receipt, error) {
	es := make([]entry, len(ds))
	for i, d := range ds {
		es[i] = newEntry(d)
	}
	ln, window := l.lane(source), l.window(source)
	receipts, errs := make([]Receipt, len(ds)), []error(nil)
	for from := 0; from < len(es); {
		to := from + together(es[from:], window)
		for i, o := range l.settle(ctx, ln, es[from:to]) {
			receipts[from+i] = o.receipt
			if o.err != nil {
				errs = append(errs, fmt.Errorf("delivery %d: %w", from+i, o.err))
			}
		}
		if len(errs) > 0 && !refused(errs[len(errs)-1]) {
			break
		}
		from = to
	}
	return receipts, errors.Join(errs...)
}

// together returns how many of the entries, from the first, were received within the window of one another.
func together(es []entry, window time.Duration) int {
	var s span
	for i, e := range es {
		if !s.admit(e.ReceivedAt, window) {
			return i
		}
	}
	return len(es)
}

// span is the time from the first to the last receipt in a batch. Within the replay window, no event of a batch can
// be a replay of another one in it, and the statement needs no rule for that.
type span struct{ from, to time.Time }

// admit widens the span to t, unless that would make it longer than the window.
func (s *span) admit(t time.Time, window time.Duration) bool {
	from, to := s.from, s.to
	if from.IsZero() || t.Before(from) {
		from = t
	}
	if to.IsZero() || t.After(to) {
		to = t
	}
	if to.Sub(from) > window {
		return false
	}
	s.from, s.to = from, to
	return true
}
