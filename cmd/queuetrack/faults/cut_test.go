//go:build linux

package faults

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// newProxiedWorld is newWorld with a proxy between queuetrack and Postgres, which lets everything pass until told.
func newProxiedWorld(t *testing.T) (*world, *proxy) {
	t.Helper()
	w := bareWorld(t)
	w.startCluster(filepath.Join(w.dir, "data"), nil, nil)
	p, through := startProxy(t, w.cluster)
	w.serve("--database-url", through)
	return w, p
}

func TestCutConnections(t *testing.T) {
	t.Parallel()
	w, p := newProxiedWorld(t)
	random := chance(t)
	l := startLoad(t, w, random, senders)
	l.flow(t, between)
	p.cut(atRandom(random))
	p.cutAll()
	want := 80 * *rounds
	eventually(t, "connections are cut", backWithin*4, func() error {
		if n := p.count(); n < want {
			return fmt.Errorf("%d of %d", n, want)
		}
		return nil
	})
	p.cut(nil)
	p.cutAll()
	l.back(t)
	l.flow(t, between)
	check(t, l)
	outlived(t, w)
}

// The worst moment: the deliveries are in the log, and queuetrack, which asked for it, does not know.
func TestCutBetweenCommitAndItsAnswer(t *testing.T) {
	t.Parallel()
	w, p := newProxiedWorld(t)
	random := chance(t)
	l := startLoad(t, w, random, senders)
	l.flow(t, between)
	var appends atomic.Int64
	p.cut(commits(random, &appends))
	p.cutAll()
	want := 30 * int64(*rounds)
	eventually(t, "appends go unanswered", backWithin*4, func() error {
		if n := appends.Load(); n < want {
			return fmt.Errorf("%d of %d", n, want)
		}
		return nil
	})
	p.cut(nil)
	p.cutAll()
	t.Logf("%d connections cut, %d of them after they had appended", p.count(), appends.Load())
	l.back(t)
	l.flow(t, between)
	check(t, l)
	outlived(t, w)
}

// outlived says that queuetrack itself did not have to be started again.
func outlived(t *testing.T, w *world) {
	t.Helper()
	if got := w.service.count(); got != 1 {
		t.Errorf("queuetrack was started %d times, want once: it outlives what happens to its database", got)
	}
}
