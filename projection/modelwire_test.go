package projection_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

var errCut = errors.New("the wire was cut")

// fault is what becomes of a statement's connection.
type fault int

const (
	sound      fault = iota
	unsent           // it is cut before the statement is sent
	unanswered       // it is cut when the server has done what it was told, and before anybody hears of it
)

// leash is what a process's statements go through, one by one, as they are let. A process that nobody lets go on stands
// still between two statements, for as long as a test likes.
type leash struct {
	rewrite map[string]string // sabotage: what statements have, and what the server gets instead

	mu      sync.Mutex
	moved   *sync.Cond
	news    chan struct{} // room for one: somebody came to rest
	open    bool          // statements aren't held up
	dead    bool          // the process was killed
	wires   []*wire
	dialled int
	turns   int
}

func newLeash(rewrite map[string]string) *leash {
	l := &leash{rewrite: rewrite, news: make(chan struct{}, 1)}
	l.moved = sync.NewCond(&l.mu)
	return l
}

// pool is a process's own, all of whose statements go through the leash.
func (l *leash) pool(ctx context.Context, url string) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = 8
	cfg.ConnConfig.DialFunc = l.dial
	cfg.AfterConnect = l.up
	cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	return pgxpool.NewWithConfig(ctx, cfg)
}

func (l *leash) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return nil, errors.Join(errCut, c.Close())
	}
	l.dialled++
	return &wire{Conn: c, leash: l, number: l.dialled}, nil
}

// up is told that a connection is: from now on what it sends are statements.
func (l *leash) up(_ context.Context, c *pgx.Conn) error {
	w := c.PgConn().Conn().(*wire)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return errCut
	}
	w.up, w.pid = true, int32(c.PgConn().PID())
	l.wires = append(l.wires, w)
	return nil
}

func (l *leash) tell() {
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// atRest reports whether all that the process does is wait to be let.
func (l *leash) atRest() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	asking := false
	for _, w := range l.wires {
		if w.granted || w.owed > 0 && w.reading && !w.asks {
			return false
		}
		asking = asking || w.asks
	}
	return asking
}

// String tells what each connection is at.
func (l *leash) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, w := range l.wires {
		all = append(all, fmt.Sprintf("%d: asks %t, granted %t, owed %d, reading %t, mute %t", w.number, w.asks, w.granted, w.owed, w.reading, w.mute))
	}
	return strings.Join(all, "; ")
}

// let lets the next statement through. pid chooses the connection; 0: the one that has waited for its turn for the longest,
// or the one that has not.
func (l *leash) let(f fault, pid int32, unfair bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var next *wire
	for _, w := range l.wires {
		if w.asks && (pid == 0 || w.pid == pid) && (next == nil || (w.turn < next.turn) != unfair) {
			next = w
		}
	}
	if next != nil {
		l.turns++
		next.turn, next.asks, next.granted, next.fault = l.turns, false, true, f
		l.moved.Broadcast()
	}
}

// pids are the server's processes for connections that match.
func (l *leash) pids(match func(*wire) bool) []int32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var pids []int32
	for _, w := range l.wires {
		if match(w) {
			pids = append(pids, w.pid)
		}
	}
	return pids
}

// kill ends all connections, and lets nothing through any more.
func (l *leash) kill() (pids []int32) {
	pids = l.pids(func(*wire) bool { return true })
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = true
	for _, w := range l.wires {
		_ = w.Conn.Close() // its error is what is wanted
	}
	l.moved.Broadcast()
	return pids
}

// wire is a connection. Its fields are guarded by the leash.
type wire struct {
	net.Conn
	leash  *leash
	number int
	pid    int32
	turn   int // when it was let the last time

	up            bool // the handshake is over
	asks, granted bool // a statement waits to be let; it may go through
	fault         fault
	owed          int  // answers that were not heard yet,
	reading       bool // and somebody listens: else they may wait, too
	mute          bool
	expired       bool // somebody's context ended
	frames        frames
}

func (w *wire) Write(b []byte) (int, error) {
	f, err := w.pass(b)
	if err != nil {
		return 0, err
	}
	if _, err := w.Conn.Write(w.leash.sabotaged(b)); err != nil {
		return 0, err
	}
	if f == unanswered && partial(b) {
		return 0, errors.Join(errCut, w.Close())
	}
	return len(b), nil
}

// partial reports whether a message is a part of a COPY, which has no answer of its own.
func partial(b []byte) bool {
	return b[0] == 'd' || b[0] == 'Q' && bytes.Contains(b, []byte("FROM STDIN"))
}

// pass waits to be let.
func (w *wire) pass(b []byte) (fault, error) {
	l := w.leash
	l.mu.Lock()
	defer l.mu.Unlock()
	if !w.up || b[0] == 'X' {
		return sound, nil
	}
	if !l.open {
		w.asks = true
		l.tell()
		for w.asks && !l.dead && !w.expired {
			l.moved.Wait()
		}
	}
	f := w.fault
	w.asks, w.granted, w.fault = false, false, sound
	switch {
	case l.dead:
		return sound, errCut
	case w.expired:
		return sound, os.ErrDeadlineExceeded
	case f == unsent:
		return sound, errors.Join(errCut, w.Conn.Close())
	}
	w.owed += answers(b)
	w.mute = f == unanswered && !partial(b)
	return f, nil
}

// Read keeps an answer to itself that is not to be heard of.
func (w *wire) Read(b []byte) (int, error) {
	for {
		w.listens()
		n, err := w.Conn.Read(b)
		if !w.heard(b[:n], err) {
			continue
		}
		if w.isMute() {
			return 0, errors.Join(errCut, w.Close())
		}
		return n, err
	}
}

func (w *wire) listens() {
	w.leash.mu.Lock()
	defer w.leash.mu.Unlock()
	w.reading = true
}

// heard takes note of what came, and reports whether it is to be passed on.
func (w *wire) heard(b []byte, err error) bool {
	w.leash.mu.Lock()
	defer w.leash.mu.Unlock()
	w.reading = false
	if w.up {
		w.owed -= w.frames.ready(b)
	}
	if err != nil {
		w.owed = 0
	}
	if w.owed == 0 {
		w.leash.tell()
	}
	return !w.mute || w.owed == 0
}

func (w *wire) isMute() bool {
	w.leash.mu.Lock()
	defer w.leash.mu.Unlock()
	return w.mute
}

func (w *wire) SetDeadline(t time.Time) error {
	w.leash.mu.Lock()
	w.expired = !t.IsZero() && !t.After(time.Now())
	w.leash.moved.Broadcast()
	w.leash.mu.Unlock()
	return w.Conn.SetDeadline(t)
}

func (w *wire) Close() error {
	w.leash.mu.Lock()
	w.leash.wires = slices.DeleteFunc(w.leash.wires, func(other *wire) bool { return other == w })
	w.leash.tell()
	w.leash.mu.Unlock()
	return w.Conn.Close()
}

// sabotaged puts other words into statements.
func (l *leash) sabotaged(b []byte) []byte {
	for from, to := range l.rewrite {
		if bytes.Contains(b, []byte(from)) {
			b = replaced(b, []byte(from), []byte(to))
		}
	}
	return b
}

func replaced(messages, from, to []byte) []byte {
	var out []byte
	for len(messages) >= 5 {
		n := 1 + int(binary.BigEndian.Uint32(messages[1:]))
		kind, body := messages[0], messages[5:n]
		if kind == 'P' || kind == 'Q' {
			body = bytes.ReplaceAll(body, from, to)
		}
		out = append(binary.BigEndian.AppendUint32(append(out, kind), uint32(4+len(body))), body...)
		messages = messages[n:]
	}
	return out
}

// answers counts what the server answers with "ready": whole messages of a client.
func answers(messages []byte) (n int) {
	for len(messages) >= 5 {
		if kind := messages[0]; kind == 'Q' || kind == 'S' {
			n++
		}
		messages = messages[min(1+int(binary.BigEndian.Uint32(messages[1:])), len(messages)):]
	}
	return n
}

// frames finds the ends of the server's messages in what comes in pieces.
type frames struct {
	head []byte
	skip int
}

// ready counts the messages "ready for query" that begin in the piece.
func (f *frames) ready(b []byte) (n int) {
	for len(b) > 0 {
		if f.skip > 0 {
			k := min(f.skip, len(b))
			f.skip, b = f.skip-k, b[k:]
			continue
		}
		k := min(5-len(f.head), len(b))
		f.head, b = append(f.head, b[:k]...), b[k:]
		if len(f.head) == 5 {
			if f.head[0] == 'Z' {
				n++
			}
			f.skip, f.head = int(binary.BigEndian.Uint32(f.head[1:]))-4, f.head[:0]
		}
	}
	return n
}
