package eventstore_test

import (
	"fmt"
	"testing"
	"time"

	"queuetrack/eventstore"
)

// at is a delivery received some time after noon.
func at(d eventstore.Delivery, after time.Duration) eventstore.Delivery {
	d.ReceivedAt = noon.Add(after)
	return d
}

func keyed(d eventstore.Delivery, key string) eventstore.Delivery {
	d.EventKey = key
	return d
}

func unreadable(d eventstore.Delivery) eventstore.Delivery {
	d.Quarantined = "not JSON"
	return d
}

func own(d eventstore.Delivery) eventstore.Delivery {
	d.VerifiedBy = eventstore.Own
	return d
}

func repeat(d eventstore.Delivery, of int64) eventstore.Delivery {
	d.RepeatOf = of
	return d
}

// TestDuplicates goes through the rules; each case runs twice, delivery by delivery and in one batch.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	a, b, none := body("1", "A"), body("1", "B"), body("", "ping")
	const window = eventstore.DefaultReplayWindow
	cases := []struct {
		name string
		ds   []eventstore.Delivery
		want []eventstore.Receipt
	}{
		{"the latest body again", []eventstore.Delivery{a, a}, []eventstore.Receipt{accepted(1, 1)[0], duplicate(1)}},
		{"an edit taken back", []eventstore.Delivery{a, b, a}, accepted(1, 3)},
		{"the latest of the ticket, not of the source", []eventstore.Delivery{a, body("2", "A"), a}, append(accepted(1, 2), duplicate(1))},
		{
			"a replay, once",
			[]eventstore.Delivery{a, b, at(a, window+time.Second), at(a, window+time.Minute), at(b, window+time.Minute)},
			[]eventstore.Receipt{accepted(1, 1)[0], accepted(2, 1)[0], quarantined(3), duplicate(3), duplicate(2)},
		},
		{
			"the latest again, after something else in its batch",
			[]eventstore.Delivery{a, b, a, b, a, a, b},
			append(append(accepted(1, 5), duplicate(5)), accepted(6, 1)...),
		},
		{
			"a replay doesn't displace the latest",
			[]eventstore.Delivery{a, b, at(a, window+time.Second), at(b, window+time.Second), at(a, window+2*time.Second)},
			[]eventstore.Receipt{accepted(1, 1)[0], accepted(2, 1)[0], quarantined(3), duplicate(2), duplicate(3)},
		},
		{
			"received before the replay that it repeats, and so no replay",
			[]eventstore.Delivery{a, b, at(a, window+time.Second), at(a, window)},
			[]eventstore.Receipt{accepted(1, 1)[0], accepted(2, 1)[0], quarantined(3), accepted(4, 1)[0]},
		},
		{"just within the window", []eventstore.Delivery{a, b, at(a, window)}, accepted(1, 3)},
		{"the latest again is never a replay", []eventstore.Delivery{a, at(a, 9*window)}, append(accepted(1, 1), duplicate(1))},
		{
			"our own events aren't the vendor's latest",
			[]eventstore.Delivery{a, own(body("1", "expired")), at(a, 2*window)},
			append(accepted(1, 2), duplicate(1)),
		},
		{"our own without a key are all kept", []eventstore.Delivery{own(a), own(a)}, accepted(1, 2)},
		{
			"a key is for ever, whatever the bytes",
			[]eventstore.Delivery{keyed(a, "k"), keyed(b, "k"), at(keyed(a, "k"), 99*window)},
			[]eventstore.Receipt{accepted(1, 1)[0], duplicate(1), duplicate(1)},
		},
		{"two keys, one body", []eventstore.Delivery{keyed(a, "k"), keyed(a, "l")}, accepted(1, 2)},
		{"no ticket, within the window", []eventstore.Delivery{none, at(none, window)}, append(accepted(1, 1), duplicate(1))},
		{"no ticket, after the window", []eventstore.Delivery{none, at(none, window+time.Second)}, accepted(1, 2)},
		{
			"quarantined, within the window",
			[]eventstore.Delivery{unreadable(a), unreadable(a), at(unreadable(a), window+time.Second)},
			[]eventstore.Receipt{quarantined(1), duplicate(1), quarantined(2)},
		},
		{"quarantined ones aren't the latest", []eventstore.Delivery{a, unreadable(b), a}, []eventstore.Receipt{accepted(1, 1)[0], quarantined(2), duplicate(1)}},
		{
			"a repeat passes, and is then the latest",
			[]eventstore.Delivery{unreadable(a), unreadable(b), repeat(a, 1), repeat(a, 2), a},
			[]eventstore.Receipt{quarantined(1), quarantined(2), accepted(3, 1)[0], accepted(4, 1)[0], duplicate(4)},
		},
		{
			"a repeat keeps its key",
			[]eventstore.Delivery{keyed(unreadable(a), "k"), repeat(keyed(a, "k"), 1), keyed(a, "k")},
			[]eventstore.Receipt{quarantined(1), accepted(2, 1)[0], duplicate(1)},
		},
	}
	log, _ := newLog(t)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			whole, err := log.AppendBatch(t.Context(), fmt.Sprintf("whole-%d", i), c.ds)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "in one batch", whole, c.want)
			var single []eventstore.Receipt
			for _, d := range c.ds {
				r, err := log.Append(t.Context(), fmt.Sprintf("single-%d", i), d)
				if err != nil {
					t.Fatal(err)
				}
				single = append(single, r)
			}
			equal(t, "one by one", single, c.want)
		})
	}
}

// A ticket with more events than one look at it takes in.
func TestReplayOnALongTicket(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	a := body("1", "A")
	mustAppend(t, log, a)
	for i := range 40 {
		mustAppend(t, log, body("1", fmt.Sprint(i)))
	}
	equal(t, "within the window", mustAppend(t, log, at(a, time.Hour), body("1", "B")), accepted(42, 2))
	for i := range 40 {
		mustAppend(t, log, at(body("1", fmt.Sprint(i)), time.Hour))
	}
	replay := at(a, 26*time.Hour)
	equal(t, "after it", mustAppend(t, log, replay, replay), []eventstore.Receipt{quarantined(84), duplicate(84)})
	equal(t, "again", mustAppend(t, log, replay), []eventstore.Receipt{duplicate(84)})
	equal(t, "cause", readAll(t, log)[83].Quarantined, "replay of position 42")
	checkEverything(t, pool)
}

func TestReplayNamesItsOriginal(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	mustAppend(t, log, body("1", "A"), body("1", "B"), at(body("1", "A"), 25*time.Hour))
	equal(t, "cause", readAll(t, log)[2].Quarantined, "replay of position 1")
}

func TestDuplicateInsideABatchLeavesNoHole(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	a, b, c := body("1", "A"), body("1", "B"), body("1", "C")
	got := mustAppend(t, log, a, a, b, b, b, a, c)
	equal(t, "receipts", got, []eventstore.Receipt{
		accepted(1, 1)[0], duplicate(1), accepted(2, 1)[0], duplicate(2), duplicate(2), accepted(3, 1)[0], accepted(4, 1)[0],
	})
	equal(t, "bodies", bodies(t, log), []string{"1:A", "1:B", "1:A", "1:C"})
	checkEverything(t, pool)
}
