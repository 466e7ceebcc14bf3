package history_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
	"queuetrack/eventstore/ticket"
	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
	"queuetrack/projection/history"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

// visit is three events of one ticket.
func visit(t *testing.T) []projection.Change {
	t.Helper()
	var changes []projection.Change
	var tk ticket.Ticket
	for i, o := range []ticket.Observation{
		{Says: ticket.TransitionCreated, Status: ticket.StatusWaiting, At: noon, CreatedAt: noon, Queue: "1", Label: "A1"},
		{Says: ticket.TransitionCalled, Status: ticket.StatusCalled, At: minute(5), CalledAt: minute(5), Desk: "3", Agent: "A. Smith"},
		{Says: ticket.TransitionNoShow, Status: ticket.StatusNoShow, At: minute(9), CalledAt: minute(5), By: ticket.ActorStaff, Reason: "never came"},
	} {
		o.Position, o.ReceivedAt = int64(10*i+1), minute(10*i).Add(1)
		after, transitions := ticket.Apply(tk, o)
		stored, err := projection.EncodeState(after.State)
		if err != nil {
			t.Fatal(err)
		}
		changes = append(changes, projection.Change{
			Event:  eventstore.Event{Source: "city", Position: o.Position, Ticket: "a", Type: "ticket_" + string(o.Says), OccurredAt: o.At, ReceivedAt: o.ReceivedAt},
			Ticket: "a", Before: tk.State, After: after.State, Stored: stored, Says: o, Transitions: transitions,
		})
		tk = after
	}
	changes[2].Event.RepeatOf = 2
	changes[2].Event.OccurredAt = time.Time{}
	return changes
}

func statusOf(t *testing.T, stored []byte) ticket.Status {
	t.Helper()
	s, err := projection.DecodeState(stored)
	if err != nil {
		t.Fatal(err)
	}
	return s.Status
}

func write(t *testing.T, pool *pgxpool.Pool, changes ...projection.Change) {
	t.Helper()
	writeOf(t, pool, "city", changes...)
}

func writeOf(t *testing.T, pool *pgxpool.Pool, source string, changes ...projection.Change) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return history.Model{}.Write(t.Context(), tx, 0, source, changes) })
	if err != nil {
		t.Fatal(err)
	}
}

func TestHistoryOfATicket(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	write(t, pool, visit(t)...)
	want := []history.Entry{
		{
			Position: 1, Type: "ticket_created", Transitions: []ticket.Transition{ticket.TransitionCreated}, OccurredAt: noon,
			ReceivedAt: noon, Detail: map[string]string{"status": "waiting", "queue": "1", "label": "A1"},
		},
		{
			Position: 11, Type: "ticket_called", Transitions: []ticket.Transition{ticket.TransitionCalled}, OccurredAt: minute(5),
			ReceivedAt: minute(10), Detail: map[string]string{"status": "called", "desk": "3", "agent": "A. Smith"},
		},
		{
			Position: 21, Type: "ticket_no_show", Transitions: []ticket.Transition{ticket.TransitionNoShow}, ReceivedAt: minute(20),
			RepeatOf: 2, Detail: map[string]string{"status": "no_show", "by": "staff", "reason": "never came"},
		},
	}
	err := projection.NewReader(pool).View(t.Context(), func(v *projection.View) error {
		for _, test := range []struct {
			after int64
			limit int
			want  []history.Entry
		}{{0, 10, want}, {0, 2, want[:2]}, {1, 10, want[1:]}, {21, 10, []history.Entry{}}} {
			got, err := history.Of(t.Context(), v, "city", "a", test.after, test.limit)
			if err != nil {
				return err
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("after %d, at most %d (-want +got):\n%s", test.after, test.limit, diff)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// At each position one row of the ticket holds, wherever pages ended.
func TestOneRowHoldsAtEachPosition(t *testing.T) {
	t.Parallel()
	changes := visit(t)
	for _, pages := range [][][]projection.Change{
		{changes},
		{changes[:1], changes[1:]},
		{changes[:2], changes[2:]},
		{changes[:1], changes[1:2], changes[2:]},
	} {
		pool := dbtest.New(t)
		for _, page := range pages {
			write(t, pool, page...)
		}
		for position, want := range map[int]ticket.Status{1: "waiting", 10: "waiting", 11: "called", 20: "called", 21: "no_show", 99: "no_show"} {
			rows, err := pool.Query(t.Context(), `
				SELECT state
				FROM history_0
				WHERE source = 'city' AND ticket = 'a' AND position <= $1 AND (next_position > $1 OR next_position IS NULL)`, position)
			if err != nil {
				t.Fatal(err)
			}
			got, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
			if err != nil || len(got) != 1 || statusOf(t, got[0]) != want {
				t.Errorf("in %d pages, at %d: %x, %v; want %s", len(pages), position, got, err, want)
			}
		}
	}
}

// The state at a position is the last one that is not NULL up to there.
func TestStateThatIsAsBeforeIsNotStoredAgain(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	changes := visit(t)
	changes[1].After, changes[1].Stored = changes[1].Before, nil
	write(t, pool, changes...)
	for position, want := range map[int]ticket.Status{1: "waiting", 11: "waiting", 20: "waiting", 21: "no_show"} {
		var got []byte
		err := pool.QueryRow(t.Context(), `
			SELECT state
			FROM history_0
			WHERE source = 'city' AND ticket = 'a' AND position <= $1 AND state IS NOT NULL
			ORDER BY position DESC
			LIMIT 1`, position).Scan(&got)
		if err != nil || statusOf(t, got) != want {
			t.Errorf("at %d: %x, %v; want %s", position, got, err, want)
		}
	}
}
