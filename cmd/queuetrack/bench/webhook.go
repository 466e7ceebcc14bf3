package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// answerTime is how long the last answer may take. It is longer than any deadline of the server's.
const answerTime = 30 * time.Second

// webhook is one connection to the door. It is as thin as HTTP allows: whatever the sending costs is missing to the
// server that is measured on the same machine.
type webhook struct {
	conn   net.Conn
	in     *bufio.Reader
	out    bytes.Buffer
	head   string // of each request, up to the signature
	sign   func(body []byte) http.Header
	visits *visits
}

// openWebhook connects to the door at host, where the deliveries go to path, for as long as given.
func openWebhook(ctx context.Context, host, path string, sign func([]byte) http.Header, v *visits, length time.Duration) (*webhook, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(length + answerTime))
	}
	if err != nil {
		return nil, fmt.Errorf("connect to the server: %w", err)
	}
	return &webhook{
		conn: conn, in: bufio.NewReader(conn), sign: sign, visits: v,
		head: fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n", path, host),
	}, nil
}

func (w *webhook) close() { _ = w.conn.Close() } // everything was answered, or the run has failed anyway

// send posts the next delivery. Any answer but 200 is an error: nothing may be refused in a bench.
func (w *webhook) send(context.Context) error { return w.post(w.visits.row().Body) }

func (w *webhook) post(body []byte) error {
	w.out.Reset()
	w.out.WriteString(w.head)
	if err := w.sign(body).Write(&w.out); err != nil {
		return fmt.Errorf("write the head: %w", err)
	}
	fmt.Fprintf(&w.out, "Content-Length: %d\r\n\r\n", len(body))
	w.out.Write(body)
	if _, err := w.conn.Write(w.out.Bytes()); err != nil {
		return fmt.Errorf("send a delivery: %w", err)
	}
	status, err := w.answer()
	if err != nil {
		return fmt.Errorf("read an answer: %w", err)
	}
	if status != http.StatusOK {
		return fmt.Errorf("the server answered %d", status)
	}
	return nil
}

// answer reads the next answer, of a length that its head tells, as all of the door's are.
func (w *webhook) answer() (status int, err error) {
	length := 0
	for first := true; ; first = false {
		line, err := w.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case first:
			status, err = number(bytes.TrimPrefix(line, []byte("HTTP/1.1 ")))
		case len(line) == 0:
			_, err = w.in.Discard(length)
			return status, err
		case bytes.HasPrefix(line, []byte("Content-Length: ")):
			length, err = number(line[len("Content-Length: "):])
		}
		if err != nil {
			return 0, err
		}
	}
}

// number reads the number that a text begins with.
func number(text []byte) (int, error) {
	digits, _, _ := bytes.Cut(text, []byte(" "))
	return strconv.Atoi(string(digits))
}
