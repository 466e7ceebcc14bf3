package wait

import "time"

// MaxBuckets is how many local hours or days the window of a report may touch.
const MaxBuckets = 100_000

// cut returns the starts of the local hours or days that a window touches, and the end of the last one.
func cut(from, to time.Time, zone *time.Location, hours bool) ([]time.Time, error) {
	step, length, unit := nextDay, 24*time.Hour, "days"
	if hours {
		step, length, unit = nextHour, time.Hour, "hours"
	}
	if int64(to.Sub(from)/length) > MaxBuckets+1 { // don't even begin
		return nil, ErrTooWide{Unit: unit, Limit: MaxBuckets}
	}
	start := dayOf(from.In(zone))
	if hours {
		for next := step(start); !next.After(from); next = step(start) {
			start = next
		}
	}
	bounds := []time.Time{start}
	for start.Before(to) {
		start = step(start)
		bounds = append(bounds, start)
	}
	if len(bounds)-1 > MaxBuckets {
		return nil, ErrTooWide{Unit: unit, Limit: MaxBuckets}
	}
	return bounds, nil
}

// dayOf is the first instant of the local day: midnight, or where clocks are put forward at midnight, what comes after.
func dayOf(t time.Time) time.Time { return startOfDay(t.Year(), t.Month(), t.Day(), t.Location()) }

// nextDay is the first instant of the next local day that there is: islands have moved across the date line.
func nextDay(start time.Time) time.Time {
	for days := 1; ; days++ {
		next := startOfDay(start.Year(), start.Month(), start.Day()+days, start.Location())
		if next.After(start) {
			return next
		}
	}
}

// startOfDay is the first instant of a date. Where midnight is skipped, time.Date answers with an instant of the day
// before or one too late; where it comes twice, the first one counts.
func startOfDay(year int, month time.Month, day int, zone *time.Location) time.Time {
	noon := time.Date(year, month, day, 12, 0, 0, 0, zone)
	midnight := time.Date(year, month, day, 0, 0, 0, 0, zone)
	if midnight.Day() == noon.Day() && midnight.Hour() == 0 && midnight.Minute() == 0 {
		if earlier := midnight.Add(-time.Hour); earlier.Day() == noon.Day() {
			return earlier
		}
		return midnight
	}
	// Skipped: the transition itself is the first instant.
	before := midnight.Add(-3 * time.Hour)
	_, transition := before.ZoneBounds()
	return transition.In(zone)
}

// nextHour is when the local clock next shows another hour of the day, or the same one again: where clocks go back by an
// hour, the hour that comes twice is two buckets; where they go back by half an hour, one bucket has one and a half.
func nextHour(start time.Time) time.Time {
	next := start.Add(time.Hour - sinceFullHour(start))
	_, change := start.ZoneBounds()
	if change.IsZero() || change.After(next) {
		return next
	}
	change = change.In(start.Location())
	if past := sinceFullHour(change); past != 0 && change.Hour() == start.Hour() && change.Day() == start.Day() {
		return change.Add(time.Hour - past)
	}
	return change
}

// sinceFullHour is how far the local clock is past the full hour.
func sinceFullHour(t time.Time) time.Duration {
	return time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second
}

// weekOf is the ISO week of a local day: from Monday to Monday.
func weekOf(t time.Time) (start, end time.Time) {
	monday := t.Day() - isoWeekday(t) + 1
	return startOfDay(t.Year(), t.Month(), monday, t.Location()), startOfDay(t.Year(), t.Month(), monday+7, t.Location())
}

func monthOf(t time.Time) (start, end time.Time) {
	return startOfDay(t.Year(), t.Month(), 1, t.Location()), startOfDay(t.Year(), t.Month()+1, 1, t.Location())
}

// isoWeekday counts from Monday, 1.
func isoWeekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }
