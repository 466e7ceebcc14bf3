package eventstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"
)

// What is kept of refused requests. Strangers send them, so each figure is a limit. Together they hold a source below
// 50 KB of memory a process and 40 KB a second of writing, and below 200 KB of rows.
const (
	// KeptRejections is how many rows a source has. They are slots, written over in turn: the table can't grow.
	KeptRejections = 100
	// notedRejections is how many a process describes between two flushes, so writes a second at most. Of those that
	// could not be written, as many are held on to: the latest ones.
	notedRejections = 20

	maxMethod  = 16 // bytes
	maxCause   = 32
	maxHeaders = 40   // names
	maxHeader  = 64   // bytes of one name
	maxNames   = 1400 // bytes of all names
)

// Rejection is a refused request, as far as it is kept: never its body, the value of a header, or where it came from.
type Rejection struct {
	ReceivedAt time.Time
	Cause      string
	Method     string
	Headers    []string // names; kept are the first 40 in order, each cut at 64 bytes, 1400 bytes of them in all
	Digest     []byte   // SHA-256 of the body; nil: it was not read whole
	Size       int64    // bytes of the body that were read, or claimed when it was not read; below 0: neither
	Number     int64    // given by the log: tells rejections of the same instant apart
}

// Reject counts a request that was refused, and notes what describe says of it when there is room: the first 20 a
// source and second. The others are only counted, and describe is not called. Nothing waits for the database: Run
// writes counts and notes each second. While the database is away, the latest 20 of a source are held on to.
//
// Like counts, notes are for people: a crash loses the last second of them, and a flush whose answer was lost writes
// twice. The database keeps the last 100 of a source, all processes together.
func (l *Log) Reject(source, cause string, describe func() Rejection) {
	l.Count(source, CounterRejected, cause)
	if !l.counters.admit(source) {
		return
	}
	r := describe()
	r.Cause = cause
	l.counters.note(source, r.bounded())
}

// bounded makes a rejection one that the database takes, and no larger than a row may be. What is kept shares no
// memory with the request.
func (r Rejection) bounded() Rejection {
	r.Cause, r.Method, r.Headers = printable(r.Cause, maxCause), printable(r.Method, maxMethod), boundedNames(r.Headers)
	r.Digest = slices.Clone(r.Digest)
	return r
}

// boundedNames are the first names in order, without repetitions.
func boundedNames(names []string) []string {
	var first []string // sorted
	for _, name := range names {
		name = printable(name, maxHeader)
		i, known := slices.BinarySearch(first, name)
		if known || i == maxHeaders {
			continue
		}
		first = slices.Insert(first[:min(len(first), maxHeaders-1)], i, name)
	}
	bytes := 0
	for i, name := range first {
		if bytes += len(name); bytes > maxNames {
			return first[:i]
		}
	}
	return first
}

// printable is s as text that the database takes and a person can look at: valid UTF-8 without NUL or other control
// characters, at most so many bytes.
func printable(s string, most int) string {
	s = strings.ToValidUTF8(s[:min(len(s), most)], string(unicode.ReplacementChar))
	s = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return unicode.ReplacementChar
		}
		return c
	}, s)
	return strings.ToValidUTF8(strings.Clone(s[:min(len(s), most)]), "") // the replacements are longer than what they replace
}

// writeRejections gives the notes their numbers and slots, within the transaction that adds to the counters. The row
// of the counter "noted" is locked from here to the commit, so processes take turns, and no two notes share a number.
func writeRejections(ctx context.Context, tx pgx.Tx, source string, noted []Rejection) error {
	var last int64
	err := tx.QueryRow(ctx, `
		INSERT INTO counter AS c (source, name, key, value)
		VALUES ($1, $2, '', $3)
		    ON CONFLICT (source, name, key) DO UPDATE SET value = c.value + excluded.value
		RETURNING c.value`, source, string(counterNoted), len(noted)).Scan(&last)
	if err != nil {
		return err
	}
	var cols rejectionColumns
	for i, r := range noted {
		cols.add(last-int64(len(noted)-1-i), r)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO rejection AS r (source, slot, number, received_at, cause, method, headers, digest, size)
		SELECT $1, n.number % $2, n.number, n.received_at, n.cause, n.method,
		       string_to_array(n.headers, E'\n'), -- an array of arrays would be unnested to the ground
		       n.digest, n.size
		  FROM unnest($3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::bigint[])
		       AS n (number, received_at, cause, method, headers, digest, size)
		    ON CONFLICT (source, slot) DO UPDATE
		   SET number = excluded.number, received_at = excluded.received_at, cause = excluded.cause,
		       method = excluded.method, headers = excluded.headers, digest = excluded.digest, size = excluded.size`,
		source, KeptRejections, cols.numbers, cols.received, cols.causes, cols.methods, cols.headers, cols.digests, cols.sizes)
	return err
}

// rejectionColumns are notes as the arrays that the statement unnests.
type rejectionColumns struct {
	numbers  column[int64]
	received column[time.Time]
	causes   column[string]
	methods  column[string]
	headers  column[string] // one a line
	digests  column[[]byte]
	sizes    column[*int64]
}

func (c *rejectionColumns) add(number int64, r Rejection) {
	c.numbers = append(c.numbers, number)
	c.received = append(c.received, r.ReceivedAt)
	c.causes = append(c.causes, r.Cause)
	c.methods = append(c.methods, r.Method)
	c.headers = append(c.headers, strings.Join(r.Headers, "\n"))
	c.digests = append(c.digests, r.Digest)
	var size *int64
	if r.Size >= 0 {
		size = &r.Size
	}
	c.sizes = append(c.sizes, size)
}

// Rejections returns the latest refused requests of the source, at most 100, the newest first.
func (l *Log) Rejections(ctx context.Context, source string) ([]Rejection, error) {
	rows, err := l.pool.Query(ctx, `
		SELECT r.received_at, r.cause, r.method, r.headers, r.digest, coalesce(r.size, -1), r.number
		  FROM rejection AS r
		 WHERE r.source = $1
		 ORDER BY r.received_at DESC, r.number DESC`, source)
	if err != nil {
		return nil, fmt.Errorf("list the rejections of %s: %w", source, err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Rejection])
	if err != nil {
		return nil, fmt.Errorf("list the rejections of %s: %w", source, err)
	}
	return all, nil
}
