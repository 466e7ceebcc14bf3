package archive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"queuetrack/eventstore"
	"queuetrack/eventstore/archive"
)

// Out, in, and out again.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	whole := written(t, everyKind())
	log, _ := newLog(t)
	done := mustImport(t, log, whole)
	for _, s := range done {
		equal(t, s.Source+" written", s.Written, s.Count())
	}
	equal(t, "sources", len(done), 2)
	equalBytes(t, exported(t, log, archive.Scope{}), whole)

	other, _ := newLog(t)
	mustImport(t, other, exported(t, log, archive.Scope{}))
	equalBytes(t, exported(t, other, archive.Scope{}), whole)
	for source := range tails(t, log) {
		for e, err := range log.Walk(t.Context(), source, 0, 9) {
			for o, otherErr := range other.Walk(t.Context(), source, e.Position-1, e.Position) {
				equal(t, "error", errors.Join(err, otherErr), error(nil))
				same(t, o, e)
			}
		}
	}
}

// A log that grew by appends, which is what there is to export; and goes on to, once it is back.
func TestImportedLogGoesOn(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	var ds []eventstore.Delivery
	for i := range 1234 {
		ds = append(ds, eventstore.Delivery{
			Ticket: fmt.Sprint(i % 7), Type: "changed", ReceivedAt: noon, Body: fmt.Appendf(nil, `{"n":%d}`, i), VerifiedBy: "literal-1",
			EventKey: fmt.Sprint("key-", i),
		})
	}
	if _, err := log.AppendBatch(t.Context(), "city", ds); err != nil {
		t.Fatal(err)
	}
	back, _ := newLog(t)
	mustImport(t, back, exported(t, log, archive.Scope{}))
	next := eventstore.Delivery{Ticket: "1", Type: "changed", ReceivedAt: noon, Body: []byte("new"), VerifiedBy: "literal-1"}
	for _, c := range []struct {
		delivery eventstore.Delivery
		want     eventstore.Receipt
	}{
		{ds[1000], eventstore.Receipt{Result: eventstore.Duplicate, Position: 1001}},
		{next, eventstore.Receipt{Result: eventstore.Accepted, Position: 1235}},
	} {
		got, err := back.Append(t.Context(), "city", c.delivery)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "receipt", got, c.want)
	}
}

func TestContinuation(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	mustImport(t, log, written(t, few()))
	begin := exported(t, log, archive.Scope{Sources: []string{"city"}})
	rest := exported(t, log, archive.Scope{After: map[string]int64{"city": 3}})

	back, _ := newLog(t)
	_, err := archive.Import(t.Context(), back, bytes.NewReader(rest), ignore)
	if err == nil || !strings.Contains(err.Error(), "the log of city ends at 0 here, and the file goes on at 4: export it with --after city:0") {
		t.Errorf("a continuation of nothing: %v", err)
	}
	equal(t, "tails", tails(t, back), map[string]int64{})
	mustImport(t, back, begin)
	mustImport(t, back, rest)
	equalBytes(t, exported(t, back, archive.Scope{}), written(t, few()))
	for _, s := range mustImport(t, back, rest) {
		equal(t, s.Source+" written", s.Written, int64(0))
	}
}

// scopes that name what isn't there.
func TestExportBeyondTheEnd(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	mustImport(t, log, written(t, few()))
	for source, says := range map[string]string{"city": "its log ends at 4", "nowhere": "its log ends at 0"} {
		_, err := archive.Export(t.Context(), log, io.Discard, archive.Scope{After: map[string]int64{source: 5}}, func(int64, int64) {})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", source, err)
		}
	}
	equalBytes(t, exported(t, log, archive.Scope{Sources: []string{"nowhere"}}), written(t, nil))
	equalBytes(t, exported(t, log, archive.Scope{Sources: []string{"crm", "city", "crm"}}), written(t, few()))
}

// A log that lost an event, or a byte, is not exported as if it were whole.
func TestExportOfADamagedLog(t *testing.T) {
	t.Parallel()
	for damage, says := range map[string]string{
		`DELETE FROM event WHERE source = 'city' AND position = 2`:           "position 2 is missing",
		`UPDATE event SET body = 'x' WHERE source = 'city' AND position = 2`: "position 2 of city: the body is not the one",
	} {
		log, pool := newLog(t)
		mustImport(t, log, written(t, few()))
		_, err := pool.Exec(t.Context(), `ALTER TABLE event DISABLE TRIGGER event_append_only; `+damage)
		if err != nil {
			t.Fatal(err)
		}
		_, err = archive.Export(t.Context(), log, io.Discard, archive.Scope{}, func(int64, int64) {})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", damage, err, says)
		}
	}
}

// Refused files, each against a log that it would continue: nothing is written. Cut after each line and at random bytes,
// and single bytes changed at random.
func TestRefusedFilesWriteNothing(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	whole := written(t, few())
	dice := rand.New(rand.NewPCG(3, 3))
	var files [][]byte
	for n := range whole {
		if n == 0 || whole[n-1] == '\n' || dice.IntN(20) == 0 {
			files = append(files, whole[:n])
		}
	}
	for range 300 {
		spoiled := bytes.Clone(whole)
		spoiled[dice.IntN(len(spoiled))] ^= byte(1 + dice.IntN(255))
		files = append(files, spoiled)
	}
	for _, file := range files {
		done, err := archive.Import(t.Context(), log, bytes.NewReader(file), ignore)
		var refused *archive.RefusedError
		if !errors.As(err, &refused) || done != nil {
			t.Fatalf("%v, %v of %q", done, err, file)
		}
	}
	equal(t, "tails", tails(t, log), map[string]int64{})
	equalBytes(t, exported(t, log, archive.Scope{}), written(t, nil))
}

// Well-formed files that the log can't take. City's log holds two of its four events.
func TestRefusedByWhatIsThere(t *testing.T) {
	t.Parallel()
	seam := func(position int64, digest byte) archive.Seam {
		return archive.Seam{Source: "city", Position: position, Digest: [32]byte{digest}}
	}
	changed := func(i int, change func(*eventstore.Event)) []eventstore.Event {
		events := few()
		change(&events[i])
		return events
	}
	twice := changed(2, func(e *eventstore.Event) { e.RepeatOf = 1 })
	twice[3].RepeatOf = 1
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"another event at the end":   {written(t, changed(1, func(e *eventstore.Event) { e.DeliveryID[0]++ })), "holds another event at position 2"},
		"another event before":       {written(t, changed(0, func(e *eventstore.Event) { e.Ticket = "other" })), "holds another event at position 1"},
		"another event at the seam":  {written(t, few()[2:4], seam(2, 1)), "holds another event at position 2"},
		"beyond the end":             {written(t, few()[3:4], seam(3, 1)), "the log of city ends at 2 here, and the file goes on at 4: export it with --after city:2"},
		"a key twice":                {written(t, changed(3, func(e *eventstore.Event) { e.EventKey = "key" })), "positions 2 and 4 of city have one key"},
		"a repetition twice":         {written(t, twice), "positions 3 and 4 of city have one key, or repeat one event"},
		"a seam without a following": {written(t, nil, seam(9, 1)), "the log of city ends at 2 here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, _ := newLog(t)
			mustImport(t, log, written(t, few()[:2]))
			done, err := archive.Import(t.Context(), log, bytes.NewReader(c.file), ignore)
			if err == nil || !strings.Contains(err.Error(), c.says) || done != nil {
				t.Errorf("%v, %v; want %q", done, err, c.says)
			}
			equalBytes(t, exported(t, log, archive.Scope{}), written(t, few()[:2]))
		})
	}
}

// many are enough events for several batches.
func many(n int64) []eventstore.Event {
	var all []eventstore.Event
	for i := range n {
		all = append(all, event("city", i+1, fmt.Sprintf(`{"n":%d}`, i)))
	}
	return all
}

// Interrupted after each batch, and begun again each time.
func TestInterruptedImportGoesOn(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	whole := written(t, many(3500))
	for tries := 1; ; tries++ {
		ctx, cancel := context.WithCancel(t.Context())
		before := tails(t, log)["city"]
		done, err := archive.Import(ctx, log, bytes.NewReader(whole), func(phase archive.Phase, _ int64) {
			if now, _ := log.Tail(t.Context(), "city"); phase == archive.PhaseWrite && now > before {
				cancel()
			}
		})
		cancel()
		after := tails(t, log)["city"]
		if err == nil {
			equal(t, "written", done[0].Written, after-before)
			break
		}
		if !errors.Is(err, context.Canceled) || after <= before || tries > 10 {
			t.Fatalf("try %d: %v, from %d to %d", tries, err, before, after)
		}
	}
	equalBytes(t, exported(t, log, archive.Scope{}), whole)
}

// A server appends to the log while it is imported: what was there before stays, nothing comes after it.
func TestAppendBetweenBatches(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t)
	var once sync.Once
	done, err := archive.Import(t.Context(), log, bytes.NewReader(written(t, many(3500))), func(phase archive.Phase, _ int64) {
		if phase == archive.PhaseWrite {
			once.Do(func() {
				d := eventstore.Delivery{Ticket: "1", Type: "x", ReceivedAt: noon, Body: []byte("meanwhile"), VerifiedBy: "literal-1"}
				if _, err := log.Append(t.Context(), "city", d); err != nil {
					t.Error(err)
				}
			})
		}
	})
	var diverged *eventstore.DivergedError
	if !errors.As(err, &diverged) || diverged.Position != 1001 || diverged.Missing {
		t.Errorf("%v", err)
	}
	equal(t, "written", done[0].Written, int64(1000))
	equal(t, "tails", tails(t, log), map[string]int64{"city": 1001})
}

// Two at once end as one: each event is written by one of them.
func TestTwoImportsAtOnce(t *testing.T) {
	t.Parallel()
	log, pool := newLog(t)
	other := eventstore.New(pool, eventstore.Config{})
	whole := written(t, many(5000))
	sums := make(chan int64, 2)
	var both sync.WaitGroup
	for _, l := range []*eventstore.Log{log, other} {
		both.Go(func() {
			done, err := archive.Import(t.Context(), l, bytes.NewReader(whole), ignore)
			if err != nil {
				t.Error(err)
				return
			}
			sums <- done[0].Written
		})
	}
	both.Wait()
	close(sums)
	sum := int64(0)
	for n := range sums {
		sum += n
	}
	equal(t, "written in all", sum, int64(5000))
	equalBytes(t, exported(t, log, archive.Scope{}), whole)
}

// changing is a file that somebody edits between the passes.
type changing struct {
	*bytes.Reader
	passes int
	second []byte
}

func (c *changing) Seek(offset int64, whence int) (int64, error) {
	if c.passes++; c.passes == 2 {
		c.Reader = bytes.NewReader(c.second)
	}
	return c.Reader.Seek(offset, whence)
}

func TestFileChangesBetweenThePasses(t *testing.T) {
	t.Parallel()
	first := many(2500)
	other := many(2500)
	other[1700].Type = "edited"
	more := many(4500)
	for name, c := range map[string]struct {
		second []byte
		says   string
		tail   int64
	}{
		"an event of the second batch": {written(t, other), "no longer the one that was checked", 1000},
		"more events":                  {written(t, more), "no longer the one that was checked", 2000},
		"fewer events":                 {written(t, first[:2000]), "no longer the one that was checked", 2000},
		"no archive":                   {[]byte("x\n"), "it is no archive", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, _ := newLog(t)
			_, err := archive.Import(t.Context(), log, &changing{Reader: bytes.NewReader(written(t, first)), second: c.second}, ignore)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
			equal(t, "tail", tails(t, log)["city"], c.tail)
		})
	}
}
