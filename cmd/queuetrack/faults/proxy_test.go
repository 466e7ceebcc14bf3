//go:build linux

package faults

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// A proxy stands between queuetrack and Postgres, and cuts connections. It closes both sides at once, so that neither
// hears more than had passed until then.
type proxy struct {
	listener net.Listener
	socket   string // of Postgres

	mu    sync.Mutex
	fates func() fates // of the next connection; nil: none is cut
	cuts  int
	open  map[net.Conn]bool
	group sync.WaitGroup
}

// A fate sees what comes from one side and returns what may pass on to the other now, and whether that was the last.
type fate func(part []byte) (pass []byte, cut bool)

// fates are a connection's two directions; nil lets all pass.
type fates struct{ toServer, toClient fate }

// startProxy puts a proxy before a cluster until the test ends, and returns it with the cluster's URL as seen through it.
func startProxy(t *testing.T, c *cluster) (*proxy, string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	direct, err := url.Parse(c.url)
	if err != nil {
		t.Fatal(err)
	}
	query := direct.Query()
	p := &proxy{
		listener: l, open: map[net.Conn]bool{},
		socket: filepath.Join(query.Get("host"), ".s.PGSQL."+query.Get("port")),
	}
	p.group.Go(p.accept)
	t.Cleanup(p.close)
	through := url.URL{Scheme: "postgres", User: direct.User, Host: l.Addr().String(), Path: direct.Path, RawQuery: "sslmode=disable"}
	return p, through.String()
}

func (p *proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	for conn := range p.open {
		_ = conn.Close()
	}
	p.mu.Unlock()
	p.group.Wait()
}

// cut gives the connections that are made from now on their fates; nil lets them live.
func (p *proxy) cut(fates func() fates) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fates = fates
}

// cutAll cuts the connections that there are.
func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		_ = conn.Close()
	}
}

// count is how many connections were cut by their fate.
func (p *proxy) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.group.Go(func() { p.serve(client) })
	}
}

func (p *proxy) serve(client net.Conn) {
	server, err := net.Dial("unix", p.socket) //nolint:noctx // answered at once, one way or the other
	if err != nil {
		_ = client.Close()
		return
	}
	f := p.enter(client, server)
	over := make(chan struct{}, 2)
	p.group.Go(func() { p.pass(server, client, f.toServer); over <- struct{}{} })
	p.group.Go(func() { p.pass(client, server, f.toClient); over <- struct{}{} })
	<-over
	p.leave(client, server)
	<-over
}

func (p *proxy) enter(client, server net.Conn) fates {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[client], p.open[server] = true, true
	if p.fates == nil {
		return fates{}
	}
	return p.fates()
}

func (p *proxy) leave(client, server net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, client)
	delete(p.open, server)
	_, _ = client.Close(), server.Close()
}

// pass copies until one side has ended or fate cuts.
func (p *proxy) pass(to io.Writer, from io.Reader, decide fate) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		part, cut := buffer[:n], false
		if decide != nil {
			part, cut = decide(part)
		}
		if cut {
			p.mu.Lock()
			p.cuts++
			p.mu.Unlock()
		}
		if _, errWrite := to.Write(part); cut || err != nil || errWrite != nil {
			return
		}
	}
}

// after cuts behind so many bytes.
func after(bytes int) fate {
	return func(part []byte) ([]byte, bool) {
		n := min(bytes, len(part))
		bytes -= n
		return part[:n], n < len(part)
	}
}

// atRandom cuts each connection in one direction, anywhere from its first byte to well behind its start, and so in
// the middle of whatever passes: the bytes are counted, not understood. It is called by one connection at a time.
func atRandom(chance *rand.Rand) func() fates {
	return func() fates {
		bytes := chance.IntN(1 << (6 + chance.IntN(9))) // small numbers as often as large ones
		if chance.IntN(2) == 0 {
			return fates{toServer: after(bytes)}
		}
		return fates{toClient: after(bytes)}
	}
}

// commits cuts each connection where the answer to one of its first commits would pass: Postgres has committed, and
// nobody hears of it. appended counts those that took deliveries into the log; the others are the read models'.
func commits(chance *rand.Rand, appended *atomic.Int64) func() fates {
	return func() fates {
		left, receipts, pending := chance.IntN(20), false, []byte(nil)
		return fates{toClient: func(part []byte) (pass []byte, cut bool) {
			pending = append(pending, part...)
			for {
				kind, content, rest, whole := message(pending)
				switch {
				case !whole:
					return pass, false
				case kind == 'D' && bytes.Contains(content, []byte("accepted")):
					receipts = true
				case kind == 'C' && bytes.HasPrefix(content, []byte("COMMIT")):
					if left == 0 && receipts {
						appended.Add(1)
					}
					if left == 0 {
						return pass, true
					}
					left, receipts = left-1, false
				}
				pass = append(pass, pending[:len(pending)-len(rest)]...)
				pending = rest
			}
		}}
	}
}

// message splits the first one off what a Postgres sends: a byte for its kind, four for its length (themselves
// included), its content.
func message(stream []byte) (kind byte, content, rest []byte, whole bool) {
	const head = 5
	if len(stream) < head {
		return 0, nil, stream, false
	}
	end := 1 + int(binary.BigEndian.Uint32(stream[1:head]))
	if len(stream) < end {
		return 0, nil, stream, false
	}
	return stream[0], stream[head:end], stream[end:], true
}
