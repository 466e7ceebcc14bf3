package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections are pipes in memory, so that time can be the test's own.
type pipes struct {
	conns  chan net.Conn
	closed context.Context
	close  context.CancelFunc
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed.Done():
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error { l.close(); return nil }

func (l *pipes) Addr() net.Addr { return &net.UnixAddr{} }

// servePipe answers one connection in the bubble of a synctest.
func servePipe(t *testing.T, handler http.HandlerFunc) net.Conn {
	t.Helper()
	closed, closeAll := context.WithCancel(context.WithoutCancel(t.Context())) // the server closes it
	l := &pipes{make(chan net.Conn), closed, closeAll}
	server := &http.Server{Handler: Wrap(slog.New(slog.DiscardHandler), handler), ReadHeaderTimeout: time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	client, conn := net.Pipe()
	l.conns <- conn
	t.Cleanup(func() {
		_ = client.Close()
		_ = server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return client
}

// A request may promise a body and never send it: who doesn't need the body answers without, at once.
func TestAnAnswerDoesNotWaitForTheBody(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"Content-Length: 1000", "Transfer-Encoding: chunked", "Content-Length: 1000\r\nExpect: 100-continue"} {
		synctest.Test(t, func(t *testing.T) {
			started := time.Now()
			client := servePipe(t, func(w http.ResponseWriter, r *http.Request) { Fail(w, r, NewProblem(KindNotFound, "x")) })
			fmt.Fprintf(client, "GET / HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", body)
			read := bufio.NewReader(client)
			answer, err := http.ReadResponse(read, nil)
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(started); took != 0 || answer.StatusCode != 404 || !answer.Close {
				t.Errorf("%s: %d after %v, Connection: %q", body, answer.StatusCode, took, answer.Header.Get("Connection"))
			}
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
			if _, err := read.ReadByte(); !errors.Is(err, io.EOF) || time.Since(started) > 2*lingerPatience {
				t.Errorf("%s: the connection ends with %v after %v", body, err, time.Since(started))
			}
		})
	}
}

// A client that takes its time for each piece gets the whole answer, however long that takes; one that stops reading
// is let go.
func TestAClientThatDoesNotReadIsLetGo(t *testing.T) {
	t.Parallel()
	const size = 10 * pieceSize
	for name, c := range map[string]struct {
		reads int
		whole bool
	}{"slow": {size, true}, "never": {0, false}, "stops": {3 * pieceSize, false}} {
		synctest.Test(t, func(t *testing.T) {
			written := make(chan error, 1)
			client := servePipe(t, func(w http.ResponseWriter, _ *http.Request) {
				_, err := io.WriteString(w, strings.Repeat("x", size))
				written <- errors.Join(err, http.NewResponseController(w).Flush())
			})
			fmt.Fprint(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			started := time.Now()
			for got := 0; got < c.reads; got += pieceSize / 2 {
				if _, err := io.CopyN(io.Discard, client, pieceSize/2); err != nil {
					t.Fatalf("%s: %v after %d bytes and %v", name, err, got, time.Since(started))
				}
				<-time.After(writePatience / 4)
			}
			if c.whole {
				go func() { _, _ = io.Copy(io.Discard, client) }()
			}
			err := <-written
			if (err == nil) != c.whole {
				t.Errorf("%s: writing ended with %v", name, err)
			}
			if took := time.Since(started); c.whole && took < 2*writePatience || !c.whole && c.reads == 0 && took > 2*writePatience {
				t.Errorf("%s: it took %v", name, took)
			}
		})
	}
}
