package archive

import (
	"bufio"
	"fmt"
	"io"

	"queuetrack/eventstore"
)

const writeBuffer = 256 << 10

// Writer writes an archive. It is not safe for concurrent use.
type Writer struct {
	w      *bufio.Writer
	ledger *ledger
	line   []byte
}

// NewWriter begins an archive: a continuation, if there are seams, which come in the order of their sources.
func NewWriter(w io.Writer, after []Seam) *Writer {
	a := &Writer{w: bufio.NewWriterSize(w, writeBuffer), ledger: newLedger(after)}
	_, _ = a.w.Write(appendHeader(nil, after)) // its error stays, and comes again
	return a
}

// Write adds an event. What a reader would refuse (a hole, a body that is not its digest's) is refused here.
func (a *Writer) Write(e *eventstore.Event) error {
	a.line = appendEvent(a.line[:0], e)
	if err := a.ledger.add(e, a.line); err != nil {
		return err
	}
	if _, err := a.w.Write(a.line); err != nil {
		return fmt.Errorf("write position %d of %s: %w", e.Position, e.Source, err)
	}
	return nil
}

// Close ends the archive with its manifest; without that it is no archive. It returns what the archive holds.
func (a *Writer) Close() ([]Span, error) {
	_, err := a.w.Write(a.ledger.manifest())
	if err == nil {
		err = a.w.Flush()
	}
	if err != nil {
		return nil, fmt.Errorf("write the manifest: %w", err)
	}
	return a.ledger.spans, nil
}
