package query

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// bookmark is how far a client was told of each source; the id of a stream's events. On the wire: "city:184223,store:91",
// ordered by source.
//
// It promises: whatever events up to these positions did to tickets and queues of the request's filters, has been sent.
// What was sent may be newer than that, never older.
type bookmark map[string]int64

// String writes the bookmark as it goes over the wire.
func (b bookmark) String() string {
	parts := make([]string, 0, len(b))
	for _, source := range slices.Sorted(maps.Keys(b)) {
		parts = append(parts, source+":"+strconv.FormatInt(b[source], 10))
	}
	return strings.Join(parts, ",")
}
