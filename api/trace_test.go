package api

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// traced answers one request within a traced router, and returns its spans and its log.
func traced(t *testing.T, r *http.Request) (spans []sdktrace.ReadOnlySpan, log string) {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	var lines bytes.Buffer
	router := NewRouter(slog.New(slog.NewJSONHandler(&lines, nil)), Trace(provider.Tracer("test")))
	router.Get("/v1/tickets/{ticket}", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !trace.SpanContextFromContext(r.Context()).IsValid():
			t.Error("the handler is not in the span")
		case r.URL.Query().Has("panic"):
			panic("secret-panic")
		case r.URL.Query().Has("absent"):
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	router.Get(ReadyPath, func(http.ResponseWriter, *http.Request) {})
	router.ServeHTTP(httptest.NewRecorder(), r)
	return recorder.Ended(), lines.String()
}

// A span says nothing that a person may be known by, and nothing whose variety a stranger may choose.
func TestTraceOfARequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, target, name, attributes, status string }{
		{"GET", "/v1/tickets/secret-7?phone=secret", "GET /v1/tickets/{ticket}", "GET /v1/tickets/{ticket} 200", "Unset"},
		{"HEAD", "/v1/tickets/secret-7", "HEAD /v1/tickets/{ticket}", "HEAD /v1/tickets/{ticket} 200", "Unset"},
		{"GET", "/v1/tickets/7?panic", "GET /v1/tickets/{ticket}", "GET /v1/tickets/{ticket} 500", "Error"},
		{"GET", "/v1/tickets/7?absent", "GET /v1/tickets/{ticket}", "GET /v1/tickets/{ticket} 503", "Error"},
		{"GET", "/secret-path", "GET", "GET 404", "Unset"},
		{"SECRETLY", "/v1/tickets/7", "_OTHER", "_OTHER 405", "Unset"},
		{"GET", ReadyPath, "", "", ""},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.method, c.target, nil)
		r.Header.Set("User-Agent", "secret-agent")
		spans, log := traced(t, r)
		if c.name == "" {
			if len(spans) > 0 {
				t.Errorf("%s %s has a span", c.method, c.target)
			}
			continue
		}
		if len(spans) != 1 {
			t.Fatalf("%s %s has %d spans", c.method, c.target, len(spans))
		}
		span := spans[0]
		var attributes []string
		for _, a := range span.Attributes() {
			attributes = append(attributes, a.Value.String())
		}
		got := []string{span.Name(), span.Status().Code.String(), span.SpanKind().String(), strings.Join(attributes, " ")}
		if diff := cmp.Diff([]string{c.name, c.status, "server", c.attributes}, got); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", c.method, c.target, diff)
		}
		if len(span.Events())+len(span.Links()) > 0 || span.Status().Description != "" {
			t.Errorf("%s %s says more: %v %v %q", c.method, c.target, span.Events(), span.Links(), span.Status().Description)
		}
		var line struct {
			TraceID string `json:"trace_id"`
		}
		if err := json.Unmarshal([]byte(log), &line); err != nil || line.TraceID != span.SpanContext().TraceID().String() {
			t.Errorf("trace_id %q in the log, %v: %s", line.TraceID, err, log)
		}
	}
}

// A stranger's traceparent is linked, and decides neither which trace it is nor, by its flag, whether that is kept.
func TestTraceOfAStranger(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/tickets/7", nil)
	r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
	r.Header.Set("Tracestate", "visitor=secret")
	spans, _ := traced(t, r)
	if len(spans) != 1 || spans[0].Parent().IsValid() || len(spans[0].Links()) != 1 {
		t.Fatalf("spans %v", spans)
	}
	link := spans[0].Links()[0].SpanContext
	if link.TraceID().String() != "0af7651916cd43dd8448eb211c80319c" || link.SpanID().String() != "b7ad6b7169203331" || link.TraceState().Len() > 0 {
		t.Errorf("link %v", link)
	}
	if spans[0].SpanContext().TraceID() == link.TraceID() {
		t.Error("it is the stranger's trace")
	}
}
