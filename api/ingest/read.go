package ingest

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"queuetrack/api"
)

// firstRead is how many bytes are reserved for a body before the first of them has come: a length that the sender
// only claims reserves nothing.
const firstRead = 16 << 10

// read returns the whole body, byte for byte, in memory of its own: the log keeps it. The place holds it in the room,
// until the caller leaves; it is nil when there was no room.
func (d *door) read(w http.ResponseWriter, r *http.Request, name string) ([]byte, *place, error) {
	// Not every ResponseWriter has deadlines; the server's own has, and its other timeouts hold anyway.
	deadline := http.NewResponseController(w)
	_ = deadline.SetReadDeadline(time.Now().Add(d.cfg.ReadTimeout))
	whole := int64(MaxBody) + 1 // a byte more than it may be, to see that it is not
	if r.ContentLength >= 0 {
		whole = r.ContentLength + 1
	}
	first := min(whole, firstRead)
	p, ok := d.room.enter(name, first, func() { _ = deadline.SetReadDeadline(time.Unix(1, 0)) })
	if !ok {
		return nil, nil, reject(CauseBusy, api.Busy())
	}
	body, err := readInto(make([]byte, 0, first), r.Body, whole, p)
	kept := p.arrived()
	switch {
	case !kept, errors.Is(err, errNoRoom):
		err = reject(CauseBusy, api.Busy())
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = reject(CauseSlow, api.NewProblem(api.KindSlowBody, "Send the whole body at once."))
	case err != nil:
		err = reject(CauseTruncated, api.NewProblem(api.KindIncompleteBody, "Send the whole body; nothing was kept."))
	case len(body) > MaxBody:
		err = tooLarge()
	default:
		_ = deadline.SetReadDeadline(time.Time{})
	}
	return body, p, err
}

// errNoRoom means that the body needs more room than there is.
var errNoRoom = errors.New("no room")

// readInto reads to the end, or until whole bytes are there, and reserves each step before it reads it: twice as much
// as has come so far.
func readInto(body []byte, from io.Reader, whole int64, p *place) ([]byte, error) {
	for int64(len(body)) < whole {
		if len(body) == cap(body) {
			more := min(int64(len(body)), whole-int64(len(body)))
			if !p.grow(more) {
				return nil, errNoRoom
			}
			body = append(make([]byte, 0, int64(len(body))+more), body...)
		}
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			return body, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return body, nil
}
