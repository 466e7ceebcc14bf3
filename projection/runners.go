package projection

import (
	"context"
	"fmt"
)

// RunnerInfo is a process that folds.
type RunnerInfo struct {
	Owner   string   // host, process id, a random part
	Code    string   // Fingerprint.Code of what it folds with
	Sources []string // it is configured with
}

// Runners returns the processes that fold now: those whose lease runs, by the database's clock.
func (r *Reader) Runners(ctx context.Context) ([]RunnerInfo, error) {
	hands, err := readHands(ctx, r.pool, selectHands)
	if err != nil {
		return nil, fmt.Errorf("read which processes fold: %w", err)
	}
	var all []RunnerInfo
	for _, h := range hands {
		if h.Alive {
			all = append(all, RunnerInfo{h.Owner, h.Code, h.Sources})
		}
	}
	return all, nil
}
