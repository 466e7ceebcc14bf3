package projection_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"queuetrack/projection"
)

// fingerprint is of a version whose city reads its deliveries by these settings.
func fingerprint(code, city string) projection.Fingerprint {
	return projection.Fingerprint{Code: code, Settings: map[string]string{"city": city}}
}

// foldAs folds what is new as a process with this fingerprint.
func (w *world) foldAs(f projection.Fingerprint) {
	w.t.Helper()
	cfg := w.config()
	cfg.Fingerprint = f
	if err := w.runner(cfg).CatchUp(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) readerOf(f projection.Fingerprint) *projection.Reader {
	reader := projection.NewReader(w.pool)
	reader.Fingerprint = f
	return reader
}

func (w *world) driftOf(f projection.Fingerprint) projection.Drift {
	w.t.Helper()
	d, err := w.readerOf(f).Drift(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// serveNext has the next generation serve, empty and begun by a version, as a rebuild's switch would.
func (w *world) serveNext(code string) {
	w.t.Helper()
	w.exec(`UPDATE generation SET state = 'dropped' WHERE state = 'previous'`)
	w.exec(`UPDATE generation SET state = 'previous' WHERE state = 'serving'`)
	w.exec(`
		INSERT INTO generation (generation, state, fingerprint, created_at, switched_at)
		SELECT max(generation) + 1, 'serving', $1, now(), now()
		FROM generation`, code)
	w.exec(`DELETE FROM shard s USING generation g WHERE g.generation = s.generation AND g.state = 'dropped'`)
	for _, table := range slices.Concat(tables, tablesOf(1)) {
		w.exec(`DELETE FROM ` + table)
	}
}

func TestDrift(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := w.driftOf(fingerprint("v1", "utc")); got.Any() || got.Served {
		t.Errorf("before anything was folded: %+v, want no drift", got)
	}
	w.append("city", delivery("a", noon, created("1", noon)))
	w.foldAs(fingerprint("v1", "utc"))
	w.append("city", delivery("b", noon, created("1", noon)))
	w.foldAs(fingerprint("v1", "utc"))
	more := fingerprint("v1", "utc")
	more.Settings["store"] = "utc"
	for _, c := range []struct {
		name string
		now  projection.Fingerprint
		want projection.Drift
	}{
		{"the same", fingerprint("v1", "utc"), projection.Drift{Served: true}},
		{"a new source", more, projection.Drift{Served: true}},
		{"a source is gone", projection.Fingerprint{Code: "v1"}, projection.Drift{Served: true}},
		{"another version", fingerprint("v2", "utc"), projection.Drift{Code: true}},
		{"other settings", fingerprint("v1", "cet"), projection.Drift{Settings: []string{"city"}}},
		{"both", fingerprint("v2", "cet"), projection.Drift{Code: true, Settings: []string{"city"}}},
		{"nothing to hold it against", projection.Fingerprint{}, projection.Drift{}},
	} {
		if diff := cmp.Diff(c.want, w.driftOf(c.now)); diff != "" {
			t.Errorf("%s: drift (-want +got):\n%s", c.name, diff)
		}
	}
	if n := one[int](w, `SELECT count(*) FROM folded_with`); n != 1 {
		t.Errorf("%d rows are recorded, want 1", n)
	}
}

// Each shard says what it was folded with, so far as it differs.
func TestProgressNamesDrift(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	w.foldAs(fingerprint("v1", "utc"))
	w.append("city", delivery("b", noon, created("1", noon)))
	w.foldAs(fingerprint("v1", "cet"))
	progress, err := w.readerOf(fingerprint("v2", "utc")).Progress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{projection.DriftCode, projection.DriftSettings}
	if diff := cmp.Diff(want, progress[0].Drift); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
	if d := w.driftOf(fingerprint("v1", "cet")); len(d.Settings) != 1 || d.Served {
		t.Errorf("a part folded before the change: drift %+v, want a rebuild that is due", d)
	}
}

// A page that is rolled back leaves no word of who folded it.
func TestFingerprintIsRecordedWithTheRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	w.exec(`ALTER TABLE history_0 RENAME TO away`)
	cfg := w.config()
	cfg.Fingerprint = fingerprint("v1", "utc")
	if err := w.runner(cfg).CatchUp(t.Context()); err == nil {
		t.Fatal("folded without a table")
	}
	w.exec(`ALTER TABLE away RENAME TO history_0`)
	if n := one[int](w, `SELECT count(*) FROM folded_with`); n != 0 {
		t.Errorf("%d rows are recorded, want none", n)
	}
}

// Two versions that rebuild by themselves, in a deployment that rolls, come to an end; so do their settings. Whatever
// order they ask in, each gets one generation.
func TestRebuildsByThemselvesEnd(t *testing.T) {
	t.Parallel()
	versions := []projection.Fingerprint{fingerprint("v1", "utc"), fingerprint("v2", "utc"), fingerprint("v2", "cet")}
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	w.foldAs(versions[0])
	var rebuilt []int
	for round := range 9 {
		i := (round + 1) % len(versions)
		if d := w.driftOf(versions[i]); d.Any() && !d.Served {
			rebuilt = append(rebuilt, i)
			w.serveNext(versions[i].Code)
			w.foldAs(versions[i])
		}
		w.append("city", delivery("a", minute(round+1), created("1", minute(round+1))))
		w.foldAs(versions[(round+2)%len(versions)]) // and whoever is there folds what comes
	}
	if diff := cmp.Diff([]int{1, 2}, rebuilt); diff != "" {
		t.Errorf("rebuilt by themselves (-want +got):\n%s", diff)
	}
	if d := w.driftOf(versions[0]); !d.Any() || !d.Served {
		t.Errorf("the first version sees %+v, want a drift that it only reports", d)
	}
}
