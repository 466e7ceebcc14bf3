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
	cutUntil(t, l, p, atRandom(random), "connections are cut", 80, p.count)
	recovers(t, l)
	outlived(t, w)
}

// The worst moment: the deliveries are in the log, and queuetrack, which asked for it, does not know.
func TestCutBetweenCommitAndItsAnswer(t *testing.T) {
	t.Parallel()
	w, p := newProxiedWorld(t)
	random := chance(t)
	l := startLoad(t, w, random, senders)
	var appends atomic.Int64
	cutUntil(t, l, p, commits(random, &appends), "appends go unanswered", 30, func() int { return int(appends.Load()) })
	t.Logf("%d connections cut, %d of them after they had appended", p.count(), appends.Load())
	recovers(t, l)
	outlived(t, w)
}

// cutUntil cuts connections under load until so many are counted, in each round of the long form.
func cutUntil(t *testing.T, l *load, p *proxy, cut func() fates, what string, times int, counted func() int) {
	t.Helper()
	l.flow(t, between)
	p.cut(cut)
	p.cutAll()
	want := times * *rounds
	eventually(t, what, backWithin*4, func() error {
		if n := counted(); n < want {
			return fmt.Errorf("%d of %d", n, want)
		}
		return nil
	})
	p.cut(nil)
	p.cutAll()
}

// outlived says that queuetrack itself did not have to be started again.
func outlived(t *testing.T, w *world) {
	t.Helper()
	if got := w.service.count(); got != 1 {
		t.Errorf("queuetrack was started %d times, want once: it outlives what happens to its database", got)
	}
}
