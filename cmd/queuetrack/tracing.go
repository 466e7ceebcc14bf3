package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// telemetry is what of OpenTelemetry's environment decides whether there are traces. All else of it (where they go, how many of
// them, the headers and the resource) its SDK reads by itself.
type telemetry struct {
	Disabled       bool   `env:"OTEL_SDK_DISABLED"`
	Exporter       string `env:"OTEL_TRACES_EXPORTER"`
	Endpoint       string `env:"OTEL_EXPORTER_OTLP_ENDPOINT"`
	TracesEndpoint string `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"`
	Protocol       string `env:"OTEL_EXPORTER_OTLP_PROTOCOL"`
	TracesProtocol string `env:"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"`
}

// The only ones that we speak; the standard's own defaults.
const (
	otlpExporter = "otlp"
	otlpProtocol = "http/protobuf"
	otlpURL      = "http://localhost:4318/v1/traces"
)

// wanted reports whether traces are asked for, or why they can't be had.
func (t telemetry) wanted() (bool, error) {
	endpoint := first(t.TracesEndpoint, t.Endpoint)
	switch {
	case t.Disabled, t.Exporter == "none", t.Exporter == "" && endpoint == "":
		return false, nil
	case t.Exporter != "" && t.Exporter != otlpExporter:
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER is %q: only %q and \"none\" are known", t.Exporter, otlpExporter)
	}
	if protocol := first(t.TracesProtocol, t.Protocol, otlpProtocol); protocol != otlpProtocol {
		return false, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q: only %q is known (port 4318 of most collectors)", protocol, otlpProtocol)
	}
	return true, nil
}

// flushTimeout bounds what the end waits for a collector.
const flushTimeout = 5 * time.Second

// startTracing begins to send spans to the collector that the environment names, and returns a tracer, nil when none is
// named: then nothing of all this runs. What can't be traced is said in the log, and is no reason not to serve. end sends what is
// left; it must be called once nothing makes spans any more.
func (a *app) startTracing(ctx context.Context, logger *slog.Logger) (tracer trace.Tracer, end func()) {
	var t telemetry
	err := env.ParseWithOptions(&t, env.Options{Environment: env.ToMap(a.environ)})
	wanted := false
	if err == nil {
		wanted, err = t.wanted()
	}
	var provider *sdktrace.TracerProvider
	if wanted && err == nil {
		reportTo(logger)
		provider, err = t.provider(ctx)
	}
	if err != nil {
		logger.WarnContext(ctx, "traces are not sent", "error", err)
	}
	if provider == nil {
		return nil, func() {}
	}
	logger.InfoContext(ctx, "traces are sent", "to", first(t.TracesEndpoint, t.Endpoint, otlpURL))
	return provider.Tracer(serviceName), func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			logger.WarnContext(ctx, "the last traces were not sent", "error", err)
		}
	}
}

// serviceName is who makes the spans, unless OTEL_SERVICE_NAME says so.
const serviceName = "queuetrack"

func (t telemetry) provider(ctx context.Context) (*sdktrace.TracerProvider, error) {
	var options []otlptracehttp.Option
	if first(t.TracesEndpoint, t.Endpoint) == "" {
		options = append(options, otlptracehttp.WithEndpointURL(otlpURL))
	}
	exporter, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("make the exporter: %w", err)
	}
	// What comes later overrides: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come last.
	made, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithHost(),
		resource.WithAttributes(attribute.String("service.name", serviceName), attribute.String("service.version", buildVersion())),
		resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("describe this process: %w", err)
	}
	// Spans wait in a bounded queue, and are dropped when it is full: nobody ever waits for a collector.
	return sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(made)), nil
}

// troubleEvery is how often it is logged that spans can't be sent.
const troubleEvery = time.Minute

// reportTo has the SDK tell its troubles to the log and not to standard error, where it writes lines of its own. It knows
// one place for a process to tell them.
func reportTo(logger *slog.Logger) {
	otel.SetLogger(logr.FromSlogHandler(logger.Handler()))
	otel.SetErrorHandler(&traceTrouble{logger: logger})
}

// traceTrouble logs what goes wrong with traces, now and then: a collector that is away fails every few seconds, or for each
// batch. Safe for concurrent use.
type traceTrouble struct {
	logger *slog.Logger

	mu     sync.Mutex
	last   time.Time
	unsaid int
}

// Handle implements otel.ErrorHandler.
func (t *traceTrouble) Handle(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if now.Sub(t.last) < troubleEvery {
		t.unsaid++
		return
	}
	t.logger.Warn("traces were not sent", "error", err, "unsaid", t.unsaid)
	t.last, t.unsaid = now, 0
}

// withTrace adds to each line which span it was written in.
type withTrace struct{ slog.Handler }

// Handle implements slog.Handler.
func (h withTrace) Handle(ctx context.Context, line slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		line.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, line)
}

// WithAttrs implements slog.Handler.
func (h withTrace) WithAttrs(attrs []slog.Attr) slog.Handler {
	return withTrace{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h withTrace) WithGroup(name string) slog.Handler { return withTrace{h.Handler.WithGroup(name)} }
