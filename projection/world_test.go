package projection_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/eventstore/ticket"
	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
	"queuetrack/projection/board"
	"queuetrack/projection/estimate"
	"queuetrack/projection/history"
	"queuetrack/projection/wait"
)

// fake is a vendor whose payload is the observation itself, and who can be told to make trouble.
type fake struct{}

// said is fake's payload.
type said struct {
	ticket.Observation
	Names []source.Name `json:",omitempty"`
	Fail  string        `json:",omitempty"` // an error of this text
	Panic string        `json:",omitempty"`
	Mute  bool          `json:",omitempty"` // nothing is made of it
}

func (fake) Verify(http.Header, []byte) (string, error) { return "literal-1", nil }
func (fake) Sign([]byte) http.Header                    { return http.Header{} }
func (fake) Identify([]byte) source.Identity            { return source.Identity{} }

func (fake) Decode(body []byte) (source.Decoded, error) {
	var s said
	if err := json.Unmarshal(body, &s); err != nil {
		return source.Decoded{}, err
	}
	switch {
	case s.Panic != "":
		panic(s.Panic)
	case s.Fail != "":
		return source.Decoded{}, errors.New(s.Fail)
	case s.Mute:
		return source.Decoded{Names: s.Names}, nil
	}
	return source.Decoded{Ticket: &s.Observation, Names: s.Names}, nil
}

// noon is when the tests' days begin.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

// delivery is what the door would append for the payload, received at an instant.
func delivery(id string, at time.Time, s said) eventstore.Delivery {
	body, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	eventType := string(s.Says)
	if eventType == "" {
		eventType = "other"
	}
	return eventstore.Delivery{Ticket: id, Type: eventType, ReceivedAt: at, Body: body, VerifiedBy: "literal-1"}
}

func created(queue string, at time.Time) said {
	return said{Observation: ticket.Observation{
		Says: ticket.TransitionCreated, Status: ticket.StatusWaiting, At: at, CreatedAt: at, Queue: queue,
	}}
}

func called(at time.Time) said {
	return said{Observation: ticket.Observation{
		Says: ticket.TransitionCalled, Status: ticket.StatusCalled, At: at, CalledAt: at, Desk: "3", Agent: "A. Smith",
	}}
}

func served(at, calledAt time.Time) said {
	return said{Observation: ticket.Observation{
		Says: ticket.TransitionServed, Status: ticket.StatusServed, At: at, CalledAt: calledAt, By: ticket.ActorStaff,
	}}
}

// world is a database with a log, and what folds it.
type world struct {
	t       *testing.T
	pool    *pgxpool.Pool
	log     *eventstore.Log
	sources map[string]source.Source
	models  []projection.ReadModel
}

func newWorld(t *testing.T) *world {
	t.Helper()
	pool := dbtest.New(t)
	return &world{
		t: t, pool: pool, log: eventstore.New(pool, eventstore.Config{}),
		sources: map[string]source.Source{"city": fake{}},
		models:  []projection.ReadModel{board.Model{}, history.Model{}, wait.Model{}, estimate.Model{}},
	}
}

func (w *world) config() projection.Config {
	return projection.Config{Poll: 10 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)}
}

func (w *world) runner(cfg projection.Config) *projection.Runner {
	return projection.NewRunner(w.pool, w.log, w.sources, w.models, cfg)
}

func (w *world) append(name string, ds ...eventstore.Delivery) {
	w.t.Helper()
	receipts, err := w.log.AppendBatch(w.t.Context(), name, ds)
	if err != nil {
		w.t.Fatal(err)
	}
	for i, r := range receipts {
		if r.Result == eventstore.Duplicate {
			w.t.Fatalf("delivery %d of %d was taken for a duplicate", i, len(ds))
		}
	}
}

func (w *world) catchUp() {
	w.t.Helper()
	if err := w.runner(w.config()).CatchUp(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// violations is what Verify finds, in words.
func (w *world) violations() []string {
	w.t.Helper()
	var all []string
	_, err := projection.Verify(w.t.Context(), w.pool, w.sources, w.models, func(v eventstore.Violation) {
		all = append(all, fmt.Sprintf("%s %s: %s", v.Source, v.Ticket, v.What))
	}, projection.VerifyConfig{})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// check re-verifies every invariant.
func (w *world) check() {
	w.t.Helper()
	for _, v := range w.violations() {
		w.t.Errorf("violation: %s", v)
	}
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.pool.Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatal(err)
	}
}

// damage changes what the log's own guard would not let anybody change.
func (w *world) damage(sql string, args ...any) {
	w.t.Helper()
	err := pgx.BeginFunc(w.t.Context(), w.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(w.t.Context(), `SET LOCAL session_replication_role = replica`); err != nil {
			return err
		}
		_, err := tx.Exec(w.t.Context(), sql, args...)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// one reads a single value.
func one[T any](w *world, sql string, args ...any) T {
	w.t.Helper()
	var value T
	if err := w.pool.QueryRow(w.t.Context(), sql, args...).Scan(&value); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	return value
}

func (w *world) checkpoint(name string) int64 {
	w.t.Helper()
	return one[int64](w, `SELECT coalesce(max(position), 0) FROM shard WHERE source = $1`, name)
}

// setTables are those that there are of each set.
var setTables = []string{
	"folded", "board_ticket", "board_spell", "board_queue", "board_name", "history", "wait_segment", "wait_hold",
	"estimate_move", "estimate_line", "estimate_queue", "estimate_wait",
}

// tables are all that a fold writes into a set's tables and beside them: those of the first set.
var tables = append(tablesOf(0), "dead_letter")

func tablesOf(set projection.Set) []string {
	names := make([]string, len(setTables))
	for i, name := range setTables {
		names[i] = set.SQL(name + "_{set}")
	}
	return names
}

// dump is every row of every table, as text.
func (w *world) dump() map[string][]string {
	w.t.Helper()
	all := map[string][]string{}
	for _, table := range tables {
		rows, err := w.pool.Query(w.t.Context(), `SELECT r::text FROM `+table+` r ORDER BY r::text`)
		if err != nil {
			w.t.Fatal(err)
		}
		if all[table], err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			w.t.Fatal(err)
		}
	}
	return all
}

// until polls a condition until it holds or the time of a test is up.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// view calls f with a look at what has been folded.
func (w *world) view(f func(*projection.View)) {
	w.t.Helper()
	err := projection.NewReader(w.pool).View(w.t.Context(), func(v *projection.View) error {
		f(v)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}
