package eventstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
	"queuetrack/migrations/dbtest"
)

var errCut = errors.New("the wire was cut")

// saboteur cuts connections.
type saboteur struct {
	commits atomic.Int64 // so many answers to COMMIT are swallowed, with their connection
	odds    atomic.Int64 // of 100 reads or writes of connections that are up, so many end half-way

	mu   sync.Mutex
	dice *rand.Rand
}

func newSaboteur(seed uint64) *saboteur { return &saboteur{dice: rand.New(rand.NewPCG(seed, seed))} }

func (s *saboteur) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &wire{Conn: c, saboteur: s}, nil
}

// up is told that a connection is.
func (s *saboteur) up(_ context.Context, c *pgx.Conn) error {
	c.PgConn().Conn().(*wire).up.Store(true)
	return nil
}

type wire struct {
	net.Conn
	saboteur *saboteur
	up       atomic.Bool // how long a handshake is depends on the server: were they cut, too few might get through
}

// part says how much of n bytes goes through; all of them mostly.
func (w *wire) part(n int) int {
	s := w.saboteur
	s.mu.Lock()
	defer s.mu.Unlock()
	if n == 0 || !w.up.Load() || s.dice.Int64N(100) >= s.odds.Load() {
		return n
	}
	return s.dice.IntN(n)
}

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if bytes.Contains(b[:n], []byte("COMMIT\x00")) && w.saboteur.commits.Add(-1) >= 0 {
		return 0, errors.Join(errCut, w.Close())
	}
	if part := w.part(n); part < n {
		return part, errors.Join(errCut, w.Close())
	}
	return n, err
}

func (w *wire) Write(b []byte) (int, error) {
	if part := w.part(len(b)); part < len(b) {
		n, _ := w.Conn.Write(b[:part])
		return n, errors.Join(errCut, w.Close())
	}
	return w.Conn.Write(b)
}

// The answer to a commit is lost. The latest-body rule alone would append X, Y, X, Y as X, Y, X, X, Y, Y … or worse.
func TestLostCommitAnswer(t *testing.T) {
	t.Parallel()
	spoil := newSaboteur(1)
	pool := open(t, dbtest.NewURL(t), spoil)
	log := eventstore.New(pool, eventstore.Config{})
	var want []string
	for i := range int64(20) {
		text := string("XY"[i%2])
		want = append(want, "1:"+text)
		spoil.commits.Store(i % 3)
		got, err := log.Append(t.Context(), source, body("1", text))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "receipt", got, accepted(i+1, 1)[0])
	}
	equal(t, "bodies", bodies(t, log), want)
	checkEverything(t, pool)
}

// A whole batch with its duplicates: the second try gives the receipts that the first one would have given, even
// though another process has changed the ticket meanwhile.
func TestLostCommitAnswerOfABatch(t *testing.T) {
	t.Parallel()
	spoil := newSaboteur(1)
	url := dbtest.NewURL(t)
	log := eventstore.New(open(t, url, spoil), eventstore.Config{})
	x, y := body("1", "X"), body("1", "Y")
	batch := []eventstore.Delivery{x, y, y, x, unreadable(x), unreadable(x), x, body("", "ping"), body("", "ping")}
	want := []eventstore.Receipt{
		accepted(1, 1)[0], accepted(2, 1)[0], duplicate(2), accepted(3, 1)[0], quarantined(4), duplicate(4), duplicate(3),
		accepted(5, 1)[0], duplicate(5),
	}
	mustAppendFirst(t, log)
	spoil.commits.Store(1)
	got := mustAppend(t, log, batch...)
	for i := range want {
		want[i].Position++
	}
	equal(t, "receipts", got, want)
	equal(t, "events", len(readAll(t, log)), 6)
}

func mustAppendFirst(t *testing.T, log *eventstore.Log) {
	t.Helper()
	equal(t, "first", mustAppend(t, log, body("0", "first")), accepted(1, 1))
}

// Connections are cut after any number of bytes, in both directions: every batch that got its receipts is there once,
// as the model says, and one that got an error is there once or not at all.
func TestConnectionsCutAnywhere(t *testing.T) {
	t.Parallel()
	spoil := newSaboteur(42)
	url := dbtest.NewURL(t)
	log := eventstore.New(open(t, url, spoil), eventstore.Config{})
	mustAppendFirst(t, log)
	m := &model{window: eventstore.DefaultReplayWindow}
	m.append(body("0", "first"))
	spoil.odds.Store(8)
	for round := range 50 {
		var ds []eventstore.Delivery
		for i := range 1 + round%7 {
			ds = append(ds, body("1", string("XYZ"[(round+i*i)%3])))
		}
		got, err := log.AppendBatch(t.Context(), source, ds)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for i, d := range ds {
			equal(t, fmt.Sprintf("round %d, delivery %d", round, i), got[i], m.append(d))
		}
	}
	spoil.odds.Store(0)
	var want []string
	for _, d := range m.events {
		want = append(want, string(d.Body))
	}
	clean := open(t, url, nil)
	equal(t, "bodies", bodies(t, eventstore.New(clean, eventstore.Config{})), want)
	checkEverything(t, clean)
}
