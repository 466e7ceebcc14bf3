package projection_test

import (
	"errors"
	"strings"
	"testing"

	"queuetrack/projection"
)

// A dismissal outlives rebuilds: folded from the first event, the log gives the rows that the dismissals left.
func TestADismissalOutlivesARebuild(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", bustle(1, 501)...)
	w.catchUp()
	folded := int64(0)
	for letters := w.deadLetters(); len(letters) > 0; letters = w.deadLetters() {
		done := w.dismiss(letters[0].Position)
		if done.Already || done.Unfinished || done.Stands == 0 && done.Folded != letters[0].Waiting {
			t.Fatalf("dismissal of %+v: %+v", letters[0], done)
		}
		folded += done.Folded
		w.check()
	}
	if folded == 0 {
		t.Error("nothing waited: the test proves little")
	}
	after := w.dump()
	for _, table := range tables {
		w.exec(`TRUNCATE ` + table)
	}
	w.exec(`UPDATE shard SET position = 0`)
	w.catchUp()
	w.check()
	same(t, "rows folded anew", after, w.dump())
}

func TestVerifyHoldsDismissalsAgainstTheRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plant(w)
	w.dismiss(5)
	w.check()
	undo := undoable(w)
	for name, c := range map[string]struct{ sql, want string }{
		"a folded one":           {`INSERT INTO dismissal VALUES ('city', 7, now())`, "city b: history: row 7 is too many"},
		"one that still stands":  {`INSERT INTO dead_letter VALUES ('city', 0, 5, 'c', NULL, '')`, "city c: dead_letter: row 5 is of an event that was dismissed"},
		"one of no event":        {`INSERT INTO dismissal VALUES ('city', 99, now())`, "city : dismissal: row 99 is of no event that can be dismissed"},
		"one that was taken out": {`DELETE FROM dismissal`, "city c: the event can't be folded, and is no dead letter"},
	} {
		t.Run(name, func(t *testing.T) {
			other := *w
			other.t = t
			other.exec(`CREATE TABLE kept AS TABLE dismissal`)
			other.damage(c.sql)
			if found := strings.Join(other.violations(), "\n"); !strings.Contains(found, c.want) {
				t.Errorf("Verify found:\n%s\nwant among it:\n%s", found, c.want)
			}
			other.damage(undo + `DELETE FROM dismissal; INSERT INTO dismissal TABLE kept; DROP TABLE kept`)
		})
	}
	w.check()
}

func TestNothingIsDismissedDuringARebuild(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"a rebuild":  `INSERT INTO generation (generation, state, fingerprint, created_at) VALUES (1, 'building', '', now())`,
		"a rollback": `INSERT INTO generation (generation, state, fingerprint, created_at, lease_until) VALUES (1, 'previous', '', now(), now() + interval '1 hour')`,
	} {
		w := newWorld(t)
		plant(w)
		w.exec(sql)
		before := w.dump()
		_, err := w.runner(w.config()).Dismiss(t.Context(), "city", 5, noon)
		var notNow *projection.NotNowError
		if !errors.As(err, &notNow) || !strings.Contains(notNow.Reason, "rebuild") {
			t.Errorf("%s: %v; want to be told to wait", name, err)
		}
		same(t, "rows after a refused dismissal", before, w.dump())
		w.exec(`DELETE FROM generation WHERE generation = 1`)
		if done := w.dismiss(5); done != (projection.Retried{Folded: 1}) {
			t.Errorf("%s: afterwards %+v", name, done)
		}
		w.check()
	}
}

func TestAHaltedShardIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plant(w)
	w.exec(`UPDATE shard SET halted = 'a hole'`)
	_, err := w.runner(w.config()).Retry(t.Context(), "city", 5)
	var notNow *projection.NotNowError
	if !errors.As(err, &notNow) || !strings.Contains(notNow.Reason, "a hole") {
		t.Errorf("retry on a halted shard: %v", err)
	}
}

// One that stopped before a dismissal is whole as it is, as long as it doesn't serve.
func TestAStoppedGenerationNeedNotKnowDismissals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plant(w)
	w.exec(`UPDATE generation SET state = 'previous'`)
	w.exec(`INSERT INTO generation (generation, state, fingerprint, created_at) VALUES (1, 'serving', '', now())`)
	w.catchUp()
	w.check()
	w.dismiss(5)
	w.check()
	if n := one[int64](w, `SELECT count(*) FROM dead_letter WHERE generation = 0`); n != 2 {
		t.Errorf("%d dead letters are left in the generation that stopped; want both", n)
	}
	if letters := w.deadLetters(); len(letters) > 0 {
		t.Errorf("dead letters of the one that serves: %+v", letters)
	}
}

// A generation that stopped before a dismissal learns of it when it is gone back to.
func TestAGenerationHonoursLaterDismissals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.append("city", bustle(5, 400)...)
	w.catchUp()
	for _, l := range w.deadLetters() { // dismissed in a generation that served after this one
		w.exec(`INSERT INTO dismissal VALUES ('city', $1, now())`, l.Position)
	}
	if len(w.violations()) == 0 {
		t.Error("nothing is wrong before: the test proves nothing")
	}
	runner := w.runner(projection.Config{PageSize: 7, Logger: w.config().Logger})
	if err := runner.Honour(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	w.check()
	for _, l := range w.deadLetters() {
		if n := one[int64](w, `SELECT count(*) FROM dismissal WHERE position = $1`, l.Position); n > 0 {
			t.Errorf("%d was dismissed, and still stands", l.Position)
		}
	}
}
