package eventstore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

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
	flight  int // how many deliveries flew together
}

// Append adds the delivery to the source's log, unless it is known, and returns after the commit. Concurrent calls
// share a transaction.
//
// ErrBusy means that the sender should try again. When ctx ends first, Append returns its error; the delivery is
// appended all the same if its flight had left by then. A delivery that the database refuses for what is in it (text
// that isn't UTF-8, a key too long for an index) is refused alone, with an error that is not ErrBusy.
func (l *Log) Append(ctx context.Context, source string, d Delivery) (Receipt, error) {
	ride := l.ride
	if l.tracer != nil {
		ride = l.traced
	}
	o := ride(ctx, source, d)
	return o.receipt, o.err
}

// ride takes the delivery along in a flight.
func (l *Log) ride(ctx context.Context, source string, d Delivery) outcome {
	ln := l.lane(source)
	p := &passenger{entry: newEntry(d), landed: make(chan outcome, 1)}
	switch ln.board(p) {
	case full:
		return outcome{err: fmt.Errorf("append to %s: %w: too much is waiting", source, ErrBusy)}
	case first:
		go l.fly(ln)
	case queued:
	}
	select {
	case o := <-p.landed:
		return o
	case <-ctx.Done():
		ln.leave(p)
		return outcome{err: fmt.Errorf("append to %s: %w", source, ctx.Err())}
	}
}

// AppendBatch appends the deliveries in their order: what Append's group commit does. It takes one transaction, and
// another one wherever a ticket's delivery comes back after a different one of it.
//
// There is a receipt for each delivery, in order. With an error some of them are zero: those of the deliveries that
// were refused for what is in them, which the error names, and all that follow anything else that went wrong.
func (l *Log) AppendBatch(ctx context.Context, source string, ds []Delivery) ([]Receipt, error) {
	es := make([]entry, len(ds))
	for i, d := range ds {
		es[i] = newEntry(d)
	}
	receipts, errs := make([]Receipt, len(ds)), []error(nil)
	for i, o := range l.settle(ctx, l.lane(source), es) {
		receipts[i] = o.receipt
		switch {
		case o.err == nil:
		case refused(o.err):
			errs = append(errs, fmt.Errorf("delivery %d: %w", i, o.err))
		default:
			errs = append(errs, fmt.Errorf("delivery %d and what follows: %w", i, o.err))
			return receipts, errors.Join(errs...)
		}
	}
	return receipts, errors.Join(errs...)
}
