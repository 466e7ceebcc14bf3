package eventstore_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
	"queuetrack/migrations/dbtest"
)

// refuse rejects a request of the cause at a second of the day.
func refuse(log *eventstore.Log, cause string, second int) {
	log.Reject(source, cause, func() eventstore.Rejection {
		return eventstore.Rejection{ReceivedAt: noon.Add(time.Duration(second) * time.Second), Method: "POST"}
	})
}

// write flushes once: what Run does when it ends.
func write(t testing.TB, log *eventstore.Log) {
	t.Helper()
	ended, end := context.WithCancel(context.Background())
	end()
	if err := log.Run(ended); err != nil {
		t.Fatal(err)
	}
}

func rejections(t testing.TB, log *eventstore.Log) []eventstore.Rejection {
	t.Helper()
	all, err := log.Rejections(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// seconds are when the rejections were received.
func seconds(all []eventstore.Rejection) []int {
	var list []int
	for _, r := range all {
		list = append(list, int(r.ReceivedAt.Sub(noon)/time.Second))
	}
	return list
}

// downFrom are the seconds n-1, n-2 … 0, at most most of them.
func downFrom(n, most int) []int {
	var list []int
	for i := n - 1; i >= 0 && len(list) < most; i-- {
		list = append(list, i)
	}
	return list
}

func TestRejectionIsKeptWithoutWhatItHeld(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	digest := sha256.Sum256([]byte("a body"))
	log.Reject(source, "signature", func() eventstore.Rejection {
		return eventstore.Rejection{ReceivedAt: noon, Method: "POST", Headers: []string{"User-Agent", "Content-Type"}, Digest: digest[:], Size: 6}
	})
	log.Reject("store", "method", func() eventstore.Rejection {
		return eventstore.Rejection{ReceivedAt: noon, Method: "GET", Size: -1}
	})
	write(t, log)
	equal(t, "kept", rejections(t, log), []eventstore.Rejection{{
		ReceivedAt: noon, Cause: "signature", Method: "POST", Headers: []string{"Content-Type", "User-Agent"}, Digest: digest[:], Size: 6, Number: 1,
	}})
	store, err := log.Rejections(t.Context(), "store")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "kept of the other source", store, []eventstore.Rejection{
		{ReceivedAt: noon, Cause: "method", Method: "GET", Headers: []string{}, Size: -1, Number: 1},
	})
}

// Ten thousand at once are counted, and twenty described; ten thousand over time leave a hundred rows, the latest.
func TestRejectionsAreBounded(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	for range 10_000 {
		refuse(log, "signature", 0)
	}
	write(t, log)
	if got := len(rejections(t, log)); got != 20 {
		t.Errorf("%d described of those between two flushes, want 20", got)
	}
	for i := range 10_000 {
		refuse(log, "busy", i)
		if i%20 == 19 {
			write(t, log)
		}
	}
	equal(t, "kept", seconds(rejections(t, log)), downFrom(10_000, eventstore.KeptRejections))
	equal(t, "counted", statsOf(t, log, source).Rejected, map[string]int64{"signature": 10_000, "busy": 10_000})
	var rows int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM rejection`).Scan(&rows); err != nil {
		t.Fatal(err)
	}
	if rows != eventstore.KeptRejections {
		t.Errorf("%d rows, want %d", rows, eventstore.KeptRejections)
	}
}

// The largest rows that a stranger can have written are small and in line, and vacuum finds room for the next ones.
func TestRejectionsDontGrowTheDisk(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	exec(t, pool, `ALTER TABLE rejection SET (autovacuum_enabled = off)`)
	var names []string
	for i := range 500 {
		names = append(names, fmt.Sprintf("%03d-%s", i, randomText(100)[i%8:]))
	}
	for i := range 100 * 20 {
		log.Reject(source, strings.Repeat("c", 1000), func() eventstore.Rejection {
			return eventstore.Rejection{
				ReceivedAt: noon, Method: strings.Repeat("M", 1000), Headers: names, Digest: make([]byte, 32), Size: 1 << 20,
			}
		})
		if i%20 == 19 {
			write(t, log)
		}
		if i%500 == 499 {
			exec(t, pool, `VACUUM rejection`) // as autovacuum does, far more often
		}
	}
	var pages, toast, widest int64
	err := pool.QueryRow(t.Context(), `
		SELECT pg_relation_size(c.oid) / 8192, pg_relation_size(c.reltoastrelid), (SELECT max(pg_column_size(r.*)) FROM rejection AS r)
		  FROM pg_class AS c
		 WHERE c.oid = 'rejection'::regclass`).Scan(&pages, &toast, &widest)
	if err != nil {
		t.Fatal(err)
	}
	// 500 updates between two vacuums take 250 pages at most; 2000 of them would take 1000.
	if pages > 400 || toast != 0 || widest >= 2000 {
		t.Errorf("%d pages, %d bytes out of line, the widest row has %d bytes", pages, toast, widest)
	}
}

// Strangers choose names, method and how many.
func TestRejectionOfAnythingCanBeWritten(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	nasty := []string{
		"a\x00b", "latin-\xe5", "\xff", "two\nlines", "tab\t", "", "{\"}", "NULL", `back\slash`, strings.Repeat("ä", 100), strings.Repeat("\x00", 64),
		"same", "same",
	}
	for range 3 {
		log.Reject(source, "signature", func() eventstore.Rejection {
			return eventstore.Rejection{ReceivedAt: noon, Method: "G\x00T\xff", Headers: nasty, Size: -1}
		})
	}
	write(t, log)
	all := rejections(t, log)
	if len(all) != 3 {
		t.Fatalf("%d written, want 3", len(all))
	}
	r := all[0]
	equal(t, "method", r.Method, "G\ufffdT\ufffd")
	if !slices.IsSorted(r.Headers) || len(slices.Compact(slices.Clone(r.Headers))) != len(r.Headers) {
		t.Errorf("headers %q, want them sorted and each once", r.Headers)
	}
	for _, want := range []string{"a\ufffdb", "latin-\ufffd", "\ufffd", "two\ufffdlines", "tab\ufffd", "{\"}", "NULL", `back\slash`, strings.Repeat("ä", 32), "same"} {
		if !slices.Contains(r.Headers, want) {
			t.Errorf("headers %q, without %q", r.Headers, want)
		}
	}
	for _, name := range r.Headers {
		if len(name) > 64 || !utf8.ValidString(name) {
			t.Errorf("name %q of %d bytes", name, len(name))
		}
	}
}

// Two processes flush at once: no deadlock, no lost count, and still a hundred rows with numbers of their own.
func TestTwoProcessesWriteRejections(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	logs := []*eventstore.Log{eventstore.New(open(t, url, nil), eventstore.Config{}), eventstore.New(open(t, url, nil), eventstore.Config{})}
	var group sync.WaitGroup
	for n, log := range logs {
		group.Go(func() {
			for i := range 30 {
				for j := range 10 {
					refuse(log, fmt.Sprint("cause ", (i+n+j)%3), i)
				}
				write(t, log)
			}
		})
	}
	group.Wait()
	for _, log := range logs {
		write(t, log) // what a flush could not write
	}
	numbers := map[int64]bool{}
	for _, r := range rejections(t, logs[0]) {
		numbers[r.Number] = true
		if r.Number <= 500 || r.Number > 600 {
			t.Errorf("number %d, want one of the last hundred", r.Number)
		}
	}
	if len(numbers) != eventstore.KeptRejections {
		t.Errorf("%d numbers, want %d", len(numbers), eventstore.KeptRejections)
	}
	total := int64(0)
	for _, n := range statsOf(t, logs[0], source).Rejected {
		total += n
	}
	if total != 600 {
		t.Errorf("counted %d, want 600", total)
	}
}

// The database is away: the latest twenty are held on to, all are counted, and both are written when it is back.
func TestRejectionsOutliveTheDatabase(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	var away atomic.Bool
	pool := unsteady(t, url, &away)
	log := eventstore.New(pool, eventstore.Config{})
	away.Store(true)
	pool.Reset()
	for i := range 100 {
		refuse(log, "busy", i)
		if i%10 == 9 {
			write(t, log) // in vain
		}
	}
	away.Store(false)
	write(t, log)
	equal(t, "written when it is back", seconds(rejections(t, log)), downFrom(100, 20))
	equal(t, "counted", statsOf(t, log, source).Rejected, map[string]int64{"busy": 100})
	refuse(log, "busy", 100)
	write(t, log)
	equal(t, "written afterwards", seconds(rejections(t, log)), downFrom(101, 21))
}

// unsteady is a pool that can't connect while the database is away.
func unsteady(t *testing.T, url string, away *atomic.Bool) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if away.Load() {
			return nil, errors.New("connection refused")
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}
