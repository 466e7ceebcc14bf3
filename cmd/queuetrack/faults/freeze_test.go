//go:build linux

package faults

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// frozen is for how many seconds Postgres is stopped.
const frozen = 5

func TestFreezePostgres(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := startLoad(t, w, chance(t), senders)
	for range *rounds {
		l.flow(t, between)
		freeze(t, w)
		l.back(t)
	}
	l.flow(t, between)
	check(t, l)
	outlived(t, w)
}

// freeze stops all of Postgres' processes, and lets them go on. Another process does it, and to the end: nothing may
// stay stopped if the test is killed meanwhile.
func freeze(t *testing.T, w *world) {
	t.Helper()
	all := strings.Join(family(t, filepath.Join(w.dir, "data")), " ")
	w.journal.note("stop %s for %d s", all, frozen)
	script := fmt.Sprintf("trap '' HUP INT TERM; kill -STOP %s; sleep %d; kill -CONT %[1]s", all, frozen)
	if out, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		// A backend that was on its way out when the list was made is no loss; anything else would show up below.
		w.journal.note("stop and go on: %v: %s", err, out)
	}
	w.journal.note("going on")
}
