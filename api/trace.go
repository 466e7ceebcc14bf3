package api

import (
	"log/slog"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// methods are the names that a span may have of a request's method; any other one is a stranger's choice of words.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// Trace is a middleware of [NewRouter]'s router that makes a span of each request but those that machines ask all day. It
// tells the method, the pattern of the path and the status: no path, no query, no header, no address, which would be about
// a person. The log line of the request gets its trace_id.
//
// Whoever calls is a stranger, who must not choose which of our traces a request belongs to, or that it is kept. So every
// request begins a trace of its own, and a traceparent that came with it is only linked.
func Trace(tracer trace.Tracer) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if quiet(r.URL.Path) {
				next.ServeHTTP(w, r)
				return
			}
			method := r.Method
			if !slices.Contains(methods, method) {
				method = "_OTHER"
			}
			ctx, span := tracer.Start(r.Context(), method, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer),
				trace.WithLinks(callers(r)...), trace.WithAttributes(attribute.String("http.request.method", method)))
			Annotate(ctx, slog.String("trace_id", span.SpanContext().TraceID().String()))
			panics := true
			defer func() { endSpan(span, method, r, w, panics) }()
			next.ServeHTTP(w, r.WithContext(ctx))
			panics = false
		})
	}
}

// callers are the span that the request says it comes from, if any, without what else its sender says of it.
func callers(r *http.Request) []trace.Link {
	remote := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header)))
	if !remote.IsValid() {
		return nil
	}
	return []trace.Link{{SpanContext: remote.WithTraceState(trace.TraceState{})}}
}

// endSpan says what came of the request; which pattern it has is known only now.
func endSpan(span trace.Span, method string, r *http.Request, w http.ResponseWriter, panics bool) {
	status := http.StatusOK
	if answered, ok := w.(interface{ Status() int }); ok {
		status = answered.Status()
	}
	if panics {
		status = http.StatusInternalServerError
	}
	if route := chi.RouteContext(r.Context()).RoutePattern(); route != "" {
		span.SetName(method + " " + route)
		span.SetAttributes(attribute.String("http.route", route))
	}
	span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
