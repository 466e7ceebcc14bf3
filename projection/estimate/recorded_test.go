package estimate

import (
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"flag"
	"math"
	"os"
	"slices"
	"testing"
	"time"
)

var recorded = flag.String("estimate.recorded", "", "judge the estimates on the tickets in this `FILE` (columns office, queue_id, issued_at, called_at; gzip)")

// On real tickets the estimate keeps what metrics.md says of it. The file is not ours to keep in the tree: .ci/run names
// it, and `queuetrack bench estimates` asks the whole server the same.
func TestRecordedTickets(t *testing.T) {
	t.Parallel()
	if *recorded == "" {
		t.Log("no tickets were named with -estimate.recorded: nothing was judged")
		return
	}
	zone, err := time.LoadLocation("Europe/Warsaw")
	if err != nil {
		t.Fatal(err)
	}
	offices, half := readRecorded(t, zone)
	var n, below, ranged, off, hourly float64
	for _, moves := range offices {
		f := &folding{zone: zone, queues: map[string]*queue{}, others: &Others{}}
		for _, m := range moves {
			f.apply(m)
		}
		for _, w := range f.finished {
			if w.EnteredAt.Before(half) || w.Hourly == none || w.Last == none {
				continue
			}
			n++
			off += math.Abs(float64(w.Wait - w.Actual))
			hourly += math.Abs(float64(w.Hourly - w.Actual))
			if w.High != none {
				ranged++
				if w.Actual <= w.High {
					below++
				}
			}
		}
	}
	off, hourly, below = off/n/60, hourly/n/60, below/ranged
	t.Logf("%.0f arrivals of the second half of the days: %.2f min off on average, the rolling hour %.2f; %.1f %% below the upper end", n, off, hourly, below*100)
	if n < 40_000 || off > 7.7 || off > 0.75*hourly || below < 0.77 || below > 0.83 {
		t.Error("wanted: 7.7 min at most, a quarter less than the rolling hour, 77 to 83 % below the upper end")
	}
}

// readRecorded returns each office's moves in their order, and where the second half of the days begins.
func readRecorded(t *testing.T, zone *time.Location) (offices map[string][]move, half time.Time) {
	t.Helper()
	file, err := os.Open(*recorded)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	in, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(in).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := func(name string) int { return slices.Index(rows[0], name) }
	at := func(row []string, name string) time.Time {
		when, err := time.ParseInLocation("2006-01-02T15:04:05", row[column(name)], zone)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	offices = map[string][]move{}
	var days []time.Time
	for i, row := range rows[1:] {
		issued, called := at(row, "issued_at"), at(row, "called_at")
		days = append(days, time.Date(issued.Year(), issued.Month(), issued.Day(), 0, 0, 0, 0, zone))
		m := move{
			Ticket: string(rune(i)), Segment: int32(i), Kind: arrived, Queue: row[column("queue_id")], At: issued, OrderAt: issued,
			OrderPosition: int64(i), Wait: none, N: 1,
		}
		gone := m
		gone.Kind, gone.At, gone.Wait = "called", called, called.Unix()-issued.Unix()
		office := row[column("office")]
		offices[office] = append(offices[office], m, gone)
	}
	for _, moves := range offices {
		slices.SortStableFunc(moves, func(a, b move) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind)) })
		for i := range moves {
			moves[i].Position = int64(i + 1)
		}
	}
	slices.SortFunc(days, time.Time.Compare)
	days = slices.Compact(days)
	return offices, days[len(days)/2]
}
