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

// read takes in the whole body, byte for byte, in memory of its own: the log keeps it. Its place in the room is held
// until the delivery leaves; there is none when there was no room.
func (d *door) read(w http.ResponseWriter, r *http.Request, name string, in *delivery) error {
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
		swallow(r, deadline)
		return reject(CauseBusy, api.Busy())
	}
	in.place = p
	body, err := readInto(make([]byte, 0, first), r.Body, whole, p)
	in.size = int64(len(body))
	kept := p.arrived()
	switch {
	case !kept:
		// Its reading was cut, perhaps after the last byte: what else comes on this connection could not be read.
		w.Header().Set("Connection", "close")
		return reject(CauseBusy, api.Busy())
	case errors.Is(err, errNoRoom):
		return reject(CauseBusy, api.Busy())
	case errors.Is(err, os.ErrDeadlineExceeded):
		return reject(CauseSlow, api.NewProblem(api.KindSlowBody, "Send the whole body at once."))
	case err != nil:
		return reject(CauseTruncated, api.NewProblem(api.KindIncompleteBody, "Send the whole body; nothing was kept."))
	case len(body) > MaxBody:
		return tooLarge()
	}
	_ = deadline.SetReadDeadline(time.Time{})
	in.body, in.whole = body, true
	return nil
}

// What is read of a body for which there is no room.
const (
	swallowBytes = 64 << 10
	swallowTime  = 250 * time.Millisecond
)

// swallow reads a small body that came with its headers, and forgets it: the connection can then be used again. To
// hang up would make each sender that is refused connect anew, just when there is too much to do.
func swallow(r *http.Request, deadline *http.ResponseController) {
	if r.ContentLength < 0 || r.ContentLength > swallowBytes || r.Header.Get("Expect") != "" {
		return
	}
	_ = deadline.SetReadDeadline(time.Now().Add(swallowTime))
	if _, err := io.Copy(io.Discard, r.Body); err == nil {
		_ = deadline.SetReadDeadline(time.Time{})
	}
}

// errNoRoom means that the body needs more room than there is.
var errNoRoom = errors.New("no room")

// readInto reads to the end, or until whole bytes are there, and returns what came. Each step is reserved before it is
// read: twice as much as has come so far.
func readInto(body []byte, from io.Reader, whole int64, p *place) ([]byte, error) {
	for int64(len(body)) < whole {
		if len(body) == cap(body) {
			more := min(int64(len(body)), whole-int64(len(body)))
			if !p.grow(more) {
				return body, errNoRoom
			}
			body = append(make([]byte, 0, int64(len(body))+more), body...)
		}
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			return body, nil
		}
		if err != nil {
			return body, err
		}
	}
	return body, nil
}
