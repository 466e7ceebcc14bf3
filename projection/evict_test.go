package projection_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5"

	"queuetrack/projection"
)

// stuck is a session that an earlier epoch's owner left in the middle of a COPY: it has a row of the ticket, and its lock.
// To the server it is at work, so that no timeout ends it.
func (w *world) stuck(session, table, ticket string) {
	w.t.Helper()
	conn, err := pgx.ConnectConfig(w.t.Context(), w.pool.Config().ConnConfig)
	if err == nil {
		_, err = conn.Exec(w.t.Context(), fmt.Sprintf(`
			BEGIN;
			SET LOCAL idle_in_transaction_session_timeout = 1000;
			SET LOCAL application_name = '%s'`, session))
	}
	if err != nil {
		w.t.Fatal(err)
	}
	rows, frozen := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, err := conn.PgConn().CopyFrom(w.t.Context(), rows, `
			COPY `+table+` (source, ticket, status, facts, last_position, expires_from) FROM STDIN`)
		_ = rows.CloseWithError(err)
	}()
	w.t.Cleanup(func() {
		_ = frozen.CloseWithError(io.ErrUnexpectedEOF)
		<-ended
		_ = conn.Close(w.t.Context())
	})
	// More than COPY gathers before it writes rows.
	for i := range 2000 {
		id := ticket
		if i > 0 {
			id = fmt.Sprintf("%s of others %d", ticket, i)
		}
		if _, err := fmt.Fprintf(frozen, "city\t%s\twaiting\t\t1\t2026-11-20\n", id); err != nil {
			w.t.Fatal(err)
		}
	}
	until(w.t, "the row is locked", func() bool {
		return one[bool](w, `
			SELECT EXISTS (
				SELECT
				FROM pg_stat_activity a
				JOIN pg_locks l ON l.pid = a.pid
				WHERE a.datname = current_database() AND a.application_name = $1 AND a.wait_event = 'ClientRead'
					AND l.locktype = 'transactionid' AND l.granted)`, session)
	})
}

func TestRebuildIsNotHeldUpByOneThatFrozeInACopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	w.catchUp()
	g, done, cancel := holding(w, projection.DefaultLease)
	<-g.entered
	cancel()
	if err := <-done; err == nil {
		t.Error("it was not interrupted")
	}
	w.stuck("queuetrack *:1/1", "folded_1", "a")
	w.stuck("queuetrack city:1/1", "folded_1", "b")
	w.rebuild()
	w.check()
}

func TestProjectorIsNotHeldUpByOneThatFrozeInACopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	w.exec(`INSERT INTO shard (source, generation, owner, epoch, lease_until) VALUES ('city', 0, 'frozen', 7, '-infinity')`)
	w.stuck("queuetrack city:0/7", "folded_0", "a")
	w.catchUp()
	w.check()
}

// A session of the present epoch, of another shard, or of somebody else is left alone.
func TestOnlySessionsOfEarlierEpochsAreEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	w.exec(`INSERT INTO shard (source, generation, owner, epoch, lease_until) VALUES ('city', 0, 'frozen', 7, '-infinity')`)
	others := []string{"queuetrack city:0/8", "queuetrack city:1/7", "queuetrack city:01/7", "queuetrack city-2:0/7", "queuetrack", "psql"}
	for i, session := range others {
		w.stuck(session, "folded_0", fmt.Sprint("another ticket ", i))
	}
	w.catchUp()
	until(t, "all sessions are left, in the middle of their COPY", func() bool {
		return one[int](w, `
			SELECT count(*)
			FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = ANY ($1) AND wait_event = 'ClientRead' AND state = 'active'`,
			others) == len(others)
	})
}
