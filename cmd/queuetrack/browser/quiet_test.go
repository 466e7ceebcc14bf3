//go:build linux

package browser

import (
	"strings"
	"testing"
)

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

// Who wants no motion gets none.
func nothingMoves(t *testing.T, w *world) {
	b := w.open(t, eyes{still: true})
	for _, path := range w.pages() {
		b.visit(path)
		b.settled()
		if moving := ask[int](b, "document.getAnimations().length"); moving > 0 {
			t.Errorf("%s: %d things move", path, moving)
		}
	}
}

// A new call moves on the board, but not for who wants no motion.
func TestCallMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.arrive(1, "A-1", passports, nil)
	w.caughtUp()
	for _, still := range []bool{true, false} {
		b := w.open(t, eyes{still: still})
		b.follow("/board/city")
		ask[any](b, `window.changes = 0, window.moved = 0, new MutationObserver(() => { changes++; moved = Math.max(moved, document.getAnimations().length) })
			.observe(document.getElementById("main"), { subtree: true, childList: true }), null`)
		v.call(4)
		b.await("changes > 0")
		if moved := ask[int](b, "moved") > 0; moved == still {
			t.Errorf("prefers-reduced-motion %v: something moves: %v", still, moved)
		}
	}
}
