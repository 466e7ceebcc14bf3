//go:build linux

package browser

import (
	"bytes"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.arrive(1, "A-1", passports, nil).call(4)
	w.caughtUp()
	key := w.makeKey("read")
	b := w.open(t, desk)
	b.excuse("status of 401") // of the wrong key
	eventually(t, "a key is asked for", patience, func() error {
		b.visit("/queues/city/37338")
		if at := ask[string](b, "location.pathname"); at != "/login" {
			return errAt(at)
		}
		return nil
	})
	if !ask[bool](b, "document.activeElement.matches('#key')") {
		t.Error("the page to sign in does not begin at the key")
	}
	b.press("qt_wrong" + kb.Enter)
	b.await("document.querySelector('[role=alert]')?.textContent && document.querySelector('#key').value === ''")
	b.press(key + kb.Enter)
	b.await("location.pathname === '/queues/city/37338' && document.querySelector('h1').textContent === 'Passports'")
	b.follow("/") // live pages are for those who signed in, too
	b.tabTo("document.activeElement.textContent === 'Sign out'")
	b.press(kb.Enter)
	b.await("location.pathname === '/login'")
	b.visit("/")
	b.await("location.pathname === '/login'")
	b.follow("/board/city") // the board needs no key
	b.await("document.querySelector('#latest .label').textContent === 'A-1'")
}

type errAt string

func (e errAt) Error() string { return "at " + string(e) }

// makeKey makes an API key, as an operator would.
func (w *world) makeKey(scope string) string {
	w.t.Helper()
	cmd := w.command(append([]string{"apikey", "create", "browser", "--scope", scope}, w.args...)...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("make a key: %v\n%s", err, complaint.String())
	}
	return strings.TrimSpace(string(out))
}
