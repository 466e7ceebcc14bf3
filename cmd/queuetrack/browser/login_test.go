//go:build linux

package browser

import (
	"bytes"
	"encoding/json"
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
	b.sentToSignIn("/queues/city/37338")
	b.press("qt_wrong" + kb.Enter)
	b.await("document.querySelector('[role=alert]')?.textContent && document.activeElement.matches('#key') && document.activeElement.value === ''")
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

// A dashboard that is open when its key is revoked shows nothing more: it leads to the page to sign in.
func TestRevokedKeyEndsALivePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.makeKey("read")
	b := w.open(t, desk)
	b.excuse("status of 401|EventSource") // of the page that is asked to go
	b.sentToSignIn("/")
	b.press(key + kb.Enter)
	b.await("location.pathname === '/'")
	b.follow("/")
	var keys struct{ Items []struct{ ID string } }
	if err := json.Unmarshal([]byte(w.run("apikey", "list", "--json")), &keys); err != nil {
		t.Fatal(err)
	}
	w.run("apikey", "revoke", keys.Items[0].ID)
	b.await("location.pathname === '/login'")
}

// sentToSignIn asks for a page until the server has seen that there is a key, and sends to the page to sign in.
func (b *tab) sentToSignIn(path string) {
	b.t.Helper()
	eventually(b.t, "a key is asked for", patience, func() error {
		b.visit(path)
		if at := ask[string](b, "location.pathname"); at != "/login" {
			return errAt(at)
		}
		return nil
	})
	b.await("document.activeElement.matches('#key')")
}

type errAt string

func (e errAt) Error() string { return "at " + string(e) }

// makeKey makes an API key, as an operator would.
func (w *world) makeKey(scope string) string {
	w.t.Helper()
	return strings.TrimSpace(w.run("apikey", "create", "browser", "--scope", scope))
}

// run runs a command on the world's database, and returns what it prints.
func (w *world) run(args ...string) string {
	w.t.Helper()
	cmd := w.command(append(args, w.args...)...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("%s: %v\n%s", args, err, complaint.String())
	}
	return string(out)
}
