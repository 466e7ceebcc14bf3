package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"queuetrack/api"
)

// Wire types of parameters. They are all strings, which we parse ourselves; their schemas say what they mean.
type (
	instant string // RFC 3339
	moment  string // RFC 3339, or a local date
	integer string
	limit   string
)

// Schema implements huma.SchemaProvider.
func (instant) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Examples: []any{"2026-11-20T07:30:00Z"}}
}

// Schema implements huma.SchemaProvider.
func (moment) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Examples: []any{"2026-11-20", "2026-11-20T09:00:00+02:00"}}
}

// Schema implements huma.SchemaProvider.
func (integer) Schema(huma.Registry) *huma.Schema {
	zero := 0.0
	return &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &zero}
}

// The bounds of a page.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// Schema implements huma.SchemaProvider.
func (limit) Schema(huma.Registry) *huma.Schema {
	least, most := 1.0, float64(MaxLimit)
	return &huma.Schema{Type: huma.TypeInteger, Format: "int32", Minimum: &least, Maximum: &most, Default: DefaultLimit}
}

// parser reads parameters and collects what is wrong with them. An empty parameter is an absent one.
type parser struct{ errs []api.FieldError }

// wrong notes a mistake; the text names the parameter, what was given and what is allowed.
func (p *parser) wrong(name, format string, args ...any) {
	p.errs = append(p.errs, api.FieldError{Pointer: "/query/" + name, Detail: fmt.Sprintf(format, args...)})
}

// err returns all mistakes as one problem, or nil.
func (p *parser) err() error {
	if len(p.errs) == 0 {
		return nil
	}
	return api.Invalid(p.errs...)
}

// instant reads an RFC 3339 time; zero when absent.
func (p *parser) instant(name string, s instant) time.Time {
	if s == "" {
		return time.Time{}
	}
	t, ok := parseInstant(string(s))
	if !ok {
		p.wrong(name, "%s is %s; give an instant of the years 1970 to 9998, as 2026-11-20T09:00:00Z or 2026-11-20T09:00:00+02:00 (a + in a URL is written %%2B).", name, quote(string(s)))
	}
	return t
}

// moment reads an instant, or the local midnight that begins a date; zero when absent.
func (p *parser) moment(name string, s moment, zone *time.Location) time.Time {
	if s == "" {
		return time.Time{}
	}
	if t, err := time.ParseInLocation(time.DateOnly, string(s), zone); err == nil && askable(t) {
		return t
	}
	t, ok := parseInstant(string(s))
	if !ok {
		p.wrong(name, "%s is %s; give a date as 2026-11-20 or an instant as 2026-11-20T09:00:00Z, of the years 1970 to 9998.", name, quote(string(s)))
	}
	return t
}

// parseInstant takes a space for the + that a URL turned into one.
func parseInstant(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, strings.Replace(s, " ", "+", 1))
	if err != nil || !askable(t) {
		return time.Time{}, false
	}
	return t, true
}

// askable reports whether questions can be about the instant: RFC 3339 can write it in any zone, and it is not Go's
// zero time, which stands for an absent one. Vendors may tell of any other.
func askable(t time.Time) bool { return t.Year() >= 1970 && t.Year() < 9999 }

// integer reads a whole number of least to most; absent: otherwise.
func (p *parser) integer(name, s string, otherwise, least, most int64) int64 {
	if s == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < least || n > most {
		p.wrong(name, "%s is %s; it must be a whole number from %d to %d.", name, quote(s), least, most)
		return otherwise
	}
	return n
}

// oneOf reads one of some words; absent: otherwise.
func oneOf[T ~string](p *parser, name, s string, otherwise T, allowed []T) T {
	if s == "" {
		return otherwise
	}
	if !slices.Contains(allowed, T(s)) {
		p.wrong(name, "%s is %s; it must be one of %s.", name, quote(s), join(allowed))
		return otherwise
	}
	return T(s)
}

// source reads the name of a configured source; empty when absent.
func (d *Door) source(p *parser, name string) string {
	if name != "" && !d.known(name) {
		p.wrong("source", "source is %s; the configured ones are %s.", quote(name), d.listSources())
	}
	return name
}

func (d *Door) listSources() string {
	if len(d.names) == 0 {
		return "none"
	}
	return strings.Join(d.names, ", ")
}

func join[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}
