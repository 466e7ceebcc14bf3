//go:build unix

package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// oldestMajor is the oldest version that a new cluster is made with.
	oldestMajor = 14
	// askTimeout bounds asking a binary for its version.
	askTimeout = 10 * time.Second
)

// An installation is a folder with the server's binaries.
type installation struct {
	dir     string
	version string // 17.4
	major   string // 17; 9.6 before version 10
}

func (i installation) binary(name string) string { return filepath.Join(i.dir, name) }

// usual are the folders of the packagers: Debian, Red Hat, Homebrew (ARM, Intel), the installers for macOS.
var usual = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/opt/homebrew/bin",
	"/usr/local/pgsql/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
	"/Library/PostgreSQL/*/bin",
}

// installations lists what is installed, in the order of preference, each once.
func installations(ctx context.Context, dirs []string) []installation {
	if dirs == nil {
		dirs = searchPath(ctx)
	}
	var found []installation
	seen := map[string]bool{}
	for _, dir := range dirs {
		i, err := inspect(ctx, dir)
		if err != nil || seen[i.dir] {
			continue // not one, or not usable by us: the next may be
		}
		seen[i.dir] = true
		found = append(found, i)
	}
	return found
}

// searchPath is $PATH, what pg_config names, then the usual folders, the highest version first in each.
func searchPath(ctx context.Context) []string {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	if dir, err := ask(ctx, "pg_config", "--bindir"); err == nil {
		dirs = append(dirs, dir)
	}
	for _, pattern := range usual {
		dirs = append(dirs, highestFirst(pattern)...)
	}
	return dirs
}

// highestFirst sorts by number: 9.6 < 15 < 100.
func highestFirst(pattern string) []string {
	dirs, err := filepath.Glob(pattern)
	if err != nil {
		return nil
	}
	slices.SortStableFunc(dirs, func(a, b string) int { return slices.Compare(numbers(b), numbers(a)) })
	return dirs
}

var number = regexp.MustCompile(`[0-9]+`)

func numbers(s string) (ns []int) {
	for _, digits := range number.FindAllString(s, -1) {
		if n, err := strconv.Atoi(digits); err == nil {
			ns = append(ns, n)
		}
	}
	return ns
}

// versionLine is what `postgres --version` prints: postgres (PostgreSQL) 15.18 (Debian …).
var versionLine = regexp.MustCompile(`PostgreSQL\) ([0-9][0-9a-z.]*)`)

// inspect follows links (a folder of $PATH often has only links to the binaries, without initdb's share files) and
// asks the server for its version.
func inspect(ctx context.Context, dir string) (installation, error) {
	server, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
	if err != nil {
		return installation{}, err
	}
	server, err = filepath.Abs(server)
	if err != nil {
		return installation{}, err
	}
	if err := refuseScript(server); err != nil {
		return installation{}, err
	}
	i := installation{dir: filepath.Dir(server)}
	if _, err := os.Stat(i.binary("initdb")); err != nil {
		return installation{}, err
	}
	line, err := ask(ctx, server, "--version")
	if err != nil {
		return installation{}, err
	}
	match := versionLine.FindStringSubmatch(line)
	if match == nil {
		return installation{}, fmt.Errorf("%s names no version: %q", server, line)
	}
	i.version = match[1]
	i.major = majorOf(i.version)
	return i, nil
}

// refuseScript refuses a wrapper: it would stand between us and the server, and get the signals meant for it.
func refuseScript(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	start := make([]byte, 2)
	if _, err := file.Read(start); err != nil {
		return err
	}
	if string(start) == "#!" {
		return errors.New("a script, not the server")
	}
	return nil
}

// majorOf is 17 for 17.4 and 18beta1, and 9.6 for 9.6.24.
func majorOf(version string) string {
	first := numbers(version)
	switch {
	case len(first) == 0:
		return version
	case first[0] < 10 && len(first) > 1:
		return fmt.Sprintf("%d.%d", first[0], first[1])
	default:
		return strconv.Itoa(first[0])
	}
}

func ask(ctx context.Context, binary string, arg string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, binary, arg).Output()
	return strings.TrimSpace(string(out)), err
}

// forNew is the installation to make a cluster with: the first one that is new enough.
func forNew(found []installation) (installation, error) {
	for _, i := range found {
		if n := numbers(i.major); n[0] >= oldestMajor {
			return i, nil
		}
	}
	if len(found) > 0 {
		return installation{}, fmt.Errorf("%w\n(found %s, and %d is the oldest that will do)", ErrNoBinaries, list(found), oldestMajor)
	}
	return installation{}, ErrNoBinaries
}

// forMajor is the installation to open a cluster of that major version with.
func forMajor(found []installation, major, cluster string) (installation, error) {
	for _, i := range found {
		if i.major == major {
			return i, nil
		}
	}
	return installation{}, fmt.Errorf("%w: %s was made by Postgres %s, and only %s is installed; it was not touched. "+
		"Install Postgres %s (apt-get install postgresql-%s), or use another --data-dir", ErrVersion, cluster, major, list(found), major, major)
}

func list(found []installation) string {
	var names []string
	for _, i := range found {
		names = append(names, i.version+" in "+i.dir)
	}
	return strings.Join(names, ", ")
}
