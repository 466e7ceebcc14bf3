//go:build unix

package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// successorWait is how long a start waits for the server of a killed predecessor to finish its shutdown.
	successorWait = 30 * time.Second
	lockPoll      = 50 * time.Millisecond
)

// lockDataDir takes the data folder for this process, until the file is closed or the process ends, however it ends.
func lockDataDir(dataDir string) (*os.File, error) {
	file, held, err := tryLock(filepath.Join(dataDir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	if !held {
		return nil, errors.Join(fmt.Errorf("%w: %s belongs to another queuetrack%s. Stop it, or use another --data-dir",
			ErrInUse, dataDir, notedOwner(file)), file.Close())
	}
	if err := noteOwner(file); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the data folder: %w", err), file.Close())
	}
	return file, nil
}

// notedOwner is for the message only: an owner that took the lock just now has not noted itself yet.
func notedOwner(file *os.File) string {
	owner, _ := os.ReadFile(file.Name())
	if len(owner) == 0 {
		return ""
	}
	return fmt.Sprintf(" (process %s)", strings.TrimSpace(string(owner)))
}

func noteOwner(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := fmt.Fprintln(file, os.Getpid())
	return err
}

// lockForChild takes the lock that the server's processes inherit. It can be taken when the last of them is gone: a
// server whose queuetrack was killed is still shutting down for a moment.
func lockForChild(ctx context.Context, dataDir string) (*os.File, error) {
	ctx, cancel := context.WithTimeout(ctx, successorWait)
	defer cancel()
	for {
		file, held, err := tryLock(filepath.Join(dataDir, "child-lock"))
		if err != nil {
			return nil, fmt.Errorf("lock the cluster: %w", err)
		}
		if held {
			return file, nil
		}
		if err := file.Close(); err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: a Postgres of an earlier queuetrack still runs on %s: %w", ErrInUse, clusterDir(dataDir), ctx.Err())
		case <-time.After(lockPoll):
		}
	}
}

func tryLock(path string) (file *os.File, held bool, err error) {
	file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case err == nil:
		return file, true, nil
	case errors.Is(err, syscall.EWOULDBLOCK):
		return file, false, nil
	default:
		return nil, false, errors.Join(err, file.Close())
	}
}

// InUse tells whether a process has the data folder, or a server still runs in it.
func InUse(dataDir string) bool {
	for _, name := range []string{"lock", "child-lock"} {
		file, held, err := tryLock(filepath.Join(dataDir, name))
		if err != nil {
			continue
		}
		_ = file.Close()
		if !held {
			return true
		}
	}
	return false
}
