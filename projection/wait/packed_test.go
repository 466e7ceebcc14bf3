package wait

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"queuetrack/eventstore"
	"queuetrack/eventstore/ticket"
	"queuetrack/migrations/dbtest"
	"queuetrack/projection"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// store writes each segment as a ticket of its own.
func store(t *testing.T, pool *pgxpool.Pool, source string, segments []ticket.Segment) {
	t.Helper()
	var changes []projection.Change
	for i, s := range segments {
		changes = append(changes, projection.Change{
			Event: eventstore.Event{Source: source, Position: int64(i + 1)}, Ticket: fmt.Sprint("t", i),
			After: ticket.State{Status: ticket.StatusServed, Segments: []ticket.Segment{s}},
		})
	}
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return Model{}.Write(t.Context(), tx, 0, source, changes) })
	if err != nil {
		t.Fatal(err)
	}
}

// sampleOf is what counts of a segment, by its row's columns.
func sampleOf(s ticket.Segment) sample {
	row := segmentRowsOf(ticket.State{Segments: []ticket.Segment{s}})[0]
	return sample{outcomeOf(ticket.Outcome(row.Outcome)), !row.CalledAt.IsZero(), row.SelfRegistered, int64(row.Recalls), row.WaitSeconds, row.ServiceSeconds}
}

// lengths are waits and services around everything that may go wrong with them.
var lengths = []int64{
	-1e11, -1, 0, 1, 2, 300, 301, dense - 1, dense, dense + 1, 1<<26 - 4, 1<<26 - 3, 1<<26 - 2, 1<<26 - 1, 1 << 26, 1 << 31, 1<<32 + 5, 1 << 36,
}

// strange are segments of every outcome with every length, in the days after noon.
func strange(seed uint64) (segments []ticket.Segment) {
	rng := rand.New(rand.NewPCG(seed, 5))
	for _, outcome := range ticket.Outcomes {
		for _, wait := range lengths {
			for _, called := range []bool{false, true} {
				s := ticket.Segment{Queue: fmt.Sprint("q", rng.IntN(2)), Outcome: outcome, Recalls: rng.IntN(2) * rng.IntN(2) * rng.IntN(130)}
				s.EnteredAt = noon.Add(time.Duration(rng.IntN(3*24*3600)) * time.Second)
				over := time.Unix(s.EnteredAt.Unix()+wait, 0).UTC()
				if called {
					s.CalledAt = over
				}
				if outcome != ticket.OutcomeOpen {
					s.LeftAt = over
				}
				if outcome == ticket.OutcomeServed {
					s.LeftAt = time.Unix(over.Unix()+lengths[rng.IntN(len(lengths))], 0).UTC()
				}
				if rng.IntN(10) == 0 {
					s.Flags = []ticket.Flag{ticket.FlagSelfRegistered}
				}
				segments = append(segments, s)
			}
		}
	}
	return segments
}

// What Postgres packs is what is unpacked, unless it is null: which it is for what doesn't fit, and only for that.
func TestPackedIsWhatPostgresPacks(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	segments := strange(1)
	store(t, pool, "city", segments)
	rows, err := pool.Query(t.Context(), `SELECT substr(ticket, 2)::int, measures, measures IS NULL FROM wait_segment_0`)
	if err != nil {
		t.Fatal(err)
	}
	var n, odd int
	var measures pgtype.DriverBytes
	var null bool
	_, err = pgx.ForEachRow(rows, []any{&n, &measures, &null}, func() error {
		want, fits := sampleOf(segments[n]), func(seconds int64) bool { return seconds < 1<<26-2 }
		if null == (fits(want.wait) && fits(want.service) && want.recalls < 64) {
			t.Errorf("%+v: null is %t", want, null)
		}
		if null {
			odd++
		}
		for _, seconds := range []*int64{&want.wait, &want.service} {
			if *seconds < 0 && *seconds != none {
				*seconds = -1
			}
		}
		return eachPacked(measures, func(p packed) {
			if got := p.sample(); got != want {
				t.Errorf("%+v is packed as %+v", want, got)
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if odd < 50 || odd > len(segments)/2 {
		t.Errorf("%d of %d segments don't fit", odd, len(segments))
	}
}

// A report counts every segment once, whether its measures fit or not, in one row of a place or several.
func TestEverySegmentCounts(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	all := map[string][]ticket.Segment{"city": strange(2), "store": strange(3)}
	for source, segments := range all {
		store(t, pool, source, segments)
	}
	for _, groupBy := range [][]GroupKey{nil, {BySource}, {ByDay}, {ByQueue, ByDay}, {ByDay, ByHourOfDay}} {
		r := Request{
			Sources: []string{"city", "store"}, From: noon, To: noon.AddDate(0, 0, 3), Zone: time.UTC, GroupBy: groupBy,
			Percentiles: []int{1, 50, 90, 99}, ServiceLevel: 300, Formula: F4,
		}
		want, got := map[string]Measures{}, map[string]Measures{}
		for key, samples := range samplesBy(r, all) {
			var c counts
			for _, s := range samples {
				c.add(s, r.ServiceLevel)
			}
			want[key] = c.measures(r)
		}
		err := projection.NewReader(pool).View(t.Context(), func(v *projection.View) error {
			report, err := Run(t.Context(), v, r)
			for _, item := range report.Items {
				if item.Offered > 0 {
					got[fmt.Sprint(item.Source, item.Queue, item.Start.Unix(), item.HourOfDay)] = item.Measures
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("by %v (-want +got):\n%s", groupBy, diff)
		}
	}
}

// samplesBy are the segments' samples by the items they belong to.
func samplesBy(r Request, all map[string][]ticket.Segment) map[string][]sample {
	by := map[string][]sample{}
	for source, segments := range all {
		for _, s := range segments {
			var item Item
			if r.bySource() {
				item.Source = source
			}
			if r.by(ByQueue) {
				item.Queue = s.Queue
			}
			if r.by(ByDay) {
				item.Start = s.EnteredAt.Truncate(24 * time.Hour)
			}
			if r.by(ByHourOfDay) {
				item.HourOfDay = s.EnteredAt.Hour()
			}
			key := fmt.Sprint(item.Source, item.Queue, item.Start.Unix(), item.HourOfDay)
			by[key] = append(by[key], sampleOf(s))
		}
	}
	return by
}

// A string that is cut in the middle of a segment is an error.
func TestBrokenMeasures(t *testing.T) {
	t.Parallel()
	for _, length := range []int{1, 7, 9, 17} {
		if err := eachPacked(make([]byte, length), func(packed) {}); err == nil {
			t.Errorf("%d bytes: no error", length)
		}
	}
}

// Percentiles are those of the sorted values, however they are kept.
func TestPercentilesOfManyValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{1, 2, 9, 10, 100, many - 1, many, many + 1, 3 * many}).Draw(t, "n")
		most := rapid.SampledFrom([]int64{1, 5, 7200, dense - 1, dense, 2 * dense, 1 << 40}).Draw(t, "most")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		var s spread
		var sorted []int64
		var sum int64
		for range n {
			v := rng.Int64N(most + 1)
			s.add(v)
			sorted, sum = append(sorted, v), sum+v
		}
		slices.Sort(sorted)
		percentiles := []int{1, 50, 80, 90, 95, 99}
		want := Stats{N: int64(n), Mean: float64(sum) / float64(n), Max: sorted[n-1], Percentiles: map[int]int64{}}
		for _, p := range percentiles {
			want.Percentiles[p] = sorted[(n*p+99)/100-1]
		}
		if diff := gocmp.Diff(want, s.stats(percentiles)); diff != "" {
			t.Errorf("%d values up to %d (-want +got):\n%s", n, most, diff)
		}
	})
}
