package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"queuetrack/eventstore"
)

// cursor takes a line apart from left to right. After something unexpected it stays where it is and keeps the reason.
type cursor struct {
	rest []byte
	err  error
}

// take passes over a text if it comes next.
func (c *cursor) take(text string) bool {
	if c.err != nil || len(c.rest) < len(text) || string(c.rest[:len(text)]) != text {
		return false
	}
	c.rest = c.rest[len(text):]
	return true
}

// want passes over a text that must come next.
func (c *cursor) want(text string) {
	if !c.take(text) {
		c.fail(fmt.Errorf("%s is not where it belongs", text))
	}
}

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// quoted passes over a JSON string and returns what stands between its quotes.
func (c *cursor) quoted(member string) []byte {
	c.want(member)
	c.want(`"`)
	if c.err != nil {
		return nil
	}
	for end := 0; ; end++ {
		next := bytes.IndexByte(c.rest[end:], '"')
		if next < 0 {
			c.fail(fmt.Errorf("%s has no end", member))
			return nil
		}
		end += next
		if text := c.rest[:end]; (end-len(bytes.TrimRight(text, `\`)))%2 == 0 { // else it is an escaped one
			c.rest = c.rest[end+1:]
			return text
		}
	}
}

// text reads a member that is text.
func (c *cursor) text(member string) string {
	quoted := c.quoted(member)
	text, err := unescape(quoted)
	if err == nil && !storable(text) {
		err = errors.New("is no text that the log could hold")
	}
	if err != nil {
		c.fail(fmt.Errorf("%s %w", member, err))
	}
	return text
}

// nullable reads a member that may be missing.
func (c *cursor) nullable(member string) string {
	if c.err != nil || !bytes.HasPrefix(c.rest, []byte(member)) {
		return ""
	}
	return c.text(member)
}

// unescape undoes appendText.
func unescape(quoted []byte) (string, error) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted), nil
	}
	plain := make([]byte, 0, len(quoted))
	for i := 0; i < len(quoted); i++ {
		rest := quoted[i:]
		switch {
		case rest[0] != '\\':
			plain = append(plain, rest[0])
		case len(rest) > 1 && (rest[1] == '"' || rest[1] == '\\'):
			plain = append(plain, rest[1])
			i++
		case len(rest) >= 6 && string(rest[1:4]) == "u00":
			n, err := strconv.ParseUint(string(rest[4:6]), 16, 8)
			if err != nil {
				return "", errors.New("has an escape that is none")
			}
			plain = append(plain, byte(n))
			i += 5
		default:
			return "", errors.New("has an escape that is not written here")
		}
	}
	return string(plain), nil
}

// number reads a member that is a whole number from 1.
func (c *cursor) number(member string) int64 {
	c.want(member)
	digits := 0
	for digits < len(c.rest) && c.rest[digits] >= '0' && c.rest[digits] <= '9' {
		digits++
	}
	if c.err != nil {
		return 0
	}
	n, err := strconv.ParseInt(string(c.rest[:digits]), 10, 64)
	if err != nil || n < 1 {
		c.fail(fmt.Errorf("%s is no whole number from 1", member))
	}
	c.rest = c.rest[digits:]
	return n
}

func (c *cursor) time(member string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, string(c.quoted(member)))
	if err != nil {
		c.fail(fmt.Errorf("%s is no time", member))
	}
	return t.UTC()
}

func (c *cursor) digest(member string) (digest [sha256.Size]byte) {
	quoted := c.quoted(member)
	if len(quoted) != hex.EncodedLen(len(digest)) {
		c.fail(fmt.Errorf("%s is no SHA-256", member))
		return digest
	}
	if _, err := hex.Decode(digest[:], quoted); err != nil {
		c.fail(fmt.Errorf("%s is no SHA-256", member))
	}
	return digest
}

func (c *cursor) id(member string) uuid.UUID {
	id, err := uuid.ParseBytes(c.quoted(member))
	if err != nil {
		c.fail(fmt.Errorf("%s is no UUID", member))
	}
	return id
}

func (c *cursor) bytes(member string) []byte {
	quoted := c.quoted(member)
	plain := make([]byte, base64.StdEncoding.DecodedLen(len(quoted)))
	n, err := base64.StdEncoding.Strict().Decode(plain, quoted)
	if err != nil {
		c.fail(fmt.Errorf("%s is no base64", member))
	}
	return plain[:n]
}

// parseEvent reads what appendEvent writes. It takes more than that, so what it read is to be written again and compared.
func parseEvent(line []byte) (eventstore.Event, error) {
	c := cursor{rest: line}
	var e eventstore.Event
	e.Source = c.text(`{"source":`)
	e.Position = c.number(`,"position":`)
	e.Ticket = c.nullable(`,"ticket":`)
	e.Type = c.text(`,"type":`)
	e.EventKey = c.nullable(`,"event_key":`)
	if bytes.HasPrefix(c.rest, []byte(`,"occurred_at":`)) {
		e.OccurredAt = c.time(`,"occurred_at":`)
	}
	e.ReceivedAt = c.time(`,"received_at":`)
	e.DeliveryID = c.id(`,"delivery_id":`)
	e.VerifiedBy = c.text(`,"verified_by":`)
	e.Quarantined = c.nullable(`,"quarantined":`)
	if bytes.HasPrefix(c.rest, []byte(`,"repeat_of":`)) {
		e.RepeatOf = c.number(`,"repeat_of":`)
	}
	e.Digest = c.digest(`,"digest":`)
	e.Body = c.bytes(`,"body":`)
	c.want("}\n")
	return e, c.err
}
