package eventstore_test

import (
	"strings"
	"testing"
	"time"

	"queuetrack/eventstore"
)

// A log goes out and comes back as it was, and goes on as it would have.
func TestRestore(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	mustAppend(t, log, keyed(body("1", "A"), "k"), unreadable(body("", "B")), repeat(body("2", "B"), 2), body("3", "A"), body("3", "B"))
	mustAppend(t, log, at(body("3", "A"), 48*time.Hour), own(body("1", "expired")), eventstore.Delivery{ReceivedAt: noon})
	events := readAll(t, log)

	other, pool := newLog(t)
	if err := other.Restore(t.Context(), source, nil); err != nil {
		t.Error(err)
	}
	for from := 0; from < len(events); from += 3 {
		if err := other.Restore(t.Context(), source, events[from:min(from+3, len(events))]); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "events", readAll(t, other), events)
	checkEverything(t, pool)
	equal(t, "a key that came back", mustAppend(t, other, keyed(body("1", "Z"), "k")), []eventstore.Receipt{duplicate(1)})
	equal(t, "the next", mustAppend(t, other, body("3", "C")), accepted(9, 1))
}

func TestRestoreRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	mustAppend(t, log, body("1", "A"), body("1", "B"), body("1", "C"))
	events := readAll(t, log)
	other, _ := newLog(t)
	hole := []eventstore.Event{events[0], events[2]}
	changed := []eventstore.Event{events[0], events[1]}
	changed[1].Body = []byte("changed")
	for want, es := range map[string][]eventstore.Event{
		"position 3 comes where 2 belongs":    hole,
		"the body at position 2 is not":       changed,
		"the log ends at position 0":          events[1:],
		"restore city from position 2: the l": events[1:],
	} {
		if err := other.Restore(t.Context(), source, es); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	equal(t, "events", len(readAll(t, other)), 0)
}
