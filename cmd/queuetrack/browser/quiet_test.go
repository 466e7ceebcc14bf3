//go:build linux

package browser

import (
	"strings"
	"testing"
)

// Every tab complains by itself; this one goes everywhere, and looks long enough for a live page's first news.
func TestPagesAreQuiet(t *testing.T) {
	t.Parallel()
	w := livedWorld(t)
	b := w.open(t, desk)
	for _, path := range w.pages() {
		b.visit(path)
		b.settled()
	}
	b.follow("/")
	b.follow("/board/city")
}

// The test of the test: what a page must not do is seen.
func TestNoiseIsHeard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, tt := range map[string]struct{ script, want string }{
		"another host":     {"new Image().src = 'http://127.0.0.9:9/x.png'", "127.0.0.9"},
		"an inline style":  {"document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')", "ContentSecurityPolicy"},
		"an inline script": {"document.body.append(Object.assign(document.createElement('script'), { textContent: '1' }))", "ContentSecurityPolicy"},
		"an error":         {"console.error('ouch')", "ouch"},
		"an exception":     {"setTimeout(() => { throw new Error('ouch') })", "failed"},
	} {
		b := w.openUnchecked(t, desk)
		b.visit("/")
		ask[any](b, tt.script+"; null")
		eventually(t, name+" is heard", patience, func() error {
			if got := strings.Join(b.wrongs(), "\n"); !strings.Contains(got, tt.want) {
				return errNotHeard(got)
			}
			return nil
		})
	}
}

type errNotHeard string

func (e errNotHeard) Error() string { return "heard only: " + string(e) }

// Who wants no motion gets none, also when something new comes.
func TestNothingMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.arrive(1, "A-1", passports, nil)
	for _, still := range []bool{true, false} {
		b := w.open(t, eyes{width: 1920, height: 1080, still: still})
		b.follow("/board/city")
		ask[any](b, `window.moved = 0, window.fresh = 0, new MutationObserver(() => { fresh++; moved = Math.max(moved, document.getAnimations().length) })
			.observe(document.getElementById("main"), { subtree: true, childList: true }), null`)
		v.call(4)
		b.await("fresh > 0")
		if moved := ask[int](b, "moved") > 0; moved == still {
			t.Errorf("prefers-reduced-motion %v: something moves: %v", still, moved)
		}
		for _, path := range w.pages() {
			b.visit(path)
			b.settled()
			if moving := ask[int](b, "document.getAnimations().filter((a) => a.playState === 'running').length"); still && moving > 0 {
				t.Errorf("%s: %d animations run for who wants none", path, moving)
			}
		}
	}
}
