package bench

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"queuetrack/migrations/dbtest"
	"queuetrack/projection/wait"
)

// A short bench runs to its end, with all indexes in their place; it compares each report with the one by hand itself.
func TestQueriesAreMeasured(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	indexes := count(t, pool, `SELECT count(*) FROM pg_indexes WHERE tablename = 'wait_segment_0'`)
	plan := QueryPlan{Location: 3000, Tickets: 1200, Locations: 4, Rounds: 2}
	found, err := MeasureQuery(t.Context(), pool, plan, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	if now := count(t, pool, `SELECT count(*) FROM pg_indexes WHERE tablename = 'wait_segment_0'`); now != indexes+1 {
		t.Errorf("%d indexes, before %d: want them and the one by hand", now, indexes)
	}
	for i, want := range []struct {
		segments int64
		items    int
	}{{3000, 5 * 728}, {0, 4}, {1200, 4}, {1200, 4}, {3000, 5 * 728}, {3000, 5 * 728}} {
		q := found[i]
		if want.segments == 0 { // of a month, which has about a 24th
			want.segments = min(max(q.Segments, 30), 70)
		}
		if q.Segments != want.segments || q.Items != want.items || len(q.Product) != plan.Rounds || q.figures().P50 <= 0 {
			t.Errorf("%s: %d segments, %d items, %d rounds; want %+v", q.Name, q.Segments, q.Items, len(q.Product), want)
		}
		if yardstick := q.figures().Ratio > 0; yardstick != (i < 3) {
			t.Errorf("%s: beside a yardstick: %t", q.Name, yardstick)
		}
	}
}

// Made segments are like what goes on at a location: what is measured is not the counting of nothing.
func TestMadeSegmentsAreLikeReal(t *testing.T) {
	t.Parallel()
	ctx, pool := t.Context(), dbtest.New(t)
	if err := fillSegments(ctx, pool, 0, []location{{"one", 20_000}, {"two", 1000}}); err != nil {
		t.Fatal(err)
	}
	for what, query := range map[string]string{
		"queues":                `count(DISTINCT queue) = 5`,
		"days":                  `count(DISTINCT entered_at::date) = 520`,
		"no weekends":           `count(*) FILTER (WHERE extract(isodow FROM entered_at) > 5) = 0`,
		"four in five served":   `avg((outcome = 'served')::int) BETWEEN 0.8 AND 0.88`,
		"some of each end":      `count(DISTINCT outcome) = 6`,
		"a median of 6 minutes": `percentile_disc(0.5) WITHIN GROUP (ORDER BY wait_seconds) BETWEEN 240 AND 480`,
		"many different waits":  `count(DISTINCT wait_seconds) > 2000`,
		"longer at noon": `avg(wait_seconds) FILTER (WHERE extract(hour FROM entered_at) = 11)
			> 1.5 * avg(wait_seconds) FILTER (WHERE extract(hour FROM entered_at) = 7)`,
		"some excluded":     `min(wait_seconds) < 0 AND bool_or(self_registered)`,
		"calls in between":  `bool_and(called_at IS NULL OR wait_seconds = extract(epoch FROM called_at - entered_at))`,
		"measures that fit": `count(measures) = count(*)`,
	} {
		var right bool
		if err := pool.QueryRow(ctx, `SELECT `+query+` FROM wait_segment_0 WHERE source = 'one'`).Scan(&right); err != nil || !right {
			t.Errorf("%s: %t, %v", what, right, err)
		}
	}
}

// Numbers that differ are noticed, and items that are missing.
func TestOtherNumbersAreNoticed(t *testing.T) {
	t.Parallel()
	item := func(source string, served int64) wait.Item {
		level := 0.5
		return wait.Item{Source: source, Measures: wait.Measures{Offered: 3, Served: served, ServiceLevel: &level, Wait: wait.Stats{N: 1, Percentiles: map[int]int64{50: 7}}}}
	}
	byHand := func(items ...wait.Item) []wait.Item {
		for i := range items {
			items[i].ServiceLevel = nil
		}
		return items
	}
	empty := wait.Item{Source: "c"}
	if err := same(byHand(item("a", 1), item("b", 2)), []wait.Item{item("b", 2), item("a", 1), empty}); err != nil {
		t.Errorf("the same: %v", err)
	}
	other := item("b", 2)
	other.Wait.Percentiles = map[int]int64{50: 8}
	for what, items := range map[string][]wait.Item{
		"another count":      {item("a", 1), item("b", 3)},
		"another percentile": {item("a", 1), other},
		"one missing":        {item("a", 1)},
		"one too many":       {item("a", 1), item("b", 2), item("c", 1)},
	} {
		if err := same(byHand(item("a", 1), item("b", 2)), items); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func TestQueryFiguresAreMedians(t *testing.T) {
	t.Parallel()
	ms := func(values ...int) (turns []time.Duration) {
		for _, v := range values {
			turns = append(turns, time.Duration(v)*time.Millisecond)
		}
		return turns
	}
	found := []Query{
		{
			Name: "a report", Segments: 100, Items: 7,
			Product: [][]time.Duration{ms(10, 20, 30), ms(90, 90, 90), ms(45, 45, 45)},
			ByHand:  [][]time.Duration{ms(40, 40, 40), ms(90, 90, 90), ms(60, 60, 60)},
		},
		{Name: "alone", Product: [][]time.Duration{ms(5)}},
	}
	var table, text bytes.Buffer
	if err := errors.Join(WriteQueries(&table, found), WriteQueriesJSON(&text, found)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"100      7    45.0    90.0        60.0        90.0   0.75", "5.0     5.0           -           -      -"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, &table)
		}
	}
	for _, want := range []string{`"p50_milliseconds": 45`, `"sql_p99_milliseconds": 90`, `"ratio": 0.75`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the JSON lacks %s:\n%s", want, &text)
		}
	}
}
