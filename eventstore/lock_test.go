package eventstore_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
)

// Two statements, two snapshots: the tail is read after the lock was granted, whatever the database's default is.
func TestTwoStatementsTwoSnapshots(t *testing.T) {
	t.Parallel()
	for _, s := range settings {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			pool := open(t, prepare(t, s.isolation, s.snapshot), nil)
			log := eventstore.New(pool, eventstore.Config{})
			mustAppend(t, log, body("1", "first"))
			tx, err := pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
			if err != nil {
				t.Fatal(err)
			}
			if err := insertRaw(t.Context(), tx, "second"); err != nil {
				t.Fatal(err)
			}
			receipts := make(chan []eventstore.Receipt, 1)
			go func() {
				r, err := log.AppendBatch(t.Context(), source, []eventstore.Delivery{body("1", "third")})
				if err != nil {
					t.Error(err)
				}
				receipts <- r
			}()
			eventually(t, "the append waits for the lock", func() bool { return lockWaiters(t, pool) > 0 })
			equal(t, "visible before the commit", bodies(t, log), []string{"1:first"})
			if err := tx.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
			equal(t, "receipt", <-receipts, accepted(3, 1))
			equal(t, "bodies", bodies(t, log), []string{"1:first", "second", "1:third"})
			checkEverything(t, pool)
		})
	}
}

func lockWaiters(t *testing.T, pool *pgxpool.Pool) (n int) {
	t.Helper()
	err := pool.QueryRow(t.Context(), `
		SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAppendOnly(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	mustAppend(t, log, body("1", "A"))
	for _, sql := range []string{`UPDATE event SET type = 'x'`, `DELETE FROM event`, `TRUNCATE event`} {
		if _, err := pool.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s passed", sql)
		}
	}
	equal(t, "bodies", bodies(t, log), []string{"1:A"})
}
