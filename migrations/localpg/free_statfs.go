//go:build linux || darwin || freebsd

package localpg

import "syscall"

// free is how many bytes there are on the folder's disk; below 0: not known.
func free(dir string) int64 {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return -1
	}
	return int64(s.Bavail) * int64(s.Bsize) //nolint:gosec,unconvert // the types differ from system to system
}
