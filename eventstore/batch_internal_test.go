package eventstore

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// arriving makes entries, received a second apart, of words like a:X (ticket a, body X).
func arriving(words ...string) []entry {
	var es []entry
	for i, w := range words {
		es = append(es, newEntry(Delivery{Ticket: w[:1], ReceivedAt: time.Unix(int64(i), 0), Body: []byte(w[2:])}))
	}
	return es
}

// seatsOf splits entries into batches, and tells who sits where in each.
func seatsOf(es []entry, most int) [][]int {
	var all [][]int
	for len(es) > 0 {
		b := nextBatch(es, most)
		all = append(all, b.seats)
		es = es[len(b.entries):]
	}
	return all
}

func TestNextBatch(t *testing.T) {
	t.Parallel()
	keyed := arriving("a:X", "b:Y", "a:Z", "b:Y")
	for i := range keyed {
		keyed[i].EventKey = string("kkll"[i])
	}
	backwards := arriving("a:X", "a:X")
	slices.Reverse(backwards)
	quarantine := arriving("a:X", "a:X")
	quarantine[1].Quarantined = "unreadable"
	seen := arriving("a:X", "a:X")
	seen[0].Ticket, seen[1].Ticket = "", ""
	for _, c := range []struct {
		name string
		es   []entry
		most int
		want [][]int
	}{
		{"none", nil, 9, nil},
		{"different ones", arriving("a:X", "b:X", "a:Y"), 9, [][]int{{0, 1, 2}}},
		{"at most two", arriving("a:X", "b:X", "a:Y"), 2, [][]int{{0, 1}, {0}}},
		{"repeated", arriving("a:X", "b:Y", "a:X", "a:X", "b:Y"), 9, [][]int{{0, 1, 0, 0, 1}}},
		{"back after another one", arriving("a:X", "a:Y", "b:Y", "a:X", "a:Y"), 9, [][]int{{0, 1, 2}, {0, 1}}},
		{"of one key, wherever", keyed, 9, [][]int{{0, 0, 1, 1}}},
		{"received before the one that it repeats", backwards, 9, [][]int{{0}, {0}}},
		{"the same body by another rule", quarantine, 9, [][]int{{0}, {0}}},
		{"the same body, where the time since counts", seen, 9, [][]int{{0}, {0}}},
	} {
		if diff := cmp.Diff(c.want, seatsOf(c.es, c.most)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// Who rides along is a duplicate of what the one before became, whatever that is.
func TestReceiptsOfThoseWhoRideAlong(t *testing.T) {
	t.Parallel()
	b := nextBatch(arriving("a:X", "a:X", "b:X", "c:X", "b:X", "c:X"), 9)
	got := b.receipts([]Receipt{{Accepted, 4}, {Duplicate, 2}, {Quarantined, 5}})
	want := []Receipt{{Accepted, 4}, {Duplicate, 4}, {Duplicate, 2}, {Quarantined, 5}, {Duplicate, 2}, {Duplicate, 5}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("receipts (-want +got):\n%s", diff)
	}
}
