package eventstore

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Violation is one broken invariant.
type Violation struct {
	Source   string
	Position int64  // 0: of the source as a whole
	Ticket   string // empty: of no one ticket
	What     string // in words, for a person
}

// verifyPage is how many events are in memory at a time, unless their bodies end the page before.
const verifyPage = 500

// Verify checks, in the caller's transaction and in constant memory, that positions are dense from 1 and that each
// digest is its body's. It reports each violation and returns the number of events checked. The transaction must be
// REPEATABLE READ, if what it says about the log has to agree with what the caller reads beside it. went, if any, is told
// of each page how many events it had.
func Verify(ctx context.Context, tx pgx.Tx, source string, report func(Violation), went func(events int64)) (int64, error) {
	var checked, last int64
	for {
		events, err := page(ctx, tx, source, last, verifyPage)
		if err != nil {
			return checked, fmt.Errorf("verify %s: %w", source, err)
		}
		if len(events) == 0 {
			return checked, nil
		}
		for i := range events {
			check(&events[i], last, report)
			last = events[i].Position
		}
		checked += int64(len(events))
		if went != nil {
			went(int64(len(events)))
		}
	}
}

// check compares an event with the position before it and with its own body.
func check(e *Event, last int64, report func(Violation)) {
	if e.Position != last+1 {
		report(Violation{Source: e.Source, Position: last + 1, What: gap(last, e.Position)})
	}
	if sha256.Sum256(e.Body) != e.Digest {
		report(Violation{
			Source: e.Source, Position: e.Position, Ticket: e.Ticket,
			What: "the body is not the one that the digest was made of",
		})
	}
}

func gap(last, next int64) string {
	if missing := next - last - 1; missing > 1 {
		return fmt.Sprintf("%d events are missing before position %d", missing, next)
	}
	return fmt.Sprintf("1 event is missing before position %d", next)
}
