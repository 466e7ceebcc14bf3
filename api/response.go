package api

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// How long a client may take for its part, once the answer is known.
const (
	// writePatience is for taking in one piece of the answer. An answer may be of any length and take any time, as
	// long as the client goes on reading: a report as CSV, a stream of events.
	writePatience = 10 * time.Second
	pieceSize     = 64 << 10
	// lingerPatience is for the rest of a body that nobody wants.
	lingerPatience = time.Second
)

// response remembers the status and the size of an answer, and lets no client hold its connection for ever.
type response struct {
	http.ResponseWriter
	request *requestBody // nil: the request has none
	status  int
	written int64
}

// requestBody remembers whether it was read to its end.
type requestBody struct {
	io.ReadCloser
	ended bool
}

// Read implements io.Reader.
func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.ended = b.ended || errors.Is(err, io.EOF)
	return n, err
}

// WriteHeader implements http.ResponseWriter. An informational answer is not yet the answer.
func (w *response) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
		w.giveUpBody()
	}
	w.expectReader()
	w.ResponseWriter.WriteHeader(status)
}

// giveUpBody sees to it that an answer given before the body was read goes out at once, and the connection ends with
// it. Without "close" the server would read the body first, which may never come.
func (w *response) giveUpBody() {
	if w.request == nil || w.request.ended {
		return
	}
	w.Header().Set("Connection", "close")
	// The server swallows what is still coming, so that the sender sees the answer and not a reset.
	_ = http.NewResponseController(w.ResponseWriter).SetReadDeadline(time.Now().Add(lingerPatience))
}

// expectReader lets the client have its time for the next piece. Not every ResponseWriter has deadlines; the server's
// own has.
func (w *response) expectReader() {
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(writePatience))
}

// Write implements http.ResponseWriter.
func (w *response) Write(b []byte) (n int, err error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	} else {
		w.expectReader()
	}
	for err == nil {
		var m int
		m, err = w.ResponseWriter.Write(b[n:min(len(b), n+pieceSize)])
		n += m
		if n == len(b) {
			break
		}
		w.expectReader()
	}
	w.written += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach deadlines and flushes.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Status returns the answer's status: a handler that wrote nothing has answered 200.
func (w *response) Status() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
