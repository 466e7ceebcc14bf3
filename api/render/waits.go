// Package render turns a report into bytes: JSON, CSV, or a table for a terminal. Values in, bytes out: it knows
// neither HTTP nor SQL, and the command and the REST door get the same bytes from it.
package render

import (
	"fmt"
	"io"
	"slices"
	"time"

	"queuetrack/projection/wait"
)

// Waits is a wait report, and how far each source had been folded when it was computed.
type Waits struct {
	wait.Report
	Names     map[wait.QueueID]string // of queues; one that is not in it is called by its id
	Positions map[string]int64
}

// Format is how a report is written.
type Format string

// The formats.
const (
	FormatTable Format = "table"
	FormatCSV   Format = "csv"
	FormatJSON  Format = "json"
)

// Formats lists every format.
var Formats = []Format{FormatTable, FormatCSV, FormatJSON}

// Write writes the report in the format.
func (r Waits) Write(w io.Writer, f Format) error {
	switch f {
	case FormatTable:
		return r.WriteTable(w)
	case FormatCSV:
		return r.WriteCSV(w)
	case FormatJSON:
		return r.WriteJSON(w)
	}
	return fmt.Errorf("write the report as %q: the formats are %v", f, Formats)
}

// LowN is the number of samples below which percentiles say little, and are marked.
const LowN = 10

// exclusions are the causes of wait.Item.Excluded, in the order of the columns.
var exclusions = []string{"negative_wait", "negative_service", "self_registered"}

// keys returns what identifies an item: its groups, in the order asked for. Queues, desks and agents of several sources may
// share an id, so there the source is told too.
func (r Waits) keys() []wait.GroupKey {
	keys := r.GroupBy
	if len(r.Sources) > 1 && !slices.Contains(keys, wait.BySource) && slices.ContainsFunc(keys, ofSource) {
		keys = append([]wait.GroupKey{wait.BySource}, keys...)
	}
	return keys
}

func ofSource(k wait.GroupKey) bool {
	return k == wait.ByQueue || k == wait.ByDesk || k == wait.ByAgent
}

// queueName is what the queue of an item is called, in a report by queue.
func (r Waits) queueName(item wait.Item) string {
	if name := r.Names[wait.QueueID{Source: item.Source, Queue: item.Queue}]; name != "" {
		return name
	}
	return item.Queue
}

// key is an item's group by one dimension, as a text.
func (r Waits) key(item wait.Item, k wait.GroupKey) string {
	switch k {
	case wait.BySource:
		return item.Source
	case wait.ByLocation:
		return item.Location
	case wait.ByQueue:
		return item.Queue
	case wait.ByDesk:
		return item.Desk
	case wait.ByAgent:
		return item.Agent
	case wait.ByHour:
		return item.Start.In(r.Zone).Format("2006-01-02T15:04")
	case wait.ByDay:
		return item.Start.In(r.Zone).Format(time.DateOnly)
	case wait.ByWeek:
		year, week := item.Start.In(r.Zone).ISOWeek()
		return fmt.Sprintf("%04d-W%02d", year, week)
	case wait.ByMonth:
		return item.Start.In(r.Zone).Format("2006-01")
	case wait.ByWeekday:
		return integer(int64(item.Weekday))
	case wait.ByHourOfDay:
		return integer(int64(item.HourOfDay))
	}
	return ""
}

// keyValue is an item's group by one dimension, as JSON has it: weekdays and hours of the day are numbers.
func (r Waits) keyValue(item wait.Item, k wait.GroupKey) any {
	switch k {
	case wait.ByWeekday:
		return item.Weekday
	case wait.ByHourOfDay:
		return item.HourOfDay
	case wait.BySource, wait.ByLocation, wait.ByQueue, wait.ByDesk, wait.ByAgent, wait.ByHour, wait.ByDay, wait.ByWeek, wait.ByMonth:
	}
	return r.key(item, k)
}

// byTime reports whether items are buckets of time, each with a beginning and an end.
func (r Waits) byTime() bool {
	return slices.ContainsFunc(r.GroupBy, func(k wait.GroupKey) bool {
		return k == wait.ByHour || k == wait.ByDay || k == wait.ByWeek || k == wait.ByMonth
	})
}

// local is an instant with the report's offset, as RFC 3339.
func (r Waits) local(t time.Time) string { return t.In(r.Zone).Format(time.RFC3339Nano) }
