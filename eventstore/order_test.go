package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
	"queuetrack/migrations/dbtest"
)

// settings are the databases that the order must survive.
var settings = []struct {
	name      string
	isolation string // the database's default
	snapshot  bool   // an idle one is held open elsewhere
}{
	{name: "as is"},
	{name: "repeatable read by default", isolation: "repeatable read"},
	{name: "serializable by default", isolation: "serializable"},
	{name: "idle snapshot elsewhere", snapshot: true},
}

// prepare makes the database of a setting.
func prepare(t *testing.T, isolation string, snapshot bool) string {
	t.Helper()
	url := dbtest.NewURL(t)
	pool := open(t, url, nil)
	if isolation != "" {
		exec(t, pool, fmt.Sprintf(`ALTER DATABASE %s SET default_transaction_isolation = '%s'`,
			pgx.Identifier{pool.Config().ConnConfig.Database}.Sanitize(), isolation))
	}
	if snapshot {
		tx, err := pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), `SELECT count(*) FROM event`); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	}
	return url
}

// Late commit: a reader passed an event that committed later. Eight appenders whose connections are cut, and a ninth
// that always rolls back, while a reader follows: positions become visible in order, without holes, and none is missed.
func TestLateCommit(t *testing.T) {
	t.Parallel()
	for _, s := range settings {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			url := prepare(t, s.isolation, s.snapshot)
			reader := eventstore.New(open(t, url, nil), eventstore.Config{})
			appending, done := context.WithCancel(t.Context())
			var followers sync.WaitGroup
			var seen []eventstore.Event
			followers.Go(func() { seen = follow(t, appending, reader) })
			followers.Go(func() { rollBackAlways(t, appending, open(t, url, nil)) })
			appended := appendFromEight(t, url)
			done()
			followers.Wait()
			if len(seen) != len(appended) {
				t.Errorf("the reader saw %d events, %d were appended", len(seen), len(appended))
			}
			for _, e := range seen {
				if appended[string(e.Body)] != e.Position {
					t.Errorf("%s is at %d, its receipt said %d", e.Body, e.Position, appended[string(e.Body)])
				}
			}
		})
	}
}

// appendFromEight returns the position of each body.
func appendFromEight(t *testing.T, url string) map[string]int64 {
	var mu sync.Mutex
	positions := map[string]int64{}
	var appenders sync.WaitGroup
	for n := range 8 {
		spoil := newSaboteur(uint64(n))
		log := eventstore.New(open(t, url, spoil), eventstore.Config{})
		spoil.odds.Store(10) // a round trip reads and writes: about two in ten fail
		appenders.Go(func() {
			for i := range 25 {
				d := body(fmt.Sprint(n), fmt.Sprint(i))
				r, err := log.Append(t.Context(), source, d)
				for errors.Is(err, eventstore.ErrBusy) { // as a sender would
					r, err = log.Append(t.Context(), source, d)
				}
				if err != nil {
					t.Errorf("append: %v", err)
					return
				}
				mu.Lock()
				positions[string(d.Body)] = r.Position
				mu.Unlock()
			}
		})
	}
	appenders.Wait()
	return positions
}

// follow reads behind the appenders until they are done, then what is left, and fails at the first hole.
func follow(t *testing.T, appending context.Context, log *eventstore.Log) []eventstore.Event {
	var seen []eventstore.Event
	for {
		last := appending.Err() != nil
		events, err := log.Read(t.Context(), source, int64(len(seen)), 1000)
		if err != nil {
			t.Error(err)
			return seen
		}
		for _, e := range events {
			if e.Position != int64(len(seen))+1 {
				t.Errorf("position %d follows %d", e.Position, len(seen))
				return seen
			}
			seen = append(seen, e)
		}
		if last && len(events) == 0 {
			return seen
		}
	}
}

// rollBackAlways inserts at the tail as an append does, and takes it back.
func rollBackAlways(t *testing.T, appending context.Context, pool *pgxpool.Pool) {
	for appending.Err() == nil {
		err := pgx.BeginTxFunc(t.Context(), pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
			if err := insertRaw(t.Context(), tx, "rolled back"); err != nil {
				return err
			}
			return errCut
		})
		if !errors.Is(err, errCut) {
			t.Errorf("roll back: %v", err)
			return
		}
	}
}

// insertRaw is an append by hand, which stops before its commit.
func insertRaw(ctx context.Context, tx pgx.Tx, text string) error {
	if _, err := tx.Exec(ctx, `SELECT FROM log_head WHERE source = $1 FOR NO KEY UPDATE`, source); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO event (source, position, type, received_at, body, digest, delivery_id, verified_by)
		SELECT $1, coalesce(max(e.position), 0) + 1, 't', $2, $3::bytea, sha256($3::bytea), gen_random_uuid(), 'raw'
		  FROM event AS e
		 WHERE e.source = $1`, source, noon, []byte(text))
	return err
}
