//go:build unix

package localpg

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	// socketPort is only a part of the socket's name.
	socketPort = 5432
	// longestSocket is what a socket's path may have, in bytes, on every system (Linux takes 107, macOS 103).
	longestSocket = 99
)

// makeDataDir makes the data folder, and refuses one that the server could not reach.
func makeDataDir(dir string, as account) error {
	if err := as.checkWay(dir); err != nil {
		return err
	}
	_, err := os.Stat(dir)
	if fresh := errors.Is(err, fs.ErrNotExist); fresh {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make the data folder: %w", err)
		}
		mode := fs.FileMode(0o700)
		if as.drop {
			mode = 0o711 // the server passes through, and has its own folders inside
		}
		if err := os.Chmod(dir, mode); err != nil {
			return fmt.Errorf("make the data folder: %w", err)
		}
	}
	return as.checkWay(dir) // a strict umask may have shut a folder just made
}

// makeSocketDir makes the folder for the socket: beside the cluster, or where the path would be too long for a
// socket, a temporary one named after the data folder.
func makeSocketDir(dataDir string, as account) (string, error) {
	dir := socketDir(dataDir)
	if err := as.checkWay(filepath.Dir(dir)); err != nil {
		return "", err
	}
	err := os.Mkdir(dir, 0o700)
	switch {
	case err == nil:
		return dir, as.give(dir)
	case errors.Is(err, fs.ErrExist):
		return dir, checkPrivate(dir, as)
	default:
		return "", fmt.Errorf("make the folder for the socket: %w", err)
	}
}

func socketDir(dataDir string) string {
	if dir := filepath.Join(dataDir, "run"); fits(dir) {
		return dir
	}
	sum := sha256.Sum256([]byte(dataDir))
	name := "queuetrack-" + strconv.Itoa(os.Geteuid()) + "-" + hex.EncodeToString(sum[:6])
	if dir := filepath.Join(os.TempDir(), name); fits(dir) {
		return dir
	}
	return filepath.Join("/tmp", name)
}

// fits also refuses a comma, which separates hosts in a connection string.
func fits(dir string) bool {
	return !strings.Contains(dir, ",") && len(filepath.Join(dir, ".s.PGSQL."+strconv.Itoa(socketPort))) <= longestSocket
}

// checkPrivate refuses a folder that another user may have laid out for us in a shared temporary folder.
func checkPrivate(dir string, as account) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("look at the folder for the socket: %w", err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || stat.Uid != as.uid || info.Mode().Perm() != 0o700 {
		return fmt.Errorf("%w: %s should be a folder of user %s with mode 0700; remove it", ErrDataDir, dir, as.name)
	}
	return nil
}
