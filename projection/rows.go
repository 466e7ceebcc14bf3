package projection

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"queuetrack/eventstore"
)

// StoredTime is the instant as a timestamptz column returns it: in UTC, to the microsecond.
func StoredTime(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// NullTime is StoredTime for a column that has NULL for the zero time.
func NullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = StoredTime(t)
	return &t
}

// TimeOf reads what NullTime wrote.
func TimeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// RowKey is what a row of one source is found by: its ticket and a number in it (a position, a count from 1), or, where
// it belongs to no ticket, an id.
type RowKey struct {
	Ticket string
	N      int64
	ID     string
}

func (k RowKey) compare(other RowKey) int {
	if c := strings.Compare(k.Ticket+"\x00"+k.ID, other.Ticket+"\x00"+other.ID); c != 0 {
		return c
	}
	return int(k.N - other.N)
}

func (k RowKey) String() string {
	var parts []string
	if k.ID != "" {
		parts = append(parts, k.ID)
	}
	if k.N != 0 {
		parts = append(parts, fmt.Sprint(k.N))
	}
	if len(parts) == 0 {
		return ""
	}
	return " " + strings.Join(parts, " ")
}

// Compare reports each difference between the stored rows of a table and those that the log demands. The stored ones
// are streamed, so that any number of rows too many takes no memory. The row type's fields name the columns.
func Compare[R comparable](table, source string, stored pgx.Rows, scan func(pgx.CollectableRow) (RowKey, R, error), want map[RowKey]R, report func(eventstore.Violation)) error {
	found := make(map[RowKey]bool, len(want))
	say := func(k RowKey, what string) {
		report(eventstore.Violation{Source: source, Ticket: k.Ticket, What: fmt.Sprintf("%s: row%s %s", table, k, what)})
	}
	defer stored.Close()
	for stored.Next() {
		key, row, err := scan(stored)
		if err != nil {
			return fmt.Errorf("compare %s of %s: %w", table, source, err)
		}
		wanted, ok := want[key]
		found[key] = ok
		switch {
		case !ok:
			delete(found, key)
			say(key, "is too many: the log knows nothing of it")
		case row != wanted:
			say(key, "differs from the log: "+difference(row, wanted))
		}
	}
	if err := stored.Err(); err != nil {
		return fmt.Errorf("compare %s of %s: %w", table, source, err)
	}
	var missing []RowKey
	for key := range want {
		if !found[key] {
			missing = append(missing, key)
		}
	}
	slices.SortFunc(missing, RowKey.compare)
	for _, key := range missing {
		say(key, "is missing")
	}
	return nil
}

// difference names the columns that differ, with short values.
func difference(stored, wanted any) string {
	s, w := reflect.ValueOf(stored), reflect.ValueOf(wanted)
	var parts []string
	for i := range s.NumField() {
		got, want := fmt.Sprint(s.Field(i).Interface()), fmt.Sprint(w.Field(i).Interface())
		if got == want {
			continue
		}
		name := strings.ToLower(s.Type().Field(i).Name)
		if len(got)+len(want) > 120 {
			parts = append(parts, name)
			continue
		}
		parts = append(parts, fmt.Sprintf("%s is %q, should be %q", name, got, want))
	}
	return strings.Join(parts, ", ")
}
