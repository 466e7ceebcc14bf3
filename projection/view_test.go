package projection_test

import (
	"testing"
	"time"

	"queuetrack/projection"
	"queuetrack/projection/board"
)

// Rows and positions belong together, whatever is folded meanwhile.
func TestViewIsOneSnapshot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	w.catchUp()
	reader := projection.NewReader(w.pool)
	reader.Now = func() time.Time { return minute(3).In(time.FixedZone("", 3600)) }
	err := reader.View(t.Context(), func(v *projection.View) error {
		w.append("city", delivery("b", minute(1), created("1", minute(1))))
		w.catchUp()
		queues, err := board.Queues(t.Context(), v, board.Filter{})
		if err != nil {
			return err
		}
		if v.Positions["city"] != 1 || queues[0].Waiting != 1 {
			t.Errorf("position %d with %d waiting; want 1 with 1", v.Positions["city"], queues[0].Waiting)
		}
		if v.Now != minute(3) {
			t.Errorf("now is %s", v.Now)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.check()
}

func TestViewCannotWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	err := projection.NewReader(w.pool).View(t.Context(), func(v *projection.View) error {
		_, err := v.Tx.Exec(t.Context(), `DELETE FROM shard`)
		return err
	})
	if err == nil {
		t.Error("a view deleted shards")
	}
}

// Readers look where the serving generation lives.
func TestViewReadsTheServingGenerationsSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", delivery("a", noon, created("1", noon)))
	w.catchUp()
	w.exec(`UPDATE generation SET state = 'previous'`)
	w.exec(`INSERT INTO generation (generation, state, fingerprint, created_at) VALUES (1, 'serving', '', now())`)
	w.view(func(v *projection.View) {
		if v.Generation != 1 || v.Set != 1 || len(v.Positions) != 0 {
			t.Errorf("generation %d, set %d, positions %v", v.Generation, v.Set, v.Positions)
		}
	})
	w.catchUp() // the same code fills the other set
	w.check()
	if got := one[int64](w, `SELECT count(*) FROM board_ticket_1`); got != 1 {
		t.Errorf("%d tickets in set 1", got)
	}
	progress, err := projection.NewReader(w.pool).Progress(t.Context())
	if err != nil || len(progress) != 2 || progress[0].State != "previous" || progress[1].State != "serving" {
		t.Errorf("progress: %+v, %v", progress, err)
	}
}
