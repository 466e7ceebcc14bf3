package archive

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"time"

	"queuetrack/eventstore"
)

// Seam is where a continuation begins: right after an event, which is told by the SHA-256 of its line.
type Seam struct {
	Source   string
	Position int64
	Digest   [sha256.Size]byte
}

// Span is what an archive holds of a source.
type Span struct {
	Source      string
	First, Last int64
	digest      [sha256.Size]byte // of the lines
}

// Count returns the number of its events.
func (s Span) Count() int64 { return s.Last - s.First + 1 }

// ledger goes along with the lines, whether they are written or read: it holds them against the rules and sums them up.
type ledger struct {
	after map[string]int64 // by source: where its seam is; 0 for those that begin with their first event
	spans []Span
	lines hash.Hash // of the last span
	count int64
}

func newLedger(after []Seam) *ledger {
	l := &ledger{after: map[string]int64{}, lines: sha256.New()}
	for _, s := range after {
		l.after[s.Source] = s.Position
	}
	return l
}

// add takes the next event.
func (l *ledger) add(e *eventstore.Event, line []byte) error {
	if len(l.spans) == 0 || l.spans[len(l.spans)-1].Source != e.Source {
		if err := l.begin(e.Source); err != nil {
			return err
		}
	}
	span := &l.spans[len(l.spans)-1]
	switch {
	case len(line) > MaxLine:
		return fmt.Errorf("position %d of %s takes %d bytes; a line has room for %d", e.Position, e.Source, len(line), MaxLine)
	case e.Position != span.Last+1:
		return fmt.Errorf("position %d of %s comes where %d belongs", e.Position, e.Source, span.Last+1)
	case e.RepeatOf >= e.Position:
		return fmt.Errorf("position %d of %s repeats %d, which comes later", e.Position, e.Source, e.RepeatOf)
	case !tellable(e.OccurredAt) || !tellable(e.ReceivedAt):
		return fmt.Errorf("position %d of %s is of a year without four digits", e.Position, e.Source)
	case sha256.Sum256(e.Body) != e.Digest:
		return fmt.Errorf("position %d of %s: the body is not the one that the digest was made of", e.Position, e.Source)
	}
	span.Last = e.Position
	l.count++
	l.lines.Write(line)
	return nil
}

// begin opens the span of the next source.
func (l *ledger) begin(source string) error {
	if err := named(source); err != nil {
		return err
	}
	l.end()
	if n := len(l.spans); n > 0 && source <= l.spans[n-1].Source {
		return fmt.Errorf("source %s comes after %s", source, l.spans[n-1].Source)
	}
	l.spans = append(l.spans, Span{Source: source, First: l.after[source] + 1, Last: l.after[source]})
	return nil
}

// end closes the last span.
func (l *ledger) end() {
	if n := len(l.spans); n > 0 {
		l.lines.Sum(l.spans[n-1].digest[:0])
	}
	l.lines.Reset()
}

// manifest returns the last line, after all events.
func (l *ledger) manifest() []byte {
	l.end()
	b := []byte(manifestBegins)
	for i, s := range l.spans {
		b = appendSource(b, i, s.Source)
		b = strconv.AppendInt(append(b, `,"first":`...), s.First, 10)
		b = strconv.AppendInt(append(b, `,"last":`...), s.Last, 10)
		b = strconv.AppendInt(append(b, `,"count":`...), s.Count(), 10)
		b = append(appendDigest(b, s.digest), '}')
	}
	b = strconv.AppendInt(append(b, `],"count":`...), l.count, 10)
	return append(b, "}\n"...)
}

const manifestBegins = `{"sources":[`

// appendSource begins the i-th object of a list.
func appendSource(b []byte, i int, source string) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return appendText(append(b, `{"source":`...), source)
}

// appendHeader appends the first line.
func appendHeader(b []byte, after []Seam) []byte {
	b = append(b, header...)
	for i, s := range after {
		if i == 0 {
			b = append(b, `,"after":[`...)
		}
		b = appendSource(b, i, s.Source)
		b = strconv.AppendInt(append(b, `,"position":`...), s.Position, 10)
		b = append(appendDigest(b, s.Digest), '}')
	}
	if len(after) > 0 {
		b = append(b, ']')
	}
	return append(b, "}\n"...)
}

// parseHeader reads what appendHeader writes, and more, as parseEvent does.
func parseHeader(line []byte) ([]Seam, error) {
	c := cursor{rest: line}
	if !c.take(header) {
		if c.take(`{"format":"queuetrack-log","version":`) {
			return nil, errors.New("a newer queuetrack wrote this file: this one reads version 1")
		}
		return nil, errors.New("it is no archive of a log")
	}
	var after []Seam
	if c.take(`,"after":[`) {
		for more := true; more && c.err == nil; more = c.take(",") {
			s := Seam{Source: c.text(`{"source":`), Position: c.number(`,"position":`), Digest: c.digest(`,"digest":`)}
			c.want("}")
			if err := named(s.Source); err != nil {
				c.fail(err)
			}
			if n := len(after); n > 0 && s.Source <= after[n-1].Source {
				c.fail(fmt.Errorf("source %s comes after %s", s.Source, after[n-1].Source))
			}
			after = append(after, s)
		}
		c.want("]")
	}
	c.want("}\n")
	return after, c.err
}

// named says whether a source can be called so.
func named(source string) error {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-"
	if source == "" || len(source) > 40 || strings.Trim(source, letters) != "" {
		return fmt.Errorf("%q is no name of a source", source)
	}
	return nil
}

// tellable says whether RFC 3339 has a way to write the time.
func tellable(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }
