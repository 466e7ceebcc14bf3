package projection_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"queuetrack/projection"
)

// work is what any process can read of the last task.
func (w *world) work() projection.Work {
	w.t.Helper()
	work, err := projection.NewReader(w.pool).Rebuilding(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return work
}

// worked compares the last task but for what is never the same twice.
func (w *world) worked(want projection.Work) projection.Work {
	w.t.Helper()
	got := w.work()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(projection.Work{}, "Owner", "BeganAt", "EndedAt", "Rebuilding.Rate"), cmpopts.EquateEmpty()); diff != "" {
		w.t.Errorf("the last task (-want +got):\n%s", diff)
	}
	return got
}

func TestWorkIsSeenFromEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", bustle(1, 100)...)
	w.catchUp()
	if diff := cmp.Diff(projection.Work{State: projection.WorkNone}, w.work()); diff != "" {
		t.Errorf("before the first (-want +got):\n%s", diff)
	}

	g, done, cancel := holding(w, time.Hour)
	<-g.entered
	filling := projection.Rebuilding{Generation: 1, Phase: projection.PhaseFilling, Total: 100}
	got := w.worked(projection.Work{State: projection.WorkRunning, Task: projection.TaskRebuild, Rebuilding: filling})
	if got.Owner == "" || time.Since(got.BeganAt).Abs() > time.Hour || !got.EndedAt.IsZero() {
		t.Errorf("while it runs: %+v", got)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	got = w.worked(projection.Work{State: projection.WorkInterrupted, Task: projection.TaskRebuild, Rebuilding: filling})
	if got.Owner != "" || got.EndedAt.Before(got.BeganAt) {
		t.Errorf("once it was interrupted: %+v", got)
	}

	w.exec(`UPDATE board_ticket_0 SET status = 'served', state = '\x00' WHERE ticket = (SELECT min(ticket) FROM board_ticket_0)`)
	some := one[string](w, `SELECT min(ticket) FROM board_ticket_0`)
	w.rebuild()
	w.worked(projection.Work{
		State: projection.WorkDone, Task: projection.TaskRebuild, Rebuilding: projection.Rebuilding{Generation: 1},
		Differences: projection.Differences{Tickets: 1, Some: []string{"city/" + some}},
	})

	if _, err := w.rebuilder().Rollback(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	got = w.work()
	if got.State != projection.WorkDone || got.Task != projection.TaskRollback || got.Generation != 0 {
		t.Errorf("after a rollback: %+v", got)
	}
}

// A part of it is filled, another follows already: both count.
func TestWorkCountsWhatIsFolded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", bustle(1, 100)...)
	w.append("store", bustle(2, 50)...)
	w.exec(`
		INSERT INTO generation (generation, state, fingerprint, created_at, task, phase, began_at, lease_until, owner, rate)
		VALUES (1, 'building', '', now(), 'rebuild', 'filling', now(), now() + interval '1 hour', 'elsewhere', 20)`)
	w.exec(`INSERT INTO shard (source, generation, position, fill_to) VALUES ('city', 1, 0, 90), ('store', 1, 45, NULL)`)
	w.exec(`INSERT INTO filled (source, generation, after, through, events) VALUES ('city', 1, '', '5', 30), ('city', 1, '5', '7', 15), ('city', 0, '', '5', 99)`)
	got := w.worked(projection.Work{
		State: projection.WorkRunning, Task: projection.TaskRebuild,
		Rebuilding: projection.Rebuilding{Generation: 1, Phase: projection.PhaseFilling, Events: 90, Total: 150},
	})
	if got.Owner != "elsewhere" || got.Rate != 20 || got.Left() != 3*time.Second {
		t.Errorf("it is told as %+v, %v left", got, got.Left())
	}
	w.exec(`UPDATE generation SET lease_until = now() - interval '1 second' WHERE generation = 1`) // it was killed
	if got := w.work(); got.State != projection.WorkInterrupted || got.Owner != "" || got.Rate != 0 || got.Events != 90 {
		t.Errorf("when its lease ran out: %+v", got)
	}
}

func TestWorkTellsWhyItFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", bustle(1, 100)...)
	w.catchUp()
	w.exec(`ALTER TABLE history_1 RENAME TO away`)
	if _, err := w.rebuilder().Rebuild(t.Context(), nil); err == nil {
		t.Fatal("rebuilt without a table")
	}
	if got := w.work(); got.State != projection.WorkFailed || !strings.Contains(got.Failure, "history_1") || got.Total != 100 {
		t.Errorf("told as %+v", got)
	}
	w.exec(`ALTER TABLE away RENAME TO history_1`)
	if err := w.rebuilder().Discard(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.worked(projection.Work{State: projection.WorkDone, Task: projection.TaskDiscard, Rebuilding: projection.Rebuilding{Generation: 1}})
}
