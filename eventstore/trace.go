package eventstore

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// traced is ride within a span: of the wait for the flight before it, and of its own flight, whose other passengers have
// spans of their own.
func (l *Log) traced(ctx context.Context, source string, d Delivery) outcome {
	ctx, span := l.tracer.Start(ctx, "append", trace.WithAttributes(attribute.String("queuetrack.source", source)))
	defer span.End()
	o := l.ride(ctx, source, d)
	if o.err != nil {
		span.SetStatus(codes.Error, "") // why is in the log, which holds nothing of a visitor
		return o
	}
	span.SetAttributes(
		attribute.String("queuetrack.result", string(o.receipt.Result)),
		attribute.Int64("queuetrack.position", o.receipt.Position),
		attribute.Int("queuetrack.batch_size", o.flight),
	)
	return o
}
