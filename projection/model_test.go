package projection_test

import (
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
	"queuetrack/projection/board"
	"queuetrack/projection/estimate"
	"queuetrack/projection/history"
	"queuetrack/projection/wait"
)

// The model check: several processes work on one database, and each of them stands still between any two statements
// until it is let go on, is cut off, or dies. Meanwhile the others append, fold, rebuild, go back, retry and dismiss;
// leases run out; readers read. After every step a reader sees what a model says of just these positions: a list of
// deliveries, folded one by one.
//
// It runs 50 times by itself. The long form, and the one that spoils the product to see that all of this can fail:
//
//	go test ./projection -run 'TestModel$' -rapid.checks=1000 -timeout 30m
//	go test ./projection -run TestModelFindsSabotage -projection.sabotage -timeout 30m
const modelRuns = 50

func TestModel(t *testing.T) {
	t.Parallel()
	checkModel(t, t, dbtest.NewURL(t), sabotage{})
}

// sabotage is a way to spoil the product: what the model check must find.
type sabotage struct {
	rewrite map[string]string // in statements
	models  func(*pgxpool.Pool, []projection.ReadModel) []projection.ReadModel
}

func checkModel(t *testing.T, tb rapid.TB, url string, s sabotage) {
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	readers := newLeash(s.rewrite)
	readers.open = true
	reading, err := readers.pool(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	clean := clearing(t, pool)
	runs, sound := 0, true
	rapid.Check(tb, func(rt *rapid.T) {
		if runs++; sound && runs > modelRuns && !asked("rapid.checks") {
			return
		}
		sound = false // until the end: a failure is repeated
		if _, err := pool.Exec(t.Context(), clean); err != nil {
			rt.Fatal(err)
		}
		m := &machine{
			t: t, url: url, pool: pool, reading: reading, sabotage: s, logger: slog.New(slog.DiscardHandler),
			log: eventstore.New(pool, eventstore.Config{}), adapter: &mendable{},
			models:  []projection.ReadModel{board.Model{}, history.Model{}, wait.Model{}, estimate.Model{}},
			ledgers: ledgers{logs: map[string]*ledger{}, spared: map[string]map[int64][]int{}},
			sending: map[string]*sending{}, lowest: map[string]int64{}, answers: map[string]string{},
			clock: noon, pageSize: rapid.SampledFrom([]int{1, 3, 7}).Draw(rt, "page size"),
		}
		m.run(rt)
		sound = true
	})
}

// asked reports whether a flag was given.
func asked(name string) (given bool) {
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}

// machine is the world of one run: the database, those who work on it, and what it should be.
type machine struct {
	t        *testing.T
	url      string
	pool     *pgxpool.Pool // the test's own
	reading  *pgxpool.Pool // the readers'
	log      *eventstore.Log
	logger   *slog.Logger
	sabotage sabotage
	models   []projection.ReadModel
	adapter  *mendable
	sources  map[string]source.Source
	pageSize int

	processes []*process
	joined    int
	hurry     bool    // whoever begins something or goes on does so to its end
	long      *reader // who is in the middle of reading; nil: nobody

	ledgers
	sending map[string]*sending // by source: a batch on its way
	clock   time.Time

	lowest  map[string]int64  // by source: what readers have seen
	answers map[string]string // by checkpoints: what readers saw then
}

// clearing are the statements that make the database as if it had just been migrated.
func clearing(t *testing.T, pool *pgxpool.Pool) string {
	t.Helper()
	rows, err := pool.Query(t.Context(), `
		SELECT 'DELETE FROM ' || quote_ident(tablename)
		FROM pg_tables
		WHERE schemaname = 'public' AND tablename NOT LIKE '%goose%'`)
	if err != nil {
		t.Fatal(err)
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return `SET session_replication_role = replica; ` + strings.Join(statements, "; ") + `;
		INSERT INTO generation (generation, state, fingerprint, created_at, switched_at)
		VALUES (0, 'serving', '', '-infinity', '-infinity');
		SET session_replication_role = DEFAULT`
}

func (m *machine) run(rt *rapid.T) {
	defer m.close()
	m.sources = map[string]source.Source{}
	for _, name := range []string{"city", "store"}[:rapid.IntRange(1, 2).Draw(rt, "sources")] {
		m.sources[name], m.logs[name] = m.adapter, &ledger{}
	}
	m.processes = make([]*process, 3)
	for slot := range m.processes {
		m.join(rt, slot)
	}
	m.past(rt)
	rt.Repeat(map[string]func(*rapid.T){
		"":           m.check,
		"append":     m.append,
		"append 2":   m.append,
		"page":       m.page,
		"page 2":     m.page,
		"go on":      m.goOn,
		"go on 2":    m.goOn,
		"cut":        m.cut,
		"die":        m.die,
		"leases":     m.leases,
		"rebuild":    m.rebuild,
		"rollback":   m.rollback,
		"discard":    m.discard,
		"retry":      m.retry,
		"dismiss":    m.dismiss,
		"mend":       m.repair,
		"overtake":   m.overtake,
		"overtake 2": m.overtake,
		"long look":  m.longLook,
		"verify":     m.verify,
	})
	m.finish(rt)
}

// past is how the world came to be as it is when the run begins: there are events, some of them folded, and there may have
// been a rebuild before.
func (m *machine) past(rt *rapid.T) {
	for _, do := range rapid.SampledFrom([][]func(*rapid.T){
		{m.append, m.page},
		{m.append, m.append, m.page, m.append},
		{m.append, m.page, m.rebuild, m.append},
	}).Draw(rt, "past") {
		do(rt)
	}
}

// close ends what a run has left, however it ended.
func (m *machine) close() {
	if m.long != nil {
		_, _ = m.long.finish()
	}
	for _, p := range m.processes {
		if p == nil {
			continue
		}
		p.leash.kill()
		if p.doing != nil {
			p.doing.cancel()
			<-p.doing.done
		}
		p.close()
	}
}

// check is what holds after every step.
func (m *machine) check(rt *rapid.T) {
	m.readLogs(rt)
	seen := m.look(rt)
	m.saw(rt, seen)
	for source, position := range seen.Positions {
		if position < m.lowest[source] {
			rt.Fatalf("readers of %s go back from %d to %d", source, m.lowest[source], position)
		}
	}
	m.lowest = seen.Positions
	m.generations(rt)
}

func (m *machine) look(rt *rapid.T) *sight {
	seen, err := look(m.t.Context(), m.reading, nil)
	if err != nil {
		rt.Fatalf("a reader sees an error: %v", err)
	}
	return seen
}

// saw judges what a reader saw. With the same checkpoints it is the same.
func (m *machine) saw(rt *rapid.T, seen *sight) {
	if wrong := m.judge(seen); len(wrong) > 0 {
		rt.Fatalf("a reader sees what can't be:\n%s", strings.Join(wrong, "\n"))
	}
	key := fmt.Sprint(seen.Generation, seen.Positions, seen.Epochs)
	answer := strings.Join(seen.lines, "\n")
	if before, ok := m.answers[key]; ok && before != answer {
		rt.Fatalf("other rows with the same checkpoints %s (-before +now):\n%s", key, cmp.Diff(before, answer))
	}
	m.answers[key] = answer
}

// generations checks that one serves, none have the same tables, and no shard is halted.
func (m *machine) generations(rt *rapid.T) {
	rows, err := m.pool.Query(m.t.Context(), `
		SELECT 'there are two in set ' || generation % 2
		FROM generation
		WHERE state <> 'dropped'
		GROUP BY generation % 2
		HAVING count(*) > 1
		UNION ALL
		SELECT count(*) || ' serve'
		FROM generation
		WHERE state = 'serving'
		HAVING count(*) <> 1
		UNION ALL
		SELECT 'halted: ' || halted
		FROM shard
		WHERE halted IS NOT NULL`)
	for _, wrong := range collect[string](rt, rows, err) {
		rt.Errorf("generations: %s", wrong)
	}
}

func (m *machine) exec(rt *rapid.T, sql string, args ...any) {
	if _, err := m.pool.Exec(m.t.Context(), sql, args...); err != nil {
		rt.Fatalf("%s: %v", sql, err)
	}
}

func (m *machine) one(rt *rapid.T, sql string) (n int) {
	if err := m.pool.QueryRow(m.t.Context(), sql).Scan(&n); err != nil {
		rt.Fatalf("%s: %v", sql, err)
	}
	return n
}

func collect[T any](rt *rapid.T, rows pgx.Rows, err error) []T {
	if err != nil {
		rt.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		rt.Fatal(err)
	}
	return all
}

// finish lets a healthy process bring everything to an end: whatever went before, each event has its effect once.
func (m *machine) finish(rt *rapid.T) {
	if m.long != nil {
		m.finishLong(rt)
	}
	for slot := range m.processes {
		m.kill(rt, slot, unsent)
	}
	m.check(rt)
	m.leasesRunOut(rt)
	m.mend(rt)
	p := m.processes[0]
	p.leash.open = true
	m.heal(rt, p)
	if m.one(rt, `SELECT count(*) FROM generation WHERE state = 'building'`) > 0 { // what was dead when it was begun is dead in it
		m.rebuildNow(rt, p)
		m.heal(rt, p)
	}
	followed := m.look(rt)
	w := &world{t: m.t, pool: m.pool, sources: m.sources, models: m.models}
	before := w.rows(projection.SetOf(followed.Generation))
	m.rebuildNow(rt, p)
	spared := m.sparedIn(followed)
	if diff := cmp.Diff(before, w.rows(projection.SetOf(m.look(rt).Generation))); diff != "" && !spared {
		rt.Errorf("rows (-followed +rebuilt):\n%s", diff)
	}
	for _, v := range w.violations() {
		if !spared || !strings.Contains(v, "(previous)") {
			rt.Errorf("violation: %s", v)
		}
	}
}

func (m *machine) rebuildNow(rt *rapid.T, p *process) {
	m.timeGoesBy(rt)
	if _, err := p.rebuilder.Rebuild(m.t.Context(), nil); err != nil {
		rt.Fatalf("rebuild at the end: %v", err)
	}
	m.check(rt)
}

// heal folds everything, retries what is dead, and says so when something is left.
func (m *machine) heal(rt *rapid.T, p *process) {
	if err := p.runner.CatchUp(m.t.Context()); err != nil {
		rt.Fatalf("catch up: %v", err)
	}
	reader := projection.NewReader(m.reading)
	letters, err := reader.DeadLetters(m.t.Context(), "", "", 0, 1000)
	if err != nil {
		rt.Fatal(err)
	}
	for _, l := range letters {
		if done, err := p.runner.Retry(m.t.Context(), l.Source, l.Position); err != nil || done.Stands != 0 {
			rt.Fatalf("retry of %+v: %+v, %v", l, done, err)
		}
	}
	if letters, err = reader.DeadLetters(m.t.Context(), "", "", 0, 1000); err != nil || len(letters) > 0 {
		rt.Fatalf("dead letters after all were retried: %+v, %v", letters, err)
	}
	c, err := reader.Checkpoints(m.t.Context())
	if err != nil {
		rt.Fatal(err)
	}
	for name, log := range m.logs {
		if got := c.Positions[name]; got != int64(len(*log)) {
			rt.Fatalf("%s is folded through %d; want %d", name, got, len(*log))
		}
	}
}

// sparedIn reports whether a generation has folded what was dismissed later.
func (m *machine) sparedIn(seen *sight) bool {
	for _, source := range slices.Sorted(maps.Keys(m.spared)) {
		for p := range m.spared[source] {
			if m.folds(source, p, seen) {
				return true
			}
		}
	}
	return false
}
