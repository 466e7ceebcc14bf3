//go:build unix

package localpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	// superuser is the cluster's role that everything runs as.
	superuser = "postgres"
	// unfinishedPrefix names the folders that initdb works in. They are the only ones ever removed.
	unfinishedPrefix = "initdb-"
)

func clusterDir(dataDir string) string { return filepath.Join(dataDir, "postgres") }

// prepare makes sure that the cluster exists, and returns the installation to run it with. It must be called
// under the data folder's lock.
func prepare(ctx context.Context, config Config, found []installation, as account) (installation, error) {
	cluster := clusterDir(config.DataDir)
	major, err := clusterMajor(cluster)
	if err != nil {
		return installation{}, err
	}
	if major != "" {
		return forMajor(found, major, cluster)
	}
	with, err := forNew(found)
	if err != nil {
		return installation{}, err
	}
	return with, initialize(ctx, config, with, as)
}

// clusterMajor reads the version of an existing cluster; empty: there is none.
func clusterMajor(cluster string) (string, error) {
	version, err := os.ReadFile(filepath.Join(cluster, "PG_VERSION"))
	if err == nil {
		return majorOf(strings.TrimSpace(string(version))), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the cluster's version: %w", err)
	}
	entries, err := os.ReadDir(cluster)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("look for a cluster: %w", err)
	}
	if len(entries) > 0 {
		return "", fmt.Errorf("%w: %s is neither empty nor a Postgres cluster (it has no PG_VERSION); it was not touched", ErrDataDir, cluster)
	}
	return "", nil
}

// initialize makes the cluster beside its place and renames it when it is complete and on disk. A crash before the
// rename leaves a folder that nobody takes for a cluster, and that the next start clears away.
func initialize(ctx context.Context, config Config, with installation, as account) error {
	if err := clearUnfinished(config.DataDir); err != nil {
		return fmt.Errorf("clear an unfinished initdb away: %w", err)
	}
	unfinished, err := os.MkdirTemp(config.DataDir, unfinishedPrefix)
	if err != nil {
		return fmt.Errorf("make a cluster: %w", err)
	}
	if err := as.give(unfinished); err != nil {
		return fmt.Errorf("make a cluster: %w", err)
	}
	config.Logger.Info("making a private Postgres cluster", "dir", clusterDir(config.DataDir), "version", with.version)
	if err := initdb(ctx, config, with, as, unfinished); err != nil {
		return errors.Join(err, os.RemoveAll(unfinished))
	}
	if err := os.Rename(unfinished, clusterDir(config.DataDir)); err != nil {
		return fmt.Errorf("put the new cluster in its place: %w", err)
	}
	return syncDir(config.DataDir)
}

func initdb(ctx context.Context, config Config, with installation, as account, dir string) error {
	args := []string{
		"--pgdata=" + dir, "--username=" + superuser,
		// Whoever can enter the socket's folder is the owner; nobody else gets that far.
		"--auth-local=trust", "--auth-host=reject",
		// The same order of text and the same messages on every machine.
		"--encoding=UTF8", "--locale=C",
		"--data-checksums",
	}
	if config.NoSync {
		args = append(args, "--no-sync")
	}
	out := newServerLog(config.Logger)
	child, err := startChild(childCommand{
		path: with.binary("initdb"), args: args, dir: config.DataDir, as: as, out: out, deathSignal: killSignal,
	})
	if err != nil {
		return fmt.Errorf("run initdb: %w", err)
	}
	select {
	case <-child.done:
	case <-ctx.Done():
		child.kill()
		<-child.done
		return fmt.Errorf("run initdb: %w", ctx.Err())
	}
	if child.err != nil {
		return fmt.Errorf("run initdb: %w\n%s", child.err, out.tail())
	}
	return nil
}

func clearUnfinished(dataDir string) error {
	leftovers, err := filepath.Glob(filepath.Join(dataDir, unfinishedPrefix+"*"))
	if err != nil {
		return err
	}
	for _, dir := range leftovers {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// syncDir makes a rename in the folder survive a power cut.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
