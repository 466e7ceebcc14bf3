package archive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"queuetrack/eventstore"
)

// RefusedError says why a file is no archive, and where.
type RefusedError struct {
	Line int64
	Why  error
}

func (e *RefusedError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Why) }

// Unwrap returns the reason.
func (e *RefusedError) Unwrap() error { return e.Why }

const readBuffer = 32 << 10

// Reader reads an archive, and takes nothing that a [Writer] would not have written: then it answers with a
// *RefusedError. Only after the last event can it say that nothing was cut or edited. It holds one line in memory. It is
// not safe for concurrent use.
type Reader struct {
	r      *bufio.Reader
	after  []Seam
	ledger *ledger
	number int64  // of the line
	bytes  int64  // up to its end
	line   []byte // until the next one is read
	long   []byte // holds it if the buffer is too small
	again  []byte // as a Writer would have written it
}

// NewReader reads the header.
func NewReader(r io.Reader) (*Reader, error) {
	a := &Reader{r: bufio.NewReaderSize(r, readBuffer)}
	if err := a.next(); err != nil {
		return nil, err
	}
	after, err := parseHeader(a.line)
	if err == nil {
		err = a.spelled(appendHeader(nil, after))
	}
	if err != nil {
		return nil, a.refuse(err)
	}
	a.after, a.ledger = after, newLedger(after)
	return a, nil
}

// After returns the seams of a continuation, in the order of their sources.
func (a *Reader) After() []Seam { return a.after }

// Spans returns what the archive holds; whole after the last event.
func (a *Reader) Spans() []Span { return a.ledger.spans }

// Next returns the next event, and io.EOF after the last one if the whole file is as it was written.
func (a *Reader) Next() (eventstore.Event, error) {
	if err := a.next(); err != nil {
		return eventstore.Event{}, err
	}
	if bytes.HasPrefix(a.line, []byte(manifestBegins)) {
		return eventstore.Event{}, a.finish()
	}
	e, err := parseEvent(a.line)
	if err == nil {
		a.again = appendEvent(a.again[:0], &e)
		err = a.spelled(a.again)
	}
	if err == nil {
		err = a.ledger.add(&e, a.line)
	}
	if err != nil {
		return eventstore.Event{}, a.refuse(err)
	}
	return e, nil
}

// finish holds the manifest against what was read, and looks that nothing follows.
func (a *Reader) finish() error {
	if !bytes.Equal(a.line, a.ledger.manifest()) {
		return a.refuse(errors.New("the manifest tells of other lines than these: the file was edited"))
	}
	if _, err := a.r.ReadByte(); !errors.Is(err, io.EOF) {
		if err != nil {
			return fmt.Errorf("read the archive: %w", err)
		}
		return a.refuse(errors.New("something follows the manifest"))
	}
	return io.EOF
}

// next reads a line.
func (a *Reader) next() error {
	a.number++
	line, err := a.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line, err = a.longLine(line)
	}
	a.bytes += int64(len(line))
	a.line = line
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF) && a.number == 1:
		return a.refuse(errors.New("it is no archive of a log"))
	case errors.Is(err, io.EOF):
		return a.refuse(errors.New("the file ends before its manifest: it was cut"))
	case errors.Is(err, errTooLong):
		return a.refuse(err)
	}
	return fmt.Errorf("read the archive: %w", err)
}

var errTooLong = fmt.Errorf("it is longer than %d bytes", MaxLine)

// longLine reads on after the beginning of a line that filled the buffer.
func (a *Reader) longLine(begin []byte) ([]byte, error) {
	a.long = append(a.long[:0], begin...)
	for {
		more, err := a.r.ReadSlice('\n')
		if len(a.long)+len(more) > MaxLine {
			return nil, errTooLong
		}
		a.long = append(a.long, more...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return a.long, err
		}
	}
}

// spelled holds the line against what a Writer makes of what was read of it.
func (a *Reader) spelled(want []byte) error {
	if bytes.Equal(a.line, want) {
		return nil
	}
	at := 0
	for at < min(len(a.line), len(want)) && a.line[at] == want[at] {
		at++
	}
	return fmt.Errorf("byte %d is not what queuetrack writes", at+1)
}

func (a *Reader) refuse(why error) error { return &RefusedError{Line: a.number, Why: why} }
