package wait

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/migrations/dbtest"
)

func load(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// bucketsOf are the buckets of a report by hour or day.
func bucketsOf(zone *time.Location, from, to time.Time, by GroupKey) (calendar, error) {
	r := Request{Sources: []string{"city"}, Zone: zone, From: from, To: to, GroupBy: []GroupKey{by}, Formula: F4}
	return calendarOf(r, from, to)
}

func (c calendar) count() int { return len(c.of) }

// A day has 23, 24 or 25 hours, and starts when it starts.
func TestDaysOfAnyLength(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		zone, day string
		hours     []float64 // of the day before, the day and the day after
	}{
		{"Europe/Tallinn", "2026-03-29", []float64{24, 23, 24}},
		{"Europe/Tallinn", "2026-10-25", []float64{24, 25, 24}},
		{"America/New_York", "2026-11-01", []float64{24, 25, 24}},
		{"Asia/Kolkata", "2026-03-29", []float64{24, 24, 24}},
		{"America/Sao_Paulo", "2018-11-04", []float64{24, 23, 24}}, // midnight is skipped
		{"America/Havana", "2024-11-03", []float64{24, 25, 24}},    // midnight comes twice
		{"Australia/Lord_Howe", "2026-04-05", []float64{24, 24.5, 24}},
		{"Pacific/Apia", "2011-12-31", []float64{24, 24, 24}}, // the 30th never was
	} {
		zone := load(t, test.zone)
		day, err := time.ParseInLocation("2006-01-02 15", test.day+" 12", zone)
		if err != nil {
			t.Fatal(err)
		}
		start := dayOf(day)
		before := dayOf(start.Add(-time.Minute))
		b, err := bucketsOf(zone, before, nextDay(nextDay(start)), ByDay)
		if err != nil || b.count() != 3 {
			t.Errorf("%s %s: %v, %v; want 3 days", test.zone, test.day, b, err)
			continue
		}
		for i, want := range test.hours {
			if got := b.bounds[i+1].Sub(b.bounds[i]).Hours(); got != want {
				t.Errorf("%s: the day from %s has %v hours; want %v", test.zone, b.bounds[i], got, want)
			}
		}
	}
}

// Hours begin when the local clock shows a full hour, and all hours of a window are its days.
func TestHoursAreLocal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		zone, day string
		hours     int
	}{
		{"Europe/Tallinn", "2026-10-25", 25},
		{"Europe/Tallinn", "2026-03-29", 23},
		{"Asia/Kathmandu", "2026-03-29", 24},
		{"Asia/Kolkata", "2026-03-29", 24},
		{"Australia/Lord_Howe", "2026-04-05", 24},
		{"Australia/Lord_Howe", "2026-10-04", 24}, // one of half an hour: 02:30 to 03:00
		{"America/Sao_Paulo", "2018-11-04", 23},
		{"America/Havana", "2024-11-03", 25},
	} {
		zone := load(t, test.zone)
		day, err := time.ParseInLocation("2006-01-02 15", test.day+" 12", zone)
		if err != nil {
			t.Fatal(err)
		}
		from, to := dayOf(day), nextDay(dayOf(day))
		b, err := bucketsOf(zone, from, to, ByHour)
		if err != nil || b.count() != test.hours {
			t.Errorf("%s %s has %d hours, %v; want %d", test.zone, test.day, b.count(), err, test.hours)
			continue
		}
		if !b.bounds[0].Equal(from) || !b.bounds[b.count()].Equal(to) {
			t.Errorf("%s: hours from %s to %s are not the day's", test.zone, b.bounds[0], b.bounds[b.count()])
		}
		for _, bound := range b.bounds[1:] {
			if sinceFullHour(bound) != 0 && bound.Format("15:04") != "02:30" {
				t.Errorf("%s: an hour begins at %s", test.zone, bound)
			}
		}
	}
}

func TestWindowInsideABucket(t *testing.T) {
	t.Parallel()
	zone := load(t, "Asia/Kolkata")
	from := time.Date(2026, 11, 20, 10, 40, 0, 0, zone)
	b, err := bucketsOf(zone, from, from.Add(time.Hour), ByHour)
	if err != nil || b.count() != 2 || b.bounds[0].Hour() != 10 || b.bounds[0].Minute() != 0 {
		t.Errorf("hours that 10:40 to 11:40 touches: %v, %v", b, err)
	}
}

// Postgres, where its zones are of the same version, cuts days and hours in the same places.
func TestBucketsAreDateTruncs(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	for _, name := range []string{"Europe/Tallinn", "Europe/Oslo", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "UTC"} {
		for unit, by := range map[string]GroupKey{"day": ByDay, "hour": ByHour} {
			zone := load(t, name)
			from := time.Date(2025, 10, 20, 0, 0, 0, 0, zone)
			b, err := bucketsOf(zone, from, from.AddDate(0, 0, 200), by)
			if err != nil {
				t.Fatal(err)
			}
			rows, err := pool.Query(t.Context(), `
				SELECT DISTINCT date_trunc($1, at, $2) AS start
				FROM generate_series($3::timestamptz, $4::timestamptz - interval '1 s', interval '15 min') AS at
				ORDER BY start`, unit, name, b.bounds[0], b.bounds[b.count()])
			if err != nil {
				t.Fatal(err)
			}
			starts, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
			if err != nil {
				t.Fatal(err)
			}
			if len(starts) != b.count() {
				t.Errorf("%s: %d of a %s; Postgres has %d", name, b.count(), unit, len(starts))
				continue
			}
			for i, start := range starts {
				if !start.Equal(b.bounds[i]) {
					t.Errorf("%s: %s %d begins at %s; by Postgres at %s", name, unit, i, b.bounds[i], start)
				}
			}
		}
	}
}

func TestWindowsThatAreTooWide(t *testing.T) {
	t.Parallel()
	from := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for by, to := range map[GroupKey]time.Time{ByHourOfDay: from.AddDate(12, 0, 0), ByWeek: from.AddDate(3000, 0, 0), ByDay: from.AddDate(0, 0, 100_001)} {
		_, err := bucketsOf(time.UTC, from, to, by)
		var wide ErrTooWide
		if !errors.As(err, &wide) || wide.Limit != MaxBuckets {
			t.Errorf("by %s until %s: %v", by, to, err)
		}
	}
	if c, err := bucketsOf(time.UTC, from, from.AddDate(0, 0, 100_000), ByDay); err != nil || c.count() != MaxBuckets {
		t.Errorf("100,000 days: %d, %v", c.count(), err)
	}
}
