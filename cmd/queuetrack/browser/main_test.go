//go:build linux

package browser

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	noBrowser = `no Chromium, so nothing was looked at. Get one:
  on Debian:  apt-get install --no-install-recommends chromium fonts-liberation`
	noAxe = `no axe-core, so accessibility was not checked. Get it, and say where it is:
  npm install --no-save --prefix /tmp/axe axe-core@4.14.1
  export QUEUETRACK_AXE=/tmp/axe/node_modules/axe-core/axe.min.js`
)

// buildTimeout bounds building the binary.
const buildTimeout = 5 * time.Minute

// workshop is what all tests use, made when the first one asks for it and put away by TestMain.
type workshop struct {
	binary  func() (string, error)          // queuetrack, built from this tree
	browser func() (context.Context, error) // Chromium; tabs are opened in it
	dir     string
	leave   context.CancelFunc // ends the browser
}

// shop is state of the package, since only TestMain comes before and after all tests.
var shop workshop

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "queuetrack-browser-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	life, leave := context.WithCancel(context.Background())
	shop = workshop{
		dir: dir, leave: leave,
		binary:  sync.OnceValues(func() (string, error) { return build(dir) }),
		browser: sync.OnceValues(func() (context.Context, error) { return launchBrowser(life) }),
	}
	defer func() { shop.leave() }()
	return m.Run()
}

func build(dir string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	path := filepath.Join(dir, "queuetrack")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", path, "queuetrack/cmd/queuetrack").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build queuetrack: %w\n%s", err, out)
	}
	return path, nil
}

// errNoBrowser says that there is nothing to drive.
var errNoBrowser = errors.New(noBrowser)

// launchBrowser starts Chromium, and has it ended with the run.
func launchBrowser(life context.Context) (context.Context, error) {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return nil, errNoBrowser
	}
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	options = append(options, chromedp.ExecPath(path), chromedp.Flag("hide-scrollbars", false), chromedp.Flag("lang", "en-GB"))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // it refuses to run as root with one
	}
	allocator, end := chromedp.NewExecAllocator(life, options...)
	ctx, closed := chromedp.NewContext(allocator)
	shop.leave = func() { closed(); end() }
	if err := chromedp.Do(ctx); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return ctx, nil
}

// theBrowser returns the browser, or skips the test where there is none.
func theBrowser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("runs a browser")
	}
	ctx, err := shop.browser()
	if errors.Is(err, errNoBrowser) {
		missing(t, noBrowser)
	}
	if err != nil {
		t.Fatal(err)
	}
	return ctx
}

// missing ends a test that can't be had. In CI there is everything, so there it fails.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip("NOT TESTED: " + what)
}
