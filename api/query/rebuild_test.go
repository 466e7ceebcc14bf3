package query

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/projection"
)

var rebuildKeys = strings.Fields("state action generation phase events total events_per_second left_seconds owner started_at ended_at differing_tickets differing error")

func TestRebuildAndWatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	before := w.get(rebuildPath)
	hasExactly(t, "before the first", before, rebuildKeys)
	holds(t, "before the first", before, map[string]any{"state": "none", "action": nil, "generation": nil, "events": nil, "started_at": nil})

	if a := w.post(rebuildPath, ""); a.status != 202 || !strings.Contains(a.body, `"action":"rebuild"`) {
		t.Fatalf("rebuild: %d %s", a.status, a.body)
	}
	done := w.get(rebuildPath)
	hasExactly(t, "done", done, rebuildKeys)
	holds(t, "done", done, map[string]any{
		"state": "done", "action": "rebuild", "generation": 1.0, "phase": nil, "events": nil, "total": nil, "events_per_second": nil, "left_seconds": nil,
		"owner": nil, "differing_tickets": 0.0, "error": nil,
	})
	if done["started_at"] == nil || done["ended_at"] == nil {
		t.Errorf("done: %v", done)
	}
	holds(t, "what serves", w.get("/v1/projections"), map[string]any{"generation": 1.0})
	for _, c := range []struct {
		body       string
		generation float64
	}{{`{"action":"rollback"}`, 0}, {`{"action":"rollback"}`, 1}, {`{"action":"rebuild"}`, 2}} {
		if a := w.post(rebuildPath, c.body); a.status != 202 {
			t.Fatalf("%s: %d %s", c.body, a.status, a.body)
		}
		holds(t, c.body, w.get("/v1/projections"), map[string]any{"generation": c.generation})
	}
	a := w.ask(http.MethodGet, rebuildPath)
	if again := w.ask(http.MethodGet, rebuildPath, "If-None-Match", a.header.Get("ETag")); again.status != http.StatusNotModified {
		t.Errorf("asked again with its tag: %d", again.status)
	}
}

// begun has another process be at a rebuild, with 5 of city's 9 events filled, for as long as its lease says.
func (w *world) begun(lease string) {
	w.t.Helper()
	for _, sql := range []string{
		`INSERT INTO generation (generation, state, fingerprint, created_at, task, phase, began_at, lease_until, owner, rate)
		VALUES (1, 'building', 'a version', now(), 'rebuild', 'filling', now(), now() + '` + lease + `', 'elsewhere:7:c0ffee', 2)`,
		`INSERT INTO shard (source, generation, fill_to) VALUES ('city', 1, 9)`,
		`INSERT INTO filled (source, generation, after, through, events) VALUES ('city', 1, '', '3', 5)`,
	} {
		if _, err := w.pool.Exec(w.t.Context(), sql); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestRebuildOfAnotherProcessIsWatched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	w.begun("1 hour")
	holds(t, "running", w.get(rebuildPath), map[string]any{
		"state": "running", "action": "rebuild", "generation": 1.0, "phase": "filling", "events": 5.0, "total": 9.0,
		"events_per_second": 2.0, "left_seconds": 2.0, "owner": "elsewhere:7:c0ffee", "ended_at": nil, "differing_tickets": nil, "error": nil,
	})
	if _, err := w.pool.Exec(t.Context(), `UPDATE generation SET lease_until = now() WHERE generation = 1`); err != nil {
		t.Fatal(err)
	}
	holds(t, "killed", w.get(rebuildPath), map[string]any{
		"state": "interrupted", "phase": "filling", "events": 5.0, "total": 9.0, "events_per_second": nil, "left_seconds": nil, "owner": nil,
	})
	if a := w.post(rebuildPath, `{"action":"discard"}`); a.status != 200 || !strings.Contains(a.body, `"state":"done","action":"discard","generation":1`) {
		t.Errorf("discard: %d %s", a.status, a.body)
	}
	holds(t, "discarded", w.get(rebuildPath), map[string]any{"differing_tickets": nil})
}

// refused is what a task ends with before it has begun.
type refused struct{ error }

func (r refused) Begin(context.Context, projection.Task) error { return r.error }

func TestRebuildRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	for _, c := range []struct {
		err    error
		status int
		kind   string
		says   string
	}{
		{projection.ErrOtherFingerprint, 409, "cannot-rebuild", `{"action":"discard"}`},
		{fmt.Errorf("%w: gone has 5 events", projection.ErrUnconfigured), 409, "cannot-rebuild", "gone has 5 events"},
		{projection.ErrInUse, 409, "not-now", "another session reads"},
		{projection.ErrNoPrevious, 409, "no-generation", "no previous generation"},
		{projection.ErrNothingBuilding, 409, "no-generation", "no rebuild has been begun"},
		{projection.ErrRebuilding, 409, "rebuilding", "is about to begin"},
		{errors.New("hidden"), 500, "internal", "this request's id"},
	} {
		w.cfg.Rebuilds = refused{c.err}
		w.mount()
		a := w.post(rebuildPath, "")
		if p := problemOf(t, a); a.status != c.status || p.Type != "/problems/"+c.kind || !strings.Contains(p.Detail, c.says) || strings.Contains(a.body, "hidden") {
			t.Errorf("%v: %d %s, want %d %s with %q", c.err, a.status, a.body, c.status, c.kind, c.says)
		}
	}

	w.cfg.Rebuilds = refused{projection.ErrRebuilding}
	w.mount()
	w.begun("1 hour")
	want := "elsewhere:7:c0ffee is at it: rebuild of generation 1, filling, 5 of 9 events. GET /v1/projections/rebuild tells how it gets on."
	if diff := cmp.Diff(want, problemOf(t, w.post(rebuildPath, "")).Detail); diff != "" {
		t.Errorf("beside another one (-want +got):\n%s", diff)
	}

	for body, pointer := range map[string]string{
		`{"action":"explode"}`: "/body/action", `{"action":7}`: "/body/action", `{"rollback":true}`: "/body", `[]`: "/body",
	} {
		if a := w.post(rebuildPath, body); a.status != 400 || problemOf(t, a).Errors[0].Pointer != pointer {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	if a := w.post(rebuildPath+"?now=1", ""); a.status != 400 {
		t.Errorf("with a parameter: %d %s", a.status, a.body)
	}
	if a := w.ask(http.MethodDelete, rebuildPath); a.status != 405 {
		t.Errorf("DELETE: %d", a.status)
	}
}

// A view that took so long that its tables were cleared meanwhile says so, and to ask again.
func TestAnAnswerThatARebuildOvertookIsAskedForAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	var once sync.Once
	w.cfg.Now = func() time.Time { // it is asked within the view
		once.Do(func() {
			for range 2 { // the second one clears what the view reads
				if _, err := w.rebuilder().Rebuild(t.Context(), nil); err != nil {
					t.Error(err)
				}
			}
		})
		return noon
	}
	w.mount()
	a := w.ask(http.MethodGet, "/v1/dead-letters")
	if p := problemOf(t, a); a.status != 503 || p.Type != "/problems/overtaken" || a.header.Get("Retry-After") != "1" {
		t.Errorf("overtaken: %d %v %s", a.status, a.header, a.body)
	}
	w.get("/v1/dead-letters")
}
