package query

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// Paged are the parameters of every list that comes in pages.
type Paged struct {
	Limit  limit  `query:"limit" doc:"How many items at most."`
	Cursor string `query:"cursor" doc:"The next of the page before; with the same filters."`
}

// page is the part of a list that is asked for.
type page struct {
	limit   int
	after   []string // the key of the last item of the page before; nil: from the start
	filters string
}

// cursorVersion changes with the meaning of the keys.
const cursorVersion = 2

// cursor is a place in a list. Its keys are those of the last item seen, so a page neither repeats nor skips an item
// that was there, whatever is added meanwhile.
type cursor struct {
	Version int      `json:"v"`
	Key     []string `json:"k"`
}

// page reads which part is asked for; keys is how many a cursor of this list has.
func (p *parser) page(ctx context.Context, in Paged, keys int) page {
	asked := page{limit: int(p.integer("limit", string(in.Limit), DefaultLimit, 1, MaxLimit)), filters: filtersOf(ctx)}
	if in.Cursor == "" {
		return asked
	}
	key, ok := asked.decode(in.Cursor)
	if !ok || len(key) != keys {
		p.badCursor()
		return asked
	}
	asked.after = key
	return asked
}

func (p *parser) badCursor() {
	p.wrong("cursor", "cursor is not one that this request gave out: it was altered, or the filters were. Start again without it.")
}

// next returns the cursor after the item with this key.
func (a page) next(key ...string) *string {
	body, err := json.Marshal(cursor{Version: cursorVersion, Key: key})
	if err != nil {
		panic(err) // strings always encode
	}
	s := base64.RawURLEncoding.EncodeToString(append(a.sum(body), body...))
	return &s
}

// sumSize is enough for a check against mistakes; a cursor opens nothing that a filter doesn't.
const sumSize = 12

// sum binds a cursor to its filters.
func (a page) sum(body []byte) []byte {
	h := sha256.New()
	h.Write([]byte(strconv.Itoa(len(body)) + "\n"))
	h.Write(body)
	h.Write([]byte(a.filters))
	return h.Sum(nil)[:sumSize]
}

func (a page) decode(s string) ([]string, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	// There is one way to write a cursor: the decoder would let line ends and stray bits pass.
	if err != nil || len(raw) < sumSize || base64.RawURLEncoding.EncodeToString(raw) != s {
		return nil, false
	}
	sum, body := raw[:sumSize], raw[sumSize:]
	if subtle.ConstantTimeCompare(sum, a.sum(body)) != 1 {
		return nil, false
	}
	var c cursor
	if json.Unmarshal(body, &c) != nil || c.Version != cursorVersion {
		return nil, false
	}
	if slices.ContainsFunc(c.Key, func(k string) bool { return !text(k) }) {
		return nil, false
	}
	return c.Key, true
}

// afterPosition is a cursor's only key, read as a position; otherwise when there is no cursor.
func (p *parser) afterPosition(a page, otherwise int64) int64 {
	if len(a.after) == 0 {
		return otherwise
	}
	n, err := strconv.ParseInt(a.after[len(a.after)-1], 10, 64)
	if err != nil || n < 0 {
		p.badCursor()
	}
	return n
}

// afterInstant reads one of a cursor's keys as a time that can be stored: any year that a vendor or a clock may tell,
// not only those that can be asked about.
func (p *parser) afterInstant(key string) time.Time {
	n, err := strconv.ParseInt(key, 10, 64)
	t := time.UnixMicro(n).UTC()
	if err != nil || t.IsZero() || t.Year() < 1 || t.Year() > 9999 {
		p.badCursor()
	}
	return t
}

// place is where a list of what stands at positions of logs goes on: of one source, or of all for "".
type place struct {
	source      string
	afterSource string
	after       int64
}

// fromPosition reads the parameters of such a list.
func (d *Door) fromPosition(ctx context.Context, in Paged, source string) (asked page, from place, err error) {
	var p parser
	asked = p.page(ctx, in, 2)
	from = place{source: d.source(&p, source), after: p.afterPosition(asked, 0)}
	if len(asked.after) > 0 {
		from.afterSource = asked.after[0]
	}
	return asked, from, p.err()
}

// List is a page of items.
type List[T any] struct {
	Items []T     `json:"items" nullable:"false" doc:"Those of this page, in order."`
	Next  *string `json:"next" doc:"The cursor of the next page; null: this is the last one."`
}

// Folded is a list that was read from projections.
type Folded[T any] struct {
	List[T]
	When
	Positions map[string]int64 `json:"positions" doc:"How far each source's log was folded." example:"{\"city\":184223}"`
}

// trim takes one item more than the page holds as the sign that there is a next page, and makes its cursor. It is
// handed what the database gave, before anything is left out.
func trim[T any](rows []T, a page, key func(T) []string) ([]T, *string) {
	if len(rows) <= a.limit {
		return rows, nil
	}
	rows = rows[:a.limit]
	return rows, a.next(key(rows[a.limit-1])...)
}

// convert makes wire values; the list is never null.
func convert[F, T any](from []F, f func(F) T) []T {
	to := make([]T, len(from))
	for i, v := range from {
		to[i] = f(v)
	}
	return to
}

// optional is null for the zero value.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// at is null for a time that has not come.
func at(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// words are enums on the wire; never null.
func words[T ~string](list []T) []string {
	return convert(list, func(w T) string { return string(w) })
}

// decimal writes a number as a cursor's key.
func decimal(n int64) string { return strconv.FormatInt(n, 10) }
