package projection_test

import (
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"queuetrack/migrations"
)

// Taking read models' tables back and making them anew folds everything again: a checkpoint without its rows would lose
// them for good.
func TestMigratingDownAndUpFoldsAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", bustle(11, 120)...)
	w.catchUp()
	want := w.dump()
	url, logger := w.pool.Config().ConnString(), slog.New(slog.DiscardHandler)
	for steps := 1; steps <= 4; steps++ {
		for range steps {
			if err := migrations.Down(t.Context(), url, logger); err != nil {
				t.Fatal(err)
			}
		}
		if err := migrations.Up(t.Context(), url, logger); err != nil {
			t.Fatal(err)
		}
		w.catchUp()
		if diff := cmp.Diff(want, w.dump()); diff != "" {
			t.Errorf("after %d steps down and up (-want +got):\n%s", steps, diff)
		}
	}
}

func TestTheLogIsNotMigratedAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", bustle(12, 3)...)
	url, logger := w.pool.Config().ConnString(), slog.New(slog.DiscardHandler)
	var err error
	for err == nil {
		err = migrations.Down(t.Context(), url, logger)
	}
	if got := one[int](w, `SELECT count(*) FROM event`); got != 3 {
		t.Errorf("%d events left, want 3 (%v)", got, err)
	}
}
