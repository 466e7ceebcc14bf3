package projection

import "context"

// What a page may end with, for the model check.
var (
	ErrLost  = errLost
	ErrTaken = errTaken
)

// Hold is a process's hold on a source's shard. It does what Run does, a page at a time.
type Hold struct {
	runner *Runner
	shard  *shard
	ahead  *ahead
}

// Take claims the shard. What it folds ahead ends with life at the latest.
func (r *Runner) Take(ctx, life context.Context, source, owner string) (*Hold, error) {
	s, err := r.claim(ctx, source, owner)
	if err != nil {
		return nil, err
	}
	return &Hold{r, s, newAhead(life)}, nil
}

// Drop gives up what was folded ahead.
func (h *Hold) Drop() { h.ahead.drop() }

// Page folds a page, or renews the lease when there is none.
func (h *Hold) Page(ctx context.Context) error {
	n, err := h.runner.timely(ctx, h.shard, h.ahead)
	if err != nil || n > 0 {
		return err
	}
	if err := h.runner.inspect(ctx, h.shard); err != nil {
		return err
	}
	return h.shard.renew(ctx, h.runner.pool, h.runner.cfg.Lease)
}
