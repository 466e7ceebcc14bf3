package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// answerTime bounds one answer. It is longer than any deadline of the server's.
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

// openWebhook connects to the door at host, where the deliveries go to path.
func openWebhook(ctx context.Context, host, path string, sign func([]byte) http.Header, v *visits) (*webhook, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
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
func (w *webhook) send(context.Context) error {
	body := w.visits.row().Body
	w.out.Reset()
	w.out.WriteString(w.head)
	if err := w.sign(body).Write(&w.out); err != nil {
		return fmt.Errorf("write the head: %w", err)
	}
	fmt.Fprintf(&w.out, "Content-Length: %d\r\n\r\n", len(body))
	w.out.Write(body)
	if err := w.conn.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return fmt.Errorf("set the deadline: %w", err)
	}
	if _, err := w.conn.Write(w.out.Bytes()); err != nil {
		return fmt.Errorf("send a delivery: %w", err)
	}
	answer, err := http.ReadResponse(w.in, nil)
	if err != nil {
		return fmt.Errorf("read an answer: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("read an answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s: %s", answer.Status, text)
	}
	return nil
}
