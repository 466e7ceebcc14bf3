package query

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"queuetrack/api"
)

// strict refuses what an operation does not know: a misspelt filter that is passed over answers another question than
// the one asked.
func strict(ctx huma.Context, next func(huma.Context)) {
	r, w := humachi.Unwrap(ctx)
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		api.Fail(w, r, api.Invalid(api.FieldError{Pointer: "/query", Detail: badQuery}))
		return
	}
	errs := append(checkQuery(values, parameters(ctx.Operation())), checkPath(ctx)...)
	if len(errs) > 0 {
		api.Fail(w, r, api.Invalid(errs...))
		return
	}
	values.Del("min_position") // when to answer, not what
	x := &exchange{
		request: r.URL.Path + "?" + encode(values), accept: r.Header.Get("Accept"),
		known: readKnown(strings.Join(r.Header.Values("If-None-Match"), ",")),
	}
	values.Del("cursor")
	values.Del("limit")
	ctx = huma.WithValue(ctx, exchangeKey{}, x)
	next(huma.WithValue(ctx, filtersKey{}, r.URL.Path+"?"+encode(values)))
}

// badQuery is told when the query has no form at all.
const badQuery = "The query is not a list of name=value joined by & with percent-encoding, as source=city&location=City%20Hall."

// encode writes the filters in one form, whatever their order and without the empty ones.
func encode(values url.Values) string {
	for name, v := range values {
		if v[0] == "" {
			values.Del(name)
		}
	}
	return values.Encode()
}

// filtersKey finds what a list was asked for in a request's context: the path and the filters, without the page.
type filtersKey struct{}

func filtersOf(ctx context.Context) string {
	filters, _ := ctx.Value(filtersKey{}).(string)
	return filters
}

func checkQuery(values url.Values, allowed []string) []api.FieldError {
	var errs []api.FieldError
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch {
		case !slices.Contains(allowed, name):
			errs = append(errs, api.FieldError{Pointer: "/query/" + name, Detail: unknownParameter(name, allowed)})
		case len(values[name]) > 1:
			errs = append(errs, api.FieldError{Pointer: "/query/" + name, Detail: fmt.Sprintf("%s is given %d times; give it once.", name, len(values[name]))})
		case !text(values.Get(name)):
			errs = append(errs, api.FieldError{Pointer: "/query/" + name, Detail: name + " is not text: write it in UTF-8, percent-encoded (ä is %C3%A4), without NUL."})
		}
	}
	return errs
}

func unknownParameter(name string, allowed []string) string {
	if len(allowed) == 0 {
		return "There is no parameter " + quote(name) + " here; this request takes none."
	}
	return "There is no parameter " + quote(name) + " here; there are " + strings.Join(allowed, ", ") + "."
}

// checkPath refuses ids that no vendor can have sent.
func checkPath(ctx huma.Context) []api.FieldError {
	var errs []api.FieldError
	for _, p := range ctx.Operation().Parameters {
		if p.In == "path" && !text(ctx.Param(p.Name)) {
			errs = append(errs, api.FieldError{Pointer: "/path/" + p.Name, Detail: "The " + p.Name + " in the path is not text: write it in UTF-8, percent-encoded (ä is %C3%A4, / is %2F), without NUL."})
		}
	}
	return errs
}

// text reports whether s can be the id or name of anything: the database holds UTF-8 without NUL.
func text(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// quote shows what was given, cut where it is too long to be shown.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.Quote(s)
}
