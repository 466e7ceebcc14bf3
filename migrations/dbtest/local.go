package dbtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"queuetrack/migrations/localpg"
)

const (
	localPrefix = "queuetrack-dbtest-"
	// localAbandonedAfter is when the folder of a server counts as left behind by a killed test binary.
	localAbandonedAfter = time.Hour
)

// serverSettings are of the servers started here: connections enough for parallel tests, few checkpoints.
var serverSettings = map[string]string{"max_connections": "200", "max_wal_size": "4GB"}

// startLocal starts a private server from installed binaries. If this test binary is killed, the server ends with
// it; its folder goes when a later test starts one.
func startLocal(ctx context.Context) (*server, error) {
	if err := sweepLocal(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", localPrefix)
	if err != nil {
		return nil, err
	}
	// As root the server runs as another user, who has to get through. What is inside is private.
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // see above
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	pg, err := localpg.Start(ctx, localpg.Config{DataDir: dir, NoSync: true, Settings: serverSettings})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &server{url: pg.URL(), stop: func(ctx context.Context) error {
		return errors.Join(pg.Stop(ctx), os.RemoveAll(dir))
	}}, nil
}

func sweepLocal() error {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), localPrefix+"*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < localAbandonedAfter || localpg.InUse(dir) {
			continue
		}
		// Somebody else's, or gone already: neither is our business.
		_ = os.RemoveAll(dir)
	}
	return nil
}
