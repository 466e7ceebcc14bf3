package projection

import (
	"context"
	"time"
)

// Honour is what a rollback does before it follows the log.
func (r *Runner) Honour(ctx context.Context, generation int) error { return r.honour(ctx, generation) }

// RetryFor is Retry with less time.
func (r *Runner) RetryFor(ctx context.Context, source string, position int64, patience time.Duration) (Retried, error) {
	v := revival{runner: r, source: source, front: position, patience: patience}
	err := v.run(ctx)
	return v.done, err
}
