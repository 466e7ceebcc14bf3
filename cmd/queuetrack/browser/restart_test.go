//go:build linux

package browser

import (
	"context"
	"testing"
	"time"
)

const (
	// staleWithin is when a page says that updates have stopped: after 15 s of silence, looked at once a second, and the
	// last message may be 5 s before the death.
	staleWithin = 17 * time.Second
	// backWithin is when it is up to date again: the browser comes back within a second, and the dead server's shards are
	// free after their lease of 10 s.
	backWithin = 15 * time.Second
)

func TestPagesSurviveARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.arrive(1, "A-1", passports, nil)
	w.caughtUp()
	waiting := map[string]string{ // an expression for each page
		"/":           "document.querySelector('#queue-city-37338 .lead b').textContent",
		"/board/city": "document.querySelector('#queues .count b').textContent",
	}
	tabs := map[string]*tab{}
	for path, n := range waiting {
		b := w.open(t, desk)
		b.excuse(`net::ERR_|EventSource`) // of the server that is not there
		b.follow(path)
		b.await(n + " === '1'")
		ask[any](b, "window.same = true, null") // lost when the page is loaded anew
		tabs[path] = b
	}
	w.kill()
	dead := time.Now()
	if _, err := w.deliver(context.Background(), "city", []byte("{}")); err == nil {
		t.Error("a webhook was taken by a dead server")
	}
	for path, b := range tabs {
		b.await("!document.getElementById('stale').hidden")
		took := time.Since(dead)
		t.Logf("%s: says %q after %v", path, ask[string](b, "document.getElementById('stale').textContent"), took.Round(100*time.Millisecond))
		if took > staleWithin {
			t.Errorf("%s: says that it is stale after %v, want within %v", path, took, staleWithin)
		}
	}
	w.start()
	w.arrive(2, "A-2", passports, nil)
	back := time.Now()
	for path, b := range tabs {
		b.await(waiting[path] + " === '2'")
		took := time.Since(back)
		t.Logf("%s: caught up %v after the webhook", path, took.Round(100*time.Millisecond))
		if took > backWithin {
			t.Errorf("%s: caught up after %v, want within %v", path, took, backWithin)
		}
		b.await("document.getElementById('stale').hidden && document.getElementById('stale').textContent === ''")
		if !ask[bool](b, "window.same === true") {
			t.Errorf("%s: was loaded anew, though the server is the same", path)
		}
	}
}
