//go:build linux

package faults

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"queuetrack/migrations"
	"queuetrack/migrations/localpg"
)

var (
	rounds    = flag.Int("faults.rounds", 1, "how often each fault is made: 1 is the short form")
	givenSeed = flag.Uint64("faults.seed", 0, "the seed of the random choices; 0: a new one each time")
	showLogs  = flag.Bool("faults.logs", false, "print what the processes logged, also of tests that pass")
)

// setUpTimeout bounds building the binary and making the first cluster.
const setUpTimeout = 5 * time.Minute

// workshop is what all tests start from, made once by TestMain.
type workshop struct {
	dir      string // everything lies below it; whoever Postgres runs as gets through
	binary   string // queuetrack, built from this tree
	template string // the data folder of a migrated cluster

	past func() (past, error) // made when it is first asked for
}

// shop is state of the package, since only TestMain comes before all tests.
var shop workshop

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if testing.Short() {
		return m.Run() // every test skips itself
	}
	err := sweep()
	if err == nil {
		err = equip()
		defer os.RemoveAll(shop.dir) //nolint:errcheck // a temporary folder
	}
	if errors.Is(err, localpg.ErrNoBinaries) {
		fmt.Fprintf(os.Stderr, "NOT TESTED: the fault tests kill a Postgres of their own: %v\n", err)
		return 0
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "set up the fault tests: %v\n(go test -short leaves them out)\n", err)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintf(os.Stderr, "the tests left goroutines behind: %v\n", err)
		code = 1
	}
	return code
}

// abandonedAfter is when a folder counts as left behind by a killed run: nothing has been made in it for so long.
const abandonedAfter = 3 * time.Hour

// sweep clears away what killed runs left behind: files, and small disks still mounted.
func sweep() error {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+"*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < abandonedAfter {
			continue
		}
		disks, err := filepath.Glob(filepath.Join(dir, "world-*", diskName))
		if err != nil {
			return err
		}
		for _, disk := range disks {
			_ = syscall.Unmount(disk, syscall.MNT_DETACH) // if it still is one
		}
		_ = os.RemoveAll(dir) // somebody else's, perhaps: none of our business
	}
	return nil
}

const (
	dirPrefix = "queuetrack-faults-"
	diskName  = "disk" // of a world: where a small disk is mounted
)

// publicDir is a temporary folder that other users may pass through: as root, Postgres runs as another user.
func publicDir() (string, error) {
	dir, err := os.MkdirTemp("", dirPrefix)
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711) //nolint:gosec // see above
}

// equip sets up the workshop.
func equip() error {
	ctx, cancel := context.WithTimeout(context.Background(), setUpTimeout)
	defer cancel()
	dir, err := publicDir()
	if err != nil {
		return err
	}
	shop = workshop{dir: dir, binary: filepath.Join(dir, "queuetrack"), template: filepath.Join(dir, "template"), past: sync.OnceValues(makePast)}
	if err := build(ctx, shop.binary); err != nil {
		return err
	}
	return makeTemplate(ctx, shop.template)
}

// build makes the binary as it is shipped, also when the tests run with the race detector: what is measured here is how
// processes stand faults, and a binary several times as slow would stand others.
func build(ctx context.Context, path string) error {
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", path, "queuetrack/cmd/queuetrack").CombinedOutput(); err != nil {
		return fmt.Errorf("build queuetrack: %w\n%s", err, out)
	}
	return nil
}

func makeTemplate(ctx context.Context, dataDir string) error {
	server, err := localpg.Start(ctx, localpg.Config{DataDir: dataDir, NoSync: true})
	if err != nil {
		return fmt.Errorf("make the template of the clusters: %w", err)
	}
	err = migrations.Up(ctx, server.URL(), slog.New(slog.DiscardHandler))
	return errors.Join(err, server.Stop(ctx))
}

// chance is a test's source of random choices; its seed is in the test's output.
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	seed := *givenSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed: -faults.seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// eventually polls until the condition holds, and fails the test when that takes too long. It returns how long it took.
func eventually(t *testing.T, what string, within time.Duration, holds func() error) time.Duration {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := holds()
		took := time.Since(began)
		switch {
		case err == nil:
			return took
		case took > within:
			t.Fatalf("%s: not within %v: %v", what, within, err)
		}
		<-tick.C
	}
}
