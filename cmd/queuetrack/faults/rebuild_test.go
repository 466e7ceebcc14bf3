//go:build linux

package faults

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// rebuildSenders of each source send a few hundred deliveries a second.
	rebuildSenders = 3
	// refusedWithin is when a second rebuild says that there is a first one: that takes one renewal of its lease.
	refusedWithin = 4 * time.Second
	// endsAfterInterrupt is when a rebuild is gone after a SIGINT.
	endsAfterInterrupt = 2 * time.Second
)

// Locks that keep a rebuild in a phase, and nobody else from anything: what the set's tables may not be cleared beside; what
// keeps the planner's statistics of them from being made, which is part of comparing; and what keeps the generations from
// being turned around. The second one can only be had once the tables are cleared, the last once the rebuild has begun.
const (
	holdsClearing  = `LOCK TABLE board_spell_%d IN ACCESS SHARE MODE`
	holdsComparing = `LOCK TABLE board_ticket_%d IN SHARE UPDATE EXCLUSIVE MODE`
	holdsSwitching = `SELECT FROM generation WHERE state = 'serving' FOR KEY SHARE`
)

// rebuildWorld is one whose logs are long, with two processes on it, deliveries to the one, and readers of both.
func rebuildWorld(t *testing.T) (w *world, l *load, r *readers, dice *rand.Rand) {
	t.Helper()
	w = worldWithPast(t)
	other := w.twin()
	other.start()
	dice = chance(t)
	l = startLoad(t, w, dice, rebuildSenders)
	r = startReaders(t, dice, w, other)
	l.flow(t, between)
	return w, l, r, dice
}

// A rebuild is killed in each of its phases, and goes on each time; so is a rollback; and what a killed one has filled is
// dropped. Nobody who reads notices anything but the switches.
func TestKillRebuild(t *testing.T) {
	t.Parallel()
	w, l, readers, dice := rebuildWorld(t)
	seen := []int{w.serving()}
	var switches []*rebuilding
	for range *rounds {
		switches = append(switches, killRebuild(t, w, seen[len(seen)-1]+1, dice))
		seen = append(seen, w.serving())
		l.flow(t, between)
	}
	switches = append(switches, killRollback(w, seen[len(seen)-2], dice))
	seen = append(seen, w.serving())
	l.flow(t, between)

	dropped := w.rebuild()
	dropped.enters(filling)
	dropped.kill()
	w.expire()
	w.discards(t)
	readers.finish(t, seen...)
	for _, r := range switches {
		readers.unmoved(t, r)
	}
	check(t, l)
}

// killRebuild kills one in each phase, and returns one that was let finish: once the lease of the last one killed ran out.
func killRebuild(t *testing.T, w *world, generation int, dice *rand.Rand) *rebuilding {
	t.Helper()
	last := killClearing(w, generation, dice)
	for _, phase := range []string{filling, filling, following, comparing, switching} {
		w.expire()
		last = killIn(w, phase, last, dice)
	}
	killed := time.Now()
	r := w.rebuild()
	r.goesOn(last)
	waited := r.last().at.Sub(killed)
	t.Logf("killed at %v; another one goes on after %v", last, waited)
	if waited > takenOver {
		t.Errorf("it was waited for for %v", waited)
	}
	if done := r.done(); done.Generation != generation || w.serving() != generation {
		t.Errorf("%v, and %d serves; want %d", done, w.serving(), generation)
	}
	return r
}

// killRollback kills one that goes back to the generation, and returns one that was let finish.
func killRollback(w *world, generation int, dice *rand.Rand) *rebuilding {
	w.t.Helper()
	last := progress{Generation: generation}
	for _, phase := range []string{following, switching} {
		last = killIn(w, phase, last, dice, "--rollback")
		w.expire()
	}
	r := w.rebuild("--rollback")
	if done := r.done(); done.Generation != generation || w.serving() != generation {
		w.t.Errorf("rolled back: %v, and %d serves; want %d", done, w.serving(), generation)
	}
	return r
}

// unmoved logs how long answers took around a switch and at other times.
func (r *readers) unmoved(t *testing.T, switched *rebuilding) {
	t.Helper()
	from, _ := switched.first(func(p progress) bool { return p.Phase == switching })
	to := switched.last()
	longest, others := r.around(from.at, to.at)
	t.Logf("around the switch to generation %d, which took %v, an answer took %v at most; at other times 99 in 100 took up to %v",
		to.Generation, to.at.Sub(from.at), longest, others)
	if longest > others+longestRead {
		t.Errorf("an answer took %v around the switch to generation %d", longest, to.Generation)
	}
}

// killClearing kills a rebuild of the generation before there is anything in it.
func killClearing(w *world, generation int, dice *rand.Rand) (last progress) {
	release := w.hold(fmt.Sprintf(holdsClearing, generation%2))
	defer release()
	r := w.rebuild()
	r.enters(clearing)
	pause(dice, 100*time.Millisecond)
	return r.kill()
}

// killIn goes on with a rebuild or a rollback of the generation, and kills it in a phase. What was said before is what the
// one before said last.
func killIn(w *world, phase string, before progress, dice *rand.Rand, args ...string) (last progress) {
	var release func()
	if before.Phase != clearing {
		release = w.hold(fmt.Sprintf(holdsComparing, before.Generation%2))
	}
	r := w.rebuild(args...)
	r.goesOn(before)
	if release == nil {
		release = w.hold(fmt.Sprintf(holdsComparing, before.Generation%2))
	}
	defer release()
	switch phase {
	case filling:
		if before.Events == 0 {
			r.folds(0)
		}
	case following, comparing:
		r.enters(phase)
	case switching:
		r.enters(comparing)
		defer w.hold(holdsSwitching)()
		release()
		r.enters(switching)
	}
	if phase != following { // which is over soon
		pause(dice, 300*time.Millisecond)
	}
	return r.kill()
}

// pause waits for a random time.
func pause(dice *rand.Rand, most time.Duration) {
	<-time.After(time.Duration(dice.Int64N(int64(most))))
}

// discards drops an interrupted rebuild; there is nothing left to drop then.
func (w *world) discards(t *testing.T) {
	t.Helper()
	if out, err := w.command("rebuild", "--discard").CombinedOutput(); err != nil {
		t.Errorf("rebuild --discard: %v\n%s", err, out)
	}
	out, err := w.command("rebuild", "--discard").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no rebuild has been begun") {
		t.Errorf("rebuild --discard, once more: %v\n%s", err, out)
	}
}

// Stopped in the middle of its filling for longer than its lease, while another one takes over and is done. Then the first
// one wakes, and whatever it had in flight is refused.
func TestStoppedRebuild(t *testing.T) {
	t.Parallel()
	w, l, readers, dice := rebuildWorld(t)
	seen := []int{w.serving()}
	for range *rounds {
		first, release := filled(w, dice)
		first.signal(syscall.SIGSTOP)
		stopped := first.last()
		release()
		second := w.rebuild()
		second.goesOn(stopped)
		t.Logf("stopped at %v; another one took over after %v", stopped, second.last().at.Sub(second.began))
		seen = append(seen, second.done().Generation)

		first.signal(syscall.SIGCONT)
		took, said := first.fails(refusedWithin)
		if !strings.Contains(said, "another process has taken this over") {
			t.Errorf("it said %q", said)
		}
		t.Logf("awake, it ended after %v", took)
		l.flow(t, between)
	}
	readers.finish(t, seen...)
	check(t, l)
}

// filled begins a rebuild, and returns at a random moment of its filling. It is not done before release is called.
func filled(w *world, dice *rand.Rand) (r *rebuilding, release func()) {
	w.t.Helper()
	next := w.serving() + 1
	r = w.rebuild()
	r.enters(filling)
	release = w.hold(fmt.Sprintf(holdsComparing, next%2))
	pause(dice, 1500*time.Millisecond)
	return r, release
}

// Whoever interrupts it has the prompt back at once.
func TestInterruptRebuild(t *testing.T) {
	t.Parallel()
	w, l, readers, dice := rebuildWorld(t)
	seen := []int{w.serving()}
	var switches []*rebuilding
	for range *rounds {
		first, release := filled(w, dice)
		first.signal(syscall.SIGINT)
		took, said := first.fails(endsAfterInterrupt)
		if !strings.Contains(said, "run it again to go on") {
			t.Errorf("interrupted, it said %q", said)
		}
		t.Logf("interrupted at %v, it ended after %v", first.last(), took)
		release()
		second := twice(t, w, first.last())
		seen, switches = append(seen, second.done().Generation), append(switches, second)
		l.flow(t, between)
	}
	readers.finish(t, seen...)
	for _, r := range switches {
		readers.unmoved(t, r)
	}
	check(t, l)
}

// twice goes on with a rebuild, and tries to run another one beside it: only one at a time.
func twice(t *testing.T, w *world, before progress) *rebuilding {
	t.Helper()
	release := w.hold(fmt.Sprintf(holdsComparing, before.Generation%2))
	defer release()
	r := w.rebuild()
	r.goesOn(before)
	took, said := w.rebuild().fails(refusedWithin)
	if pid := fmt.Sprintf(":%d:", r.process.Pid); !strings.Contains(said, "another process rebuilds") || !strings.Contains(said, pid) {
		t.Errorf("the second one said %q, and nothing of %s", said, pid)
	}
	t.Logf("refused after %v: %s", took, said)
	return r
}

// Postgres is killed in the middle of the filling, whose commits are flushed later, and comes back: the rebuild ends, and
// the next one goes on with what was flushed.
func TestKillPostgresUnderRebuild(t *testing.T) {
	t.Parallel()
	w, l, readers, dice := rebuildWorld(t)
	readers.forgive()
	seen := []int{w.serving()}
	for range *rounds {
		first, release := filled(w, dice)
		killMaster(t, w.journal, filepath.Join(w.dir, "data"))
		took, said := first.fails(backWithin)
		if !strings.Contains(said, "run it again when it is back") {
			t.Errorf("it said %q", said)
		}
		t.Logf("Postgres was killed at %v; the rebuild ended %v after it was back", first.last(), took)
		release()
		l.back(t)
		seen = append(seen, w.rebuild().done().Generation)
		l.flow(t, between)
	}
	readers.finish(t, seen...)
	check(t, l)
	outlived(t, w)
}
