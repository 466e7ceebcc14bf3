package eventstore_test

import (
	"testing"
	"time"

	"queuetrack/eventstore"
)

func TestLately(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	if got, err := log.Lately(t.Context(), source, 10); err != nil || got.Events != 0 || !got.Newest.IsZero() {
		t.Errorf("of an empty log: %+v, %v", got, err)
	}
	var all []eventstore.Delivery
	add := func(key string, second int, behind time.Duration) {
		d := body("1", time.Duration(second).String())
		d.ReceivedAt, d.VerifiedBy = noon.Add(time.Duration(second)*time.Second), key
		if behind != never {
			d.OccurredAt = d.ReceivedAt.Add(-behind)
		}
		all = append(all, d)
	}
	add("file:oldest", 0, time.Hour) // before the latest five
	add("file:old", 1, 2*time.Second)
	add("file:new", 2, -3*time.Second)
	add("file:new", 3, 4*time.Second)
	add("file:new", 4, never)
	add("file:old", 5, 9*time.Second)
	own := body("1", "expired")
	own.VerifiedBy, own.EventKey, own.ReceivedAt = eventstore.Own, "1", noon.Add(time.Hour)
	mustAppend(t, log, append(all, own)...)
	got, err := log.Lately(t.Context(), source, 5)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "lately", got, eventstore.Lately{
		Events: 5, Timed: 4, Behind: 3 * time.Second, Ahead: 1, Newest: noon.Add(5 * time.Second),
		VerifiedBy: map[string]time.Time{"file:old": noon.Add(5 * time.Second), "file:new": noon.Add(4 * time.Second)},
	})
}

// never stands for a time that the vendor does not tell.
const never = time.Duration(-1 << 62)

func TestAppendOnlyIsSeen(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	look := func() bool {
		guarded, err := log.AppendOnly(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return guarded
	}
	if !look() {
		t.Error("the trigger is there, and was not seen")
	}
	exec(t, pool, `ALTER TABLE event DISABLE TRIGGER event_append_only`)
	if look() {
		t.Error("the trigger is off, and was not missed")
	}
	exec(t, pool, `DROP TRIGGER event_append_only ON event`)
	if look() {
		t.Error("the trigger is gone, and was not missed")
	}
}
