//go:build linux

package faults

import (
	"path/filepath"
	"testing"

	"queuetrack/migrations/localpg"
)

// Without a DATABASE_URL queuetrack is itself what looks after its Postgres.
func TestKillPrivatePostgres(t *testing.T) {
	t.Parallel()
	w := bareWorld(t)
	data := filepath.Join(w.dir, "data")
	copyTemplate(t, data)
	var err error
	if w.url, err = localpg.RunningURL(localpg.Config{DataDir: data}); err != nil {
		t.Fatal(err)
	}
	w.serve("--data-dir", data)
	l := startLoad(t, w, chance(t), senders)
	for range 2 * *rounds {
		l.flow(t, between)
		killMaster(t, w.journal, data)
		l.back(t)
	}
	l.flow(t, between)
	check(t, l)
	outlived(t, w)
}
