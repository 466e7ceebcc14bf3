//go:build unix

package localpg

import (
	"context"
	"fmt"
	"net"
	"os/user"
	"path/filepath"
	"strconv"
	"time"
)

// State is what there is of a private Postgres.
type State struct {
	DataDir string
	Major   string // the cluster's version, such as 15; empty: there is no cluster yet
	Owner   string // of the cluster: who may connect, beside root; empty without one
	Running bool   // it answers on its socket
	URL     string // to connect to it while it runs, for psql and pg_dump too
	Refuses error  // why Start would not open, or make, it; nil: nothing known. As Start's errors
	Free    int64  // bytes on its disk that its owner may take; below 0: not known
}

// Inspect looks at the data folder and the installed binaries. It starts, makes and locks nothing.
func Inspect(ctx context.Context, config Config) (State, error) {
	config, err := config.withDefaults()
	if err != nil {
		return State{}, fmt.Errorf("find the data folder: %w", err)
	}
	cluster, sockets := clusterDir(config.DataDir), socketDir(config.DataDir)
	s := State{DataDir: config.DataDir, URL: socketURL(sockets, database), Running: answers(ctx, sockets), Free: free(config.DataDir)}
	if s.Major, s.Refuses = clusterMajor(cluster); s.Refuses != nil {
		return s, nil
	}
	if uid, exists, err := ownerOf(cluster); err == nil && exists {
		s.Owner = strconv.Itoa(int(uid))
		if u, err := user.LookupId(s.Owner); err == nil {
			s.Owner = u.Username
		}
	}
	s.Refuses = refusal(installations(ctx, config.BinDirs), s.Major, cluster)
	if s.Refuses == nil {
		_, s.Refuses = serverAccount(cluster)
	}
	return s, nil
}

// refusal is why the binaries would not do for the cluster, or for a new one.
func refusal(found []installation, major, cluster string) (err error) {
	switch {
	case len(found) == 0:
		return ErrNoBinaries
	case major == "":
		_, err = forNew(found)
	default:
		_, err = forMajor(found, major, cluster)
	}
	return err
}

// answers reports whether somebody listens on the socket. Connecting and saying nothing is nothing to a Postgres.
func answers(ctx context.Context, sockets string) bool {
	const patience = time.Second
	d := net.Dialer{Timeout: patience}
	conn, err := d.DialContext(ctx, "unix", filepath.Join(sockets, ".s.PGSQL."+strconv.Itoa(socketPort)))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
