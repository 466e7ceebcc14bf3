package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// heldBack is somebody who keeps Postgres from clearing old row versions away.
type heldBack struct {
	what string // a session, a prepared transaction, a replication slot
	name string
	idle bool
	age  time.Duration // a slot has none
}

// HeldBack looks for what holds vacuum back: the read models' tables then grow, and get slow.
func (s Server) HeldBack(ctx context.Context) ([]Finding, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT 'session', a.pid || ' (' || coalesce(nullif(a.application_name, ''), 'without a name') || ')',
		       coalesce(a.state, '') LIKE 'idle in transaction%',
		       extract(epoch FROM clock_timestamp() - a.xact_start)::double precision
		  FROM pg_stat_activity AS a
		 WHERE a.datname = current_database() AND a.xact_start IS NOT NULL AND a.pid <> pg_backend_pid()
		   AND a.backend_type = 'client backend'
		UNION ALL
		SELECT 'prepared transaction', p.gid, true, extract(epoch FROM clock_timestamp() - p.prepared)::double precision
		  FROM pg_prepared_xacts AS p
		 WHERE p.database = current_database()
		UNION ALL
		SELECT 'replication slot', r.slot_name::text, true, 0
		  FROM pg_replication_slots AS r
		 WHERE NOT r.active
		 ORDER BY 1, 4 DESC`)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (h heldBack, err error) {
		var seconds float64
		err = row.Scan(&h.what, &h.name, &h.idle, &seconds)
		h.age = time.Duration(seconds * float64(time.Second))
		return h, err
	})
	if err != nil {
		return nil, err
	}
	return s.Limits.judge(all), nil
}

func (l Limits) judge(all []heldBack) []Finding {
	if l.Idle == 0 {
		l.Idle = time.Minute
	}
	if l.Busy == 0 {
		l.Busy = 30 * time.Minute
	}
	var found []Finding
	for _, h := range all {
		switch {
		case h.what == "replication slot":
			found = append(found, Finding{"vacuum", Warning, fmt.Sprintf("replication slot %s is unused: Postgres keeps all WAL for it, until the disk is full", h.name), "start its reader, or drop it: SELECT pg_drop_replication_slot(…)"})
		case h.what == "prepared transaction" && h.age > l.Idle:
			found = append(found, Finding{"vacuum", Warning, fmt.Sprintf("prepared transaction %s is %s old", h.name, long(h.age)), "COMMIT PREPARED or ROLLBACK PREPARED it"})
		case h.what == "session" && h.idle && h.age > l.Idle:
			found = append(found, Finding{"vacuum", Warning, fmt.Sprintf("session %s has been idle in a transaction for %s", h.name, long(h.age)), "end it: SELECT pg_terminate_backend(PID), and set idle_in_transaction_session_timeout"})
		case h.what == "session" && h.age > l.Busy:
			found = append(found, Finding{"vacuum", Warning, fmt.Sprintf("session %s has been in a transaction for %s", h.name, long(h.age)), "if it is not a backup that you wait for, end it: SELECT pg_terminate_backend(PID)"})
		}
	}
	if len(found) == 0 {
		return []Finding{{"vacuum", OK, "no old transaction holds it back", ""}}
	}
	return found
}
