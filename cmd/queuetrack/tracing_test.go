package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"queuetrack/migrations/dbtest"
)

// collector takes spans over OTLP/HTTP, as the environment's standard has it.
type collector struct {
	mu       sync.Mutex
	spans    []*tracepb.Span
	resource map[string]string
	text     string // all that was sent
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var sent coltrace.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &sent)
	}
	if err != nil || r.URL.Path != "/v1/traces" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text += sent.String()
	for _, of := range sent.ResourceSpans {
		c.resource = values(of.Resource.Attributes)
		for _, scope := range of.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
}

// named are the spans of that name.
func (c *collector) named(name string) (spans []*tracepb.Span) {
	for _, s := range c.spans {
		if s.Name == name {
			spans = append(spans, s)
		}
	}
	return spans
}

func values(attributes []*common.KeyValue) map[string]string {
	all := map[string]string{}
	for _, a := range attributes {
		switch v := a.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			all[a.Key] = v.StringValue
		case *common.AnyValue_IntValue:
			all[a.Key] = fmt.Sprint(v.IntValue)
		}
	}
	return all
}

// tracedServer is serve as a process, for the SDK reads the environment by itself.
type tracedServer struct {
	base string
	errs *output
	cmd  *exec.Cmd
}

func startTraced(t *testing.T, environ ...string) tracedServer {
	t.Helper()
	settings := filepath.Join(t.TempDir(), "queuetrack.yaml")
	text := "sources: [{name: city, kind: qminder, public_url: 'https://hooks.example.com/webhooks/city', secrets: [a-secret-of-the-city]}]"
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	s := tracedServer{base: "http://" + address, errs: &output{}}
	s.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), "queuetrack", "serve", "--config", settings, "--listen", address, "--log-format", "json")
	s.cmd.Env = append(append(os.Environ(), "DATABASE_URL="+dbtest.NewEmptyURL(t)), environ...)
	s.cmd.Stderr, s.cmd.Stdout = s.errs, s.errs
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() }) // it has ended, unless the test failed
	eventually(t, "the server accepts", func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		return err == nil && conn.Close() == nil
	})
	return s
}

// end ends the server in order, and returns its log and how long that took.
func (s tracedServer) end(t *testing.T) (lines []map[string]any, took time.Duration) {
	t.Helper()
	told := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v: %s", err, s.errs)
	}
	return logLines(t, s.errs.String()), time.Since(told)
}

// A webhook from its request over the log to the read models, a rebuild by its phases: all of it is at the collector when the
// server has ended, though the next batch was not due. Nothing in it says who the visitor is.
func TestTraces(t *testing.T) {
	t.Parallel()
	var c collector
	collecting := httptest.NewServer(&c)
	defer collecting.Close()
	s := startTraced(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+collecting.URL, "OTEL_BSP_SCHEDULE_DELAY=600000",
		"OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test")
	ticket := strings.Replace(cityTicket, `"id":"1"`, `"id":"secret-4711","firstName":"Secret"`, 1)
	signed := cityParts(t).sources["city"].Sign([]byte(ticket)).Get("X-Qminder-Signature")
	status, answer := ask(t, http.MethodPost, s.base+"/webhooks/city", ticket, "X-Qminder-Signature", signed,
		"Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if status != http.StatusOK {
		t.Fatalf("send: %d %s", status, answer)
	}
	eventually(t, "it is folded", func() bool {
		status, _ := ask(t, http.MethodGet, s.base+"/v1/tickets/city/secret-4711", "")
		return status != http.StatusNotFound
	})
	if status, answer := ask(t, http.MethodPost, s.base+rebuildURL, "{}"); status != http.StatusAccepted {
		t.Fatalf("rebuild: %d %s", status, answer)
	}
	eventually(t, "it is rebuilt", func() bool {
		_, answer := ask(t, http.MethodGet, s.base+rebuildURL, "")
		return strings.Contains(answer, `"done"`)
	})
	lines, _ := s.end(t)

	c.mu.Lock()
	defer c.mu.Unlock()
	posts := c.named("POST /webhooks/*")
	if len(posts) != 1 || len(posts[0].ParentSpanId) > 0 || len(posts[0].Links) != 1 || fmt.Sprintf("%x", posts[0].Links[0].TraceId) != "0af7651916cd43dd8448eb211c80319c" {
		t.Fatalf("the request: %v", posts)
	}
	post := posts[0]
	appends := c.named("append")
	if len(appends) != 1 || string(appends[0].ParentSpanId) != string(post.SpanId) || string(appends[0].TraceId) != string(post.TraceId) {
		t.Fatalf("the append: %v", appends)
	}
	want := map[string]string{"queuetrack.source": "city", "queuetrack.result": "accepted", "queuetrack.position": "1", "queuetrack.batch_size": "1"}
	if diff := cmp.Diff(want, values(appends[0].Attributes)); diff != "" {
		t.Errorf("the append's attributes (-want +got):\n%s", diff)
	}
	pages := c.named("fold page")
	if len(pages) == 0 || len(pages[0].ParentSpanId) > 0 {
		t.Fatalf("the pages: %v", pages)
	}
	want = map[string]string{
		"queuetrack.source": "city", "queuetrack.generation": "0", "queuetrack.position": "1", "queuetrack.events": "1",
	}
	if diff := cmp.Diff(want, values(pages[0].Attributes)); diff != "" {
		t.Errorf("the page's attributes (-want +got):\n%s", diff)
	}
	rebuild := c.named("rebuild")
	if len(rebuild) != 1 {
		t.Fatalf("the rebuild: %v", rebuild)
	}
	for _, phase := range []string{"clearing", "filling", "following", "comparing", "switching"} {
		in := c.named(phase)
		if len(in) == 0 || string(in[0].ParentSpanId) != string(rebuild[0].SpanId) || in[0].EndTimeUnixNano > rebuild[0].EndTimeUnixNano {
			t.Errorf("the phase %s: %v", phase, in)
		}
	}
	if c.named("GET /v1/tickets/{source}/{ticket}") == nil {
		t.Error("no span of the ticket's request")
	}
	if c.resource["service.name"] != "queuetrack" || c.resource["deployment.environment.name"] != "test" || c.resource["service.version"] == "" {
		t.Errorf("resource %v", c.resource)
	}
	if strings.Contains(strings.ToLower(c.text), "secret") {
		t.Errorf("a visitor is in the spans:\n%s", c.text)
	}
	if line := said(lines, "request"); line["trace_id"] != fmt.Sprintf("%x", post.TraceId) {
		t.Errorf("the request's line has trace_id %v, want %x", line["trace_id"], post.TraceId)
	}
}

// A collector that is away, or takes all and never answers, holds up no webhook and not the end, and is one line in the log.
func TestTracesWithoutACollector(t *testing.T) {
	t.Parallel()
	hung := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hung }))
	defer silent.Close()
	defer close(hung)
	for what, endpoint := range map[string]string{"away": "http://" + freeAddress(t), "hung": silent.URL} {
		t.Run(what, func(t *testing.T) {
			s := startTraced(t, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+endpoint, "OTEL_BSP_SCHEDULE_DELAY=5", "OTEL_BSP_EXPORT_TIMEOUT=50",
				"OTEL_BSP_MAX_QUEUE_SIZE=8", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=4")
			adapter := cityParts(t).sources["city"]
			for i := range 30 {
				body := strings.Replace(cityTicket, `"id":"1"`, fmt.Sprintf(`"id":"%d"`, i), 1)
				signed := adapter.Sign([]byte(body)).Get("X-Qminder-Signature")
				if status, answer := ask(t, http.MethodPost, s.base+"/webhooks/city", body, "X-Qminder-Signature", signed); status != http.StatusOK {
					t.Fatalf("webhook %d: %d %s", i, status, answer)
				}
			}
			eventually(t, "the log says so", func() bool { return strings.Contains(s.errs.String(), "traces were not sent") })
			lines, took := s.end(t)
			if took > flushTimeout+shutdownTimeout {
				t.Errorf("the end took %v", took)
			}
			troubles := 0
			for _, line := range lines {
				if line["msg"] == "traces were not sent" {
					troubles++
				}
			}
			if troubles != 1 {
				t.Errorf("%d lines about it, want 1:\n%s", troubles, s.errs)
			}
		})
	}
}

// There are traces only where the environment asks for them; else no tracer, and nothing is wrapped in one.
func TestTracesAreAskedFor(t *testing.T) {
	t.Parallel()
	for environ, want := range map[string]string{
		"": "no",
		"OTEL_SERVICE_NAME=x OTEL_TRACES_SAMPLER=x":                      "no",
		"OTEL_TRACES_EXPORTER=none OTEL_EXPORTER_OTLP_ENDPOINT=http://x": "no",
		"OTEL_SDK_DISABLED=true OTEL_EXPORTER_OTLP_ENDPOINT=http://x":    "no",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://x":                           "yes",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://x":                    "yes",
		"OTEL_TRACES_EXPORTER=otlp":                                      "yes",
		"OTEL_TRACES_EXPORTER=zipkin":                                    `OTEL_TRACES_EXPORTER is \"zipkin\"`,
		"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_PROTOCOL=grpc":     `OTEL_EXPORTER_OTLP_PROTOCOL is \"grpc\"`,
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://x OTEL_SDK_DISABLED=perhaps": "Disabled",
	} {
		var log output
		tracer, end := (&app{environ: strings.Fields(environ)}).startTracing(t.Context(), slog.New(slog.NewTextHandler(&log, nil)))
		end()
		switch {
		case want == "yes" && tracer == nil, want != "yes" && tracer != nil:
			t.Errorf("%s: tracer %v, want %s", environ, tracer, want)
		case want == "no" && log.String() != "":
			t.Errorf("%s: the log says %s", environ, &log)
		case want != "yes" && want != "no" && !strings.Contains(log.String(), want):
			t.Errorf("%s: the log says %q, want %s", environ, &log, want)
		}
	}
}

// A line that is written in a span says in which, also through a logger with attributes of its own; any other has no such key.
func TestLogLinesNameTheirSpan(t *testing.T) {
	t.Parallel()
	var log output
	logger := slog.New(withTrace{slog.NewJSONHandler(&log, nil)}).With("source", "city")
	ctx, span := sdktrace.NewTracerProvider().Tracer("test").Start(t.Context(), "fold page")
	defer span.End()
	logger.InfoContext(ctx, "within")
	logger.InfoContext(t.Context(), "without")
	lines := logLines(t, log.String())
	within, without := said(lines, "within"), said(lines, "without")
	if within["trace_id"] != span.SpanContext().TraceID().String() || within["span_id"] != span.SpanContext().SpanID().String() || within["source"] != "city" {
		t.Errorf("within a span: %v", within)
	}
	if without["trace_id"] != nil || without["source"] != "city" {
		t.Errorf("without one: %v", without)
	}
}
