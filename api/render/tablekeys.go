package render

import (
	"slices"
	"strconv"
	"time"

	"queuetrack/projection/wait"
)

// keyColumn is what tables for people show of an item's group.
type keyColumn struct {
	name    string
	text    func(wait.Item) string
	foreign bool // a vendor's text
}

// keyColumns are the groups of the report, in the order asked for, with the names of queues.
func (r Waits) keyColumns() (list []keyColumn) {
	for _, key := range r.keys() {
		list = append(list, keyColumn{spaced(string(key)), func(item wait.Item) string { return r.keyText(item, key) }, !isTime(key)})
		if key == wait.ByQueue && slices.ContainsFunc(r.Items, func(item wait.Item) bool { return r.queueName(item) != item.Queue }) {
			list = append(list, keyColumn{"name", func(item wait.Item) string { return printable(r.queueName(item)) }, true})
		}
	}
	return list
}

// keyText is a key as people read it.
func (r Waits) keyText(item wait.Item, key wait.GroupKey) string {
	switch key {
	case wait.ByWeekday:
		return weekdayName(item.Weekday)
	case wait.ByHourOfDay:
		return hourName(item.HourOfDay)
	case wait.ByDay:
		return item.Start.In(r.Zone).Format("2006-01-02 Mon")
	case wait.ByHour:
		return hourText(item.Start.In(r.Zone))
	case wait.BySource, wait.ByLocation, wait.ByQueue, wait.ByDesk, wait.ByAgent, wait.ByWeek, wait.ByMonth:
	}
	if text := printable(r.key(item, key)); text != "" {
		return text
	}
	return absent
}

// hourText is the beginning of an hour, with its offset where the clock shows that hour twice.
func hourText(t time.Time) string {
	const layout = "2006-01-02 15:04"
	text := t.Format(layout)
	if text == t.Add(time.Hour).Format(layout) || text == t.Add(-time.Hour).Format(layout) {
		text += t.Format(" -07:00")
	}
	return text
}

// weekdayName is the short name of a day, of which Monday is 1.
func weekdayName(n int) string { return time.Weekday(n % 7).String()[:3] }

// hourName is the beginning of an hour of the day.
func hourName(n int) string { return strconv.Itoa(n/10) + strconv.Itoa(n%10) + ":00" }

// period is a window: dates where it begins and ends at midnight.
func (r Waits) period(from, to time.Time) string { return windowText(from.In(r.Zone), to.In(r.Zone)) }

func windowText(from, to time.Time) string {
	layout := "2006-01-02 15:04"
	if isMidnight(from) && isMidnight(to) {
		layout = time.DateOnly
	}
	return from.Format(layout) + " – " + to.Format(layout)
}

func isMidnight(t time.Time) bool {
	h, m, s := t.Clock()
	return h == 0 && m == 0 && s == 0 && t.Nanosecond() == 0
}
