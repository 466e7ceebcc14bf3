package projection_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"queuetrack/projection"
)

func (w *world) rebuilder() *projection.Rebuilder {
	return projection.NewRebuilder(w.pool, w.log, w.sources, w.models, w.config())
}

func (w *world) rebuild() projection.Rebuilt {
	w.t.Helper()
	rebuilt, err := w.rebuilder().Rebuild(w.t.Context(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return rebuilt
}

// rows are the rows of a set, by table, whatever the generation.
func (w *world) rows(set projection.Set) map[string][]string {
	w.t.Helper()
	all := map[string][]string{}
	for _, table := range []string{"folded", "board_ticket", "board_spell", "board_queue", "board_name", "history", "wait_segment"} {
		all[table] = w.list(set.SQL(`SELECT r::text FROM ` + table + `_{set} r ORDER BY r::text`))
	}
	all["dead_letter"] = w.list(`
		SELECT format('%s %s %s %s %s', source, position, ticket, behind, replace(replace(cause, '_1_', '_'), '_0_', '_'))
		FROM dead_letter
		WHERE generation % 2 = $1
		ORDER BY source, position`, int(set))
	return all
}

func TestRebuildGivesTheVeryRowsThatFollowingGave(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		w := newWorld(t)
		w.sources["store"] = fake{}
		w.sources["empty"] = fake{}
		w.append("city", bustle(seed, 700)...)
		w.append("store", bustle(seed+100, 300)...)
		w.catchUp()
		before := w.rows(0)
		rebuilt := w.rebuild()
		if rebuilt.Generation != 1 || rebuilt.Before != 0 || rebuilt.Events != 1000 || rebuilt.Differences.Tickets != 0 {
			t.Errorf("seed %d: %+v", seed, rebuilt)
		}
		if diff := cmp.Diff(before, w.rows(1)); diff != "" {
			t.Fatalf("seed %d (-followed +rebuilt):\n%s", seed, diff)
		}
		w.check()

		// What comes after is folded on top of it, and a second rebuild fills the first one's tables.
		w.append("city", bustle(seed+200, 200)...)
		w.catchUp()
		before = w.rows(1)
		if rebuilt := w.rebuild(); rebuilt.Generation != 2 || rebuilt.Events != 1200 {
			t.Errorf("seed %d: %+v", seed, rebuilt)
		}
		if diff := cmp.Diff(before, w.rows(0)); diff != "" {
			t.Fatalf("seed %d, second rebuild (-followed +rebuilt):\n%s", seed, diff)
		}
		w.check()
	}
}

// list reads a column of texts.
func (w *world) list(sql string, args ...any) []string {
	w.t.Helper()
	return strings.Split(one[string](w, `SELECT coalesce(string_agg(t, E'\n'), '') FROM (`+sql+`) AS l (t)`, args...), "\n")
}

// marten#2519
func TestRebuildingAnEmptyLogIsDoneAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if rebuilt := w.rebuild(); rebuilt.Generation != 1 || rebuilt.Events != 0 {
		t.Errorf("%+v", rebuilt)
	}
	w.append("city", delivery("a", noon, created("1", noon)))
	w.catchUp()
	w.check()
	if got := one[int64](w, `SELECT count(*) FROM board_ticket_1`); got != 1 {
		t.Errorf("%d tickets in the new generation", got)
	}
}

func TestRebuildWouldLoseASource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	w.append("gone", delivery("a", noon, created("1", noon)))
	w.catchUp()
	_, err := w.rebuilder().Rebuild(t.Context(), nil)
	if !errors.Is(err, projection.ErrUnconfigured) || !strings.Contains(fmt.Sprint(err), "gone") {
		t.Errorf("%v", err)
	}
	if got := one[int64](w, `SELECT count(*) FROM generation`); got != 1 {
		t.Errorf("%d generations", got)
	}
}
