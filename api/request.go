package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
)

// recordKey finds the request's record in its context.
type recordKey struct{}

// record is what is noted about a request on its way, for its log line. One goroutine writes it: the request's own.
type record struct {
	id    string
	err   error
	stack string
}

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

// Wrap gives every request an id, the security headers, a recovered panic and one log line. The line never holds a
// header, a body or a query.
func Wrap(log *slog.Logger, next http.Handler) http.Handler {
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
		defer func() { logRequest(log, r, rec, out, time.Since(started), aborted) }()
		serve(next, out, r, rec)
		aborted = false
	})
}

// secure sets what every answer carries; a page that needs more loosens it for itself.
func secure(h http.Header, id string) {
	h.Set("X-Request-Id", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
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

// logRequest writes the request's one line: health at debug, our own failures as errors.
func logRequest(log *slog.Logger, r *http.Request, rec *record, w *response, took time.Duration, aborted bool) {
	level := slog.LevelInfo
	switch {
	case rec.stack != "" || w.status == http.StatusInternalServerError:
		level = slog.LevelError
	case rec.err != nil:
		level = slog.LevelWarn
	case quiet(r.URL.Path):
		level = slog.LevelDebug
	}
	attrs := []slog.Attr{
		slog.String("request_id", rec.id),
		slog.String("method", r.Method),
		slog.String("path", r.URL.Path),
		slog.Int("status", w.Status()),
		slog.Int64("bytes", w.written),
		slog.Float64("duration_seconds", took.Seconds()),
	}
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

// quiet reports whether the path is asked for all day by machines.
func quiet(path string) bool {
	return path == LivePath || path == ReadyPath || path == MetricsPath
}
