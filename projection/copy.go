package projection

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// Copy gathers rows for one table, in the binary format of COPY: of a generation that is being filled. A row is begun
// with Row and then told column by column, in the order that NewCopy named them; Postgres checks the number and types.
// Not safe for concurrent use.
type Copy struct {
	statement string
	columns   int
	rows      int
	buffer    []byte
}

// copyHeader begins every binary COPY: the signature, no flags, no extension. copyTrailer ends it.
var (
	copyHeader  = []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	copyTrailer = []byte{0xff, 0xff}
)

// postgresEpoch is what Postgres counts microseconds from.
var postgresEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

// NewCopy returns an empty copy into a table of the set: NewCopy(set, "board_ticket_{set}", "source", …).
func NewCopy(set Set, table string, columns ...string) *Copy {
	statement := fmt.Sprintf("COPY %s (%s) FROM STDIN (FORMAT binary)", set.SQL(table), strings.Join(columns, ", "))
	return &Copy{statement: statement, columns: len(columns)}
}

// Len is how many bytes are gathered.
func (c *Copy) Len() int { return len(c.buffer) }

// Row begins the next row.
func (c *Copy) Row() {
	if c.rows == 0 {
		c.buffer = append(c.buffer[:0], copyHeader...)
	}
	c.rows++
	c.buffer = binary.BigEndian.AppendUint16(c.buffer, uint16(c.columns))
}

// Text tells a text or json.
func (c *Copy) Text(s string) { c.buffer = append(c.size(len(s)), s...) }

// Bytes tells a bytea; nil: NULL.
func (c *Copy) Bytes(b []byte) {
	if b == nil {
		c.Null()
		return
	}
	c.buffer = append(c.size(len(b)), b...)
}

// Int4 tells an int.
func (c *Copy) Int4(n int32) { c.buffer = binary.BigEndian.AppendUint32(c.size(4), uint32(n)) }

// Int8 tells a bigint.
func (c *Copy) Int8(n int64) { c.buffer = binary.BigEndian.AppendUint64(c.size(8), uint64(n)) }

// Bool tells a boolean.
func (c *Copy) Bool(b bool) {
	var n byte
	if b {
		n = 1
	}
	c.buffer = append(c.size(1), n)
}

// Time tells a timestamptz, as StoredTime has it; the zero time: NULL.
func (c *Copy) Time(t time.Time) {
	if t.IsZero() {
		c.Null()
		return
	}
	c.Int8(t.UnixMicro() - postgresEpoch)
}

// CopyTexts tells a text[].
func CopyTexts[T ~string](c *Copy, texts []T) {
	at := len(c.buffer)
	c.buffer = c.size(0)
	if len(texts) == 0 {
		c.words(0, 0, pgtype.TextOID) // of no dimension
	} else {
		c.words(1, 0, pgtype.TextOID, uint32(len(texts)), 1)
		for _, t := range texts {
			c.Text(string(t))
		}
	}
	binary.BigEndian.PutUint32(c.buffer[at:], uint32(len(c.buffer)-at-4))
}

// Null tells NULL.
func (c *Copy) Null() { c.words(0xffffffff) }

func (c *Copy) size(n int) []byte { return binary.BigEndian.AppendUint32(c.buffer, uint32(n)) }

func (c *Copy) words(words ...uint32) {
	for _, w := range words {
		c.buffer = binary.BigEndian.AppendUint32(c.buffer, w)
	}
}

// Flush copies what is gathered, and begins anew.
func (c *Copy) Flush(ctx context.Context, tx pgx.Tx) error {
	if c.rows == 0 {
		return nil
	}
	c.buffer = append(c.buffer, copyTrailer...)
	tag, err := tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(c.buffer), c.statement)
	if err == nil && tag.RowsAffected() != int64(c.rows) {
		err = fmt.Errorf("%d of %d rows were taken", tag.RowsAffected(), c.rows)
	}
	c.rows, c.buffer = 0, c.buffer[:0]
	return err
}
