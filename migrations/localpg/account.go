//go:build unix

package localpg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// An account is the user that the server runs as.
type account struct {
	name   string
	uid    uint32
	gid    uint32
	groups []uint32
	// drop: this process is root and has to become the account for the server.
	drop bool
}

// serverAccount is this process's own user; for root, who may not run Postgres, the owner of the existing cluster,
// else the user postgres, else nobody.
func serverAccount(cluster string) (account, error) {
	owner, exists, err := ownerOf(cluster)
	if err != nil {
		return account{}, err
	}
	self := os.Geteuid()
	switch {
	case self != 0 && exists && int(owner) != self:
		return account{}, fmt.Errorf("%w: %s belongs to user %d, and this is user %d", ErrDataDir, cluster, owner, self)
	case self != 0:
		return account{name: strconv.Itoa(self), uid: uint32(self), gid: uint32(os.Getegid())}, nil //nolint:gosec // ids fit
	case exists && owner == 0:
		return account{}, fmt.Errorf("%w: %s belongs to root, as whom Postgres refuses to run: chown it to postgres", ErrDataDir, cluster)
	case exists:
		return rootDropsTo(user.LookupId(strconv.Itoa(int(owner))))
	}
	as, err := rootDropsTo(user.Lookup("postgres"))
	if err != nil {
		as, err = rootDropsTo(user.Lookup("nobody"))
	}
	return as, err
}

func rootDropsTo(u *user.User, err error) (account, error) {
	if err != nil {
		return account{}, fmt.Errorf("find a user to run Postgres as: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("read the id of user %s: %w", u.Username, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("read the group of user %s: %w", u.Username, err)
	}
	return account{name: u.Username, uid: uint32(uid), gid: uint32(gid), drop: true}, nil
}

func (a account) credential() *syscall.Credential {
	if !a.drop {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid, Groups: a.groups}
}

// give makes the account the owner of a folder that only it may enter.
func (a account) give(dir string) error {
	if err := os.Chmod(dir, 0o700); err != nil {
		return err
	}
	if !a.drop {
		return nil
	}
	return os.Lchown(dir, int(a.uid), int(a.gid))
}

// checkWay makes sure that the account gets through every existing folder from the root down to dir.
func (a account) checkWay(dir string) error {
	if !a.drop {
		return nil
	}
	for _, folder := range wayTo(dir) {
		info, err := os.Stat(folder)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if !a.mayEnter(info) {
			return fmt.Errorf("%w: the server runs as user %s (Postgres refuses root), whom %s does not let through. "+
				"Choose another --data-dir, such as /var/lib/queuetrack, or `chmod o+x %s`", ErrDataDir, a.name, folder, folder)
		}
	}
	return nil
}

func (a account) mayEnter(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return true
	}
	switch {
	case stat.Uid == a.uid:
		return info.Mode()&0o100 != 0
	case stat.Gid == a.gid || slices.Contains(a.groups, stat.Gid):
		return info.Mode()&0o010 != 0
	default:
		return info.Mode()&0o001 != 0
	}
}

// wayTo lists the folders on the way, / first.
func wayTo(dir string) []string {
	way := []string{dir}
	for parent := filepath.Dir(dir); parent != way[len(way)-1]; parent = filepath.Dir(parent) {
		way = append(way, parent)
	}
	slices.Reverse(way)
	return way
}

func ownerOf(path string) (uid uint32, exists bool, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("look at the cluster: %w", err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false, fmt.Errorf("look at the cluster: no owner for %s", path)
	}
	return stat.Uid, true, nil
}
