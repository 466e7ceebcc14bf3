package estimate

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var monday = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// crowd makes moves of a few queues as an office would: people come, and are called, most of them in their order. Some
// give up, some are put aside and come back, some jump the queue, and some clocks are off.
func crowd(seed uint64, n int) []move {
	rng := rand.New(rand.NewPCG(seed, 3))
	now, standing := monday, []move{}
	var moves []move
	tell := func(m move, k kind) {
		m.Kind, m.Position, m.N, m.Wait = k, int64(len(moves)+1), 1, none
		m.At = now.Add(-time.Duration(rng.IntN(3)) * time.Second)
		switch {
		case rng.IntN(40) == 0:
			m.At = m.At.Add(-time.Duration(rng.IntN(900)) * time.Second)
		case k == moved:
			m.At = m.OrderAt
		}
		if k == called && rng.IntN(25) > 0 {
			m.Wait = max(0, m.At.Unix()-m.OrderAt.Unix())
		}
		moves = append(moves, m)
	}
	for i := range n {
		now = now.Add(time.Duration(rng.IntN(120)) * time.Second)
		if rng.IntN(150) == 0 {
			now = now.Add(14 * time.Hour)
		}
		at := -1
		if len(standing) > 0 {
			at = rng.IntN(min(3, len(standing)))
		}
		switch what := rng.IntN(20); {
		case what < 9 || at < 0:
			m := move{
				Ticket: fmt.Sprint("t", i), Segment: 1, Queue: fmt.Sprint(rng.IntN(3)), At: now, OrderAt: now,
				OrderPosition: int64(len(moves) + 1), Priority: int32(max(0, rng.IntN(12)-10)),
			}
			standing = append(standing, m)
			tell(m, arrived)
		case what == 9:
			tell(standing[at], withdrew)
		case what == 10:
			standing[at].Priority = int32(rng.IntN(3) - 1)
			tell(standing[at], moved)
		case what == 11:
			tell(standing[at], left)
			standing = append(standing[:at], standing[at+1:]...)
		default:
			tell(standing[at], called)
			standing = append(standing[:at], standing[at+1:]...)
		}
	}
	return moves
}

func newFolding() *folding {
	return &folding{zone: time.UTC, queues: map[string]*queue{}, others: &Others{}}
}

// told folds a move and returns what its arrival was told.
func (f *folding) told(m move) prediction {
	f.apply(m)
	if w, ok := f.queues[m.Queue].line.places[m.standing()]; ok && m.Kind == arrived {
		return w.prediction
	}
	return unpredicted
}

func TestFoldIsTheDefinition(t *testing.T) {
	t.Parallel()
	predicted, ranged := 0, 0
	for seed := range uint64(4) {
		f, o := newFolding(), &oracle{zone: time.UTC}
		for i, m := range crowd(seed, 380) {
			got, want := f.told(m), o.take(m)
			if got != want {
				t.Fatalf("seed %d, move %d (%+v): told\n%+v, by the definition\n%+v", seed, i, m, got, want)
			}
			if got.Wait != none {
				predicted++
			}
			if got.High != none {
				ranged++
			}
		}
	}
	if predicted < 500 || ranged < 200 {
		t.Errorf("%d arrivals were told a wait, %d a range: the test proves little", predicted, ranged)
	}
}

func TestNoLookAhead(t *testing.T) {
	t.Parallel()
	moves := crowd(11, 1500)
	cut := 900
	before := tellAll(moves, cut)
	for seed := range uint64(5) {
		later := append([]move(nil), moves...)
		rng := rand.New(rand.NewPCG(seed, 5))
		rng.Shuffle(len(later)-cut, func(i, j int) { later[cut+i], later[cut+j] = later[cut+j], later[cut+i] })
		if diff := cmp.Diff(before, tellAll(later, cut)); diff != "" {
			t.Fatalf("what comes later changed what was told (-before +shuffled):\n%s", diff)
		}
	}
	if after := tellAll(moves, len(moves)); len(after) <= len(before) {
		t.Error("nobody came after the cut: the test proves little")
	}
}

// tellAll folds all moves and returns what those who came among the first n were told.
func tellAll(moves []move, n int) []string {
	f := newFolding()
	var told []string
	for i, m := range moves {
		p := f.told(m)
		if i < n && m.Kind == arrived {
			told = append(told, fmt.Sprintf("%s %+v", m.Ticket, p))
		}
	}
	return told
}

func TestPastRoundTrip(t *testing.T) {
	t.Parallel()
	f := newFolding()
	for i, m := range crowd(4, 2500) {
		f.apply(m)
		if i%50 > 0 {
			continue
		}
		q := f.queues[m.Queue]
		stored := q.encode()
		var back Past
		if err := back.decode(stored); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(q.Past, back, cmp.AllowUnexported(window{}), cmp.Comparer(func(a, b []float64) bool { return fmt.Sprint(a) == fmt.Sprint(b) })); diff != "" {
			t.Fatalf("after move %d (-kept +read):\n%s", i, diff)
		}
		if len(stored) > 2300 {
			t.Fatalf("a past of %d waits takes %d bytes", len(q.Waits.waits), len(stored))
		}
	}
}

func FuzzPast(f *testing.F) {
	crowded := newFolding()
	for _, m := range crowd(4, 900) {
		crowded.apply(m)
	}
	for _, q := range crowded.queues {
		f.Add(q.encode())
	}
	f.Add([]byte{})
	f.Add([]byte{pastVersion, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var p Past
		if p.decode(b) != nil {
			return
		}
		p.Newcomer(monday, time.UTC, Line{}, nil)
		var again Past
		if err := again.decode(p.encode()); err != nil {
			t.Errorf("what was read can't be read again: %v", err)
		}
	})
}
