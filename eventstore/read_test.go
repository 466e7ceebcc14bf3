package eventstore_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
)

func positions(events []eventstore.Event) []int64 {
	ps := []int64{}
	for _, e := range events {
		ps = append(ps, e.Position)
	}
	return ps
}

func TestReadPages(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	for i := range 5 {
		mustAppend(t, log, body(fmt.Sprint(i), "A"))
	}
	for _, c := range []struct {
		after int64
		limit int
		want  []int64
	}{
		{0, 3, []int64{1, 2, 3}},
		{3, 3, []int64{4, 5}},
		{5, 3, []int64{}},
		{99, 3, []int64{}},
		{0, 0, []int64{}},
	} {
		events, err := log.Read(t.Context(), source, c.after, c.limit)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprintf("after %d, at most %d", c.after, c.limit), positions(events), c.want)
	}
	if tail, err := log.Tail(t.Context(), source); err != nil || tail != 5 {
		t.Errorf("tail %d, %v", tail, err)
	}
	if tail, err := log.Tail(t.Context(), "silent"); err != nil || tail != 0 {
		t.Errorf("tail of nothing %d, %v", tail, err)
	}
}

// A page holds at most 16 MiB of bodies, or one event.
func TestReadBoundsMemory(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	for i, megabytes := range []int{6, 6, 6, 20, 1} {
		d := unreadable(body(fmt.Sprint(i), ""))
		d.Body = bytes.Repeat([]byte{byte(i)}, megabytes<<20)
		mustAppend(t, log, d)
	}
	var pages [][]int64
	for after := int64(0); ; {
		events, err := log.Read(t.Context(), source, after, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			break
		}
		after = events[len(events)-1].Position
		pages = append(pages, positions(events))
	}
	equal(t, "pages", pages, [][]int64{{1, 2}, {3}, {4}, {5}})
}

// Events picked out by position are bounded likewise, and say by what they return how far they got.
func TestAtPicksPositions(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	for i, megabytes := range []int{1, 9, 1, 9, 20} {
		d := unreadable(body(fmt.Sprint(i), ""))
		d.Body = bytes.Repeat([]byte{byte(i)}, megabytes<<20)
		mustAppend(t, log, d)
	}
	for _, c := range []struct{ asked, want []int64 }{
		{[]int64{4, 1, 3}, []int64{1, 3, 4}},
		{[]int64{1, 2, 4}, []int64{1, 2}},
		{[]int64{5}, []int64{5}},
		{[]int64{0, 3, 99}, []int64{3}},
		{[]int64{}, []int64{}},
	} {
		events, err := log.At(t.Context(), source, c.asked)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprint("of ", c.asked), positions(events), c.want)
		for _, e := range events {
			if read, err := log.Read(t.Context(), source, e.Position-1, 1); err != nil || !bytes.Equal(read[0].Body, e.Body) {
				t.Errorf("position %d has another body: %v", e.Position, err)
			}
		}
	}
}

// Lists come without bodies, so their pages are full whatever the bodies are.
func TestListsHaveNoBodies(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	for i := range 3 {
		d := unreadable(keyed(body("1", ""), fmt.Sprint(i)))
		d.Body, d.OccurredAt = bytes.Repeat([]byte{byte(i)}, 9<<20), noon
		mustAppend(t, log, d)
	}
	var want []eventstore.Event
	for position := range int64(3) {
		read, err := log.Read(t.Context(), source, position, 1)
		if err != nil {
			t.Fatal(err)
		}
		read[0].Body = nil
		want = append(want, read...)
	}
	listed, err := log.List(t.Context(), source, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "list", listed, want[1:])
	held, err := log.Quarantine(t.Context(), "", "", 0, 3)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "quarantine", events(held), want)
}

func TestReadTickets(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	mustAppend(t, log, body("b", "1"), body("a", "1"), body("", "1"), body("b", "2"), body("c", "1"), unreadable(body("a", "2")), body("a", "3"))
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		var events []eventstore.Event
		err := eventstore.ReadTickets(t.Context(), tx, source, "0", "b", 6, func(e eventstore.Event) error {
			events = append(events, e)
			return nil
		})
		equal(t, "positions", positions(events), []int64{2, 6, 1, 4})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A walk over the tickets is bounded by their number and by their events, and gets past a ticket of any size.
func TestTicketsAfter(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	mustAppend(t, log, many(0, 4)...)
	for i := range 5 {
		mustAppend(t, log, body("heavy", fmt.Sprint(i)))
	}
	mustAppend(t, log, body("", "1"), body("i", "1"), body("j", "1"))
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		var walk [][]string
		for after, more := "", true; more; {
			ids, err := eventstore.TicketsAfter(t.Context(), tx, source, after, 3, 4)
			if err != nil {
				return err
			}
			walk = append(walk, ids)
			if more = len(ids) > 0; more {
				after = ids[len(ids)-1]
			}
		}
		equal(t, "walk", walk, [][]string{{"0", "1", "2"}, {"3"}, {"heavy"}, {"i", "j"}, {}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestQuarantineListing(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	for _, s := range []string{"alpha", "beta"} {
		for i := range 3 {
			for _, d := range []eventstore.Delivery{body("1", fmt.Sprint(i)), unreadable(body("1", fmt.Sprint(i)))} {
				if _, err := log.Append(t.Context(), s, d); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	var all []string
	afterSource, after := "", int64(0)
	for {
		held, err := log.Quarantine(t.Context(), "", afterSource, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(held) == 0 {
			break
		}
		for _, e := range held {
			all = append(all, fmt.Sprint(e.Source, e.Position, e.Quarantined))
			afterSource, after = e.Source, e.Position
		}
	}
	equal(t, "all", all, []string{
		"alpha2not JSON", "alpha4not JSON", "alpha6not JSON", "beta2not JSON", "beta4not JSON", "beta6not JSON",
	})
	held, err := log.Quarantine(t.Context(), "beta", "beta", 2, 10)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "one source", positions(events(held)), []int64{4, 6})
}

func TestVerifyFindsAChangedByteAndAHole(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	for i := range 1200 {
		if i%400 == 0 {
			mustAppend(t, log, many(i, 400)...)
		}
	}
	checkEverything(t, pool)
	exec(t, pool, `ALTER TABLE event DISABLE TRIGGER event_append_only`)
	exec(t, pool, `UPDATE event SET body = set_byte(body, 0, get_byte(body, 0) # 1) WHERE position = 700`)
	exec(t, pool, `DELETE FROM event WHERE position IN (1, 500, 501)`)
	equal(t, "violations", violations(t, pool), []eventstore.Violation{
		{Source: source, Position: 1, What: "1 event is missing before position 2"},
		{Source: source, Position: 500, What: "2 events are missing before position 502"},
		{Source: source, Position: 700, Ticket: "699", What: "the body is not the one that the digest was made of"},
	})
}

func many(from, n int) []eventstore.Delivery {
	var ds []eventstore.Delivery
	for i := range n {
		ds = append(ds, body(fmt.Sprint(from+i), "A"))
	}
	return ds
}
