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

// AttributedBy is how segments are attributed to a window: by their entry.
const AttributedBy = "arrival"

// LowN is the number of samples below which percentiles say little, and are marked.
const LowN = 10

// exclusions are the causes of wait.Item.Excluded, in the order of the columns.
var exclusions = []string{"negative_wait", "negative_service", "self_registered"}

// keys returns what identifies an item: its groups, in the order asked for. Queues of several sources may share an id,
// so there the source is told too.
func (r Waits) keys() []wait.GroupKey {
	keys := r.GroupBy
	if len(r.Sources) > 1 && slices.Contains(keys, wait.ByQueue) && !slices.Contains(keys, wait.BySource) {
		keys = append([]wait.GroupKey{wait.BySource}, keys...)
	}
	return keys
}

// key is an item's group by one dimension.
func (r Waits) key(item wait.Item, k wait.GroupKey) string {
	switch k {
	case wait.BySource:
		return item.Source
	case wait.ByQueue:
		return item.Queue
	case wait.ByDay:
		return item.Start.In(r.Zone).Format(time.DateOnly)
	case wait.ByHour:
		return item.Start.In(r.Zone).Format("2006-01-02T15:04")
	}
	return ""
}

// byTime reports whether items are buckets of time.
func (r Waits) byTime() bool {
	return slices.Contains(r.GroupBy, wait.ByDay) || slices.Contains(r.GroupBy, wait.ByHour)
}

// local is an instant with the report's offset, as RFC 3339.
func (r Waits) local(t time.Time) string { return t.In(r.Zone).Format(time.RFC3339Nano) }
