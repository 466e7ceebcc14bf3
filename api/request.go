package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
)

// recordKey finds the request's record in its context.
type recordKey struct{}

// record is what is noted about a request on its way, for its log line. One goroutine writes it: the request's own.
type record struct {
	id     string
	client Client
	err    error
	stack  string
	attrs  []slog.Attr
}

// The most that a log line shows of what a sender chose, in bytes.
const (
	shownMethod = 16
	shownPath   = 200
)

// RequestID returns the id of the request of ctx, as in its X-Request-Id header; "" outside of [Wrap].
func RequestID(ctx context.Context) string {
	if rec, ok := ctx.Value(recordKey{}).(*record); ok {
		return rec.id
	}
	return ""
}

// note keeps the cause of a failure for the log line.
func note(ctx context.Context, err error) {
	if rec, ok := ctx.Value(recordKey{}).(*record); ok {
		rec.err = err
	}
}

// Annotate adds to the log line of the request of ctx: nothing that a stranger may choose the length of. It belongs to
// the request's own goroutine.
func Annotate(ctx context.Context, attrs ...slog.Attr) {
	if rec, ok := ctx.Value(recordKey{}).(*record); ok {
		rec.attrs = append(rec.attrs, attrs...)
	}
}

// Wrap gives every request an id, the security headers, a recovered panic and one log line. The line never holds a
// header, a body or a query. 50 requests a second and status get theirs; a line of its own counts the others, once the
// next request comes.
func Wrap(log *slog.Logger, next http.Handler) http.Handler {
	lines := &gate{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		rec := &record{id: uuid.NewString()}
		r = r.WithContext(context.WithValue(r.Context(), recordKey{}, rec))
		out := &response{ResponseWriter: w}
		if r.Body != nil && r.Body != http.NoBody {
			out.request = &requestBody{ReadCloser: r.Body}
			r.Body = out.request
		}
		secure(out.Header(), rec.id)
		aborted := true
		defer func() {
			if held := lines.next(time.Now()); held > 0 {
				log.LogAttrs(r.Context(), slog.LevelInfo, "requests without a line of their own", slog.Int("count", held))
			}
			level := levelOf(r, rec, out)
			if log.Enabled(r.Context(), level) && lines.pass(out.Status()) {
				logRequest(log, level, r, rec, out, time.Since(started), aborted)
			}
		}()
		serve(next, out, r, rec)
		aborted = false
	})
}

// secure sets what every answer carries; a page that needs more loosens it for itself.
func secure(h http.Header, id string) {
	values := [...]string{id, "nosniff", "DENY", "no-referrer", "same-origin", "default-src 'none'; frame-ancestors 'none'", "no-store"}
	for i, name := range [...]string{
		"X-Request-Id", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cross-Origin-Resource-Policy",
		"Content-Security-Policy", "Cache-Control",
	} {
		h[name] = values[i : i+1 : i+1] // as Set would, with one allocation for all
	}
}

// serve calls next and turns a panic into a 500. An aborted handler goes on panicking: the server hangs up.
func serve(next http.Handler, w *response, r *http.Request, rec *record) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		rec.stack = string(debug.Stack())
		rec.err = fmt.Errorf("panic: %v", p)
		if p == http.ErrAbortHandler || w.status != 0 { //nolint:errorlint // compared as the server itself does
			panic(http.ErrAbortHandler)
		}
		Fail(w, r, rec.err)
	}()
	next.ServeHTTP(w, r)
}

// levelOf is debug for health, error for our own failures.
func levelOf(r *http.Request, rec *record, w *response) slog.Level {
	switch {
	case rec.stack != "" || w.status == http.StatusInternalServerError:
		return slog.LevelError
	case rec.err != nil:
		return slog.LevelWarn
	case quiet(r.URL.Path):
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// logRequest writes the request's one line.
func logRequest(log *slog.Logger, level slog.Level, r *http.Request, rec *record, w *response, took time.Duration, aborted bool) {
	attrs := []slog.Attr{
		slog.String("request_id", rec.id),
		slog.String("method", shown(r.Method, shownMethod)),
		slog.String("path", shown(r.URL.Path, shownPath)),
		slog.Int("status", w.Status()),
		slog.Int64("bytes", w.written),
		slog.Float64("duration_seconds", took.Seconds()),
	}
	if rec.client.Addr.IsValid() {
		attrs = append(attrs, slog.String("client", rec.client.Addr.String()))
	}
	attrs = append(attrs, rec.attrs...)
	if rec.err != nil {
		attrs = append(attrs, slog.String("error", rec.err.Error()))
	}
	if rec.stack != "" {
		attrs = append(attrs, slog.String("stack", rec.stack))
	}
	if aborted {
		attrs = append(attrs, slog.Bool("aborted", true))
	}
	log.LogAttrs(r.Context(), level, "request", attrs...)
}

// shown is as much of s as a log line holds.
func shown(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// quiet reports whether the path is asked for all day by machines.
func quiet(path string) bool {
	return path == LivePath || path == ReadyPath || path == MetricsPath
}
