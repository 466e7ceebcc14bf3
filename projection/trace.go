package projection

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// tracePage makes a span of a page that has been folded, or could not be: of so many events, since it was asked for. It is
// made afterwards, since most of the time there is no page. That one was looked for in vain is no news.
func (r *Runner) tracePage(ctx context.Context, s *shard, events int, began time.Time, err error) {
	if r.cfg.Tracer == nil || events == 0 && err == nil {
		return
	}
	_, span := r.cfg.Tracer.Start(ctx, "fold page", trace.WithTimestamp(began), trace.WithAttributes(
		attribute.String("queuetrack.source", s.source),
		attribute.Int("queuetrack.generation", s.generation),
		attribute.Int64("queuetrack.position", s.position),
		attribute.Int("queuetrack.events", events),
	))
	endSpan(span, err)
}

// phases are the spans of a piece of work on a generation: one of it all, and of each phase one in it. Used by one
// goroutine. The zero value makes none.
type phases struct {
	tracer trace.Tracer
	ctx    context.Context //nolint:containedctx // of the span of it all
	phase  trace.Span      // nil: none has begun
}

// begin begins the span of it all; its context is that of what happens in it.
func (p *phases) begin(ctx context.Context, tracer trace.Tracer, t Task, generation int) (context.Context, trace.Span) {
	if tracer == nil {
		return ctx, noop.Span{}
	}
	ctx, span := tracer.Start(ctx, string(t), trace.WithAttributes(attribute.Int("queuetrack.generation", generation)))
	p.tracer, p.ctx = tracer, ctx
	return ctx, span
}

// enter ends the span of the phase before, and begins that of the next.
func (p *phases) enter(next Phase) {
	if p.tracer == nil {
		return
	}
	p.end(nil)
	_, p.phase = p.tracer.Start(p.ctx, string(next))
}

// end ends the last phase's span, with what went wrong in it.
func (p *phases) end(err error) {
	if p.phase != nil {
		endSpan(p.phase, err)
	}
}

// endSpan says only that something went wrong. What it was is in the log: an error may hold what a sender says.
func endSpan(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
