//go:build linux

package browser

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// stop is where a Tab leads.
type stop struct {
	Name    string
	Index   int  // among all that keys must reach; -1: none of them
	Shown   bool // it is on the screen, and nothing lies on top of it
	Outline bool // it can be told from the others
}

// reachable names all that keys must reach.
const reachable = `(window.reachable = () => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
	.filter((e) => e.checkVisibility() && !e.disabled && !(e.matches("input[type=radio]") && !e.checked)))`

// here describes the focused element.
const here = `(() => {
	const e = document.activeElement;
	if (!e || e === document.body) return { Name: "", Index: -1 };
	const box = e.getBoundingClientRect(), style = getComputedStyle(e);
	const [x, y] = [(Math.max(box.left, 0) + Math.min(box.right, innerWidth)) / 2, (Math.max(box.top, 0) + Math.min(box.bottom, innerHeight)) / 2];
	const at = [...e.getClientRects()].some((r) => { const hit = document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2); return hit && (e.contains(hit) || hit.contains(e)); });
	const top = document.elementFromPoint(x, y);
	return {
		Name: e.tagName + (e.id ? "#" + e.id : "") + " " + (e.getAttribute("href") ?? e.textContent.trim().slice(0, 30)),
		Index: reachable().indexOf(e),
		Shown: box.bottom > 0 && box.top < innerHeight && (at || !!top && (e.contains(top) || top.contains(e))),
		Outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
	};
})()`

// Tab leads from the link that skips the navigation through everything, and each stop is seen.
func allIsReachedByKeyboard(t *testing.T, w *world) {
	b := w.open(t, eyes{still: true})
	for _, path := range w.pages() {
		if path == "/docs" {
			continue // of somebody else's making, with hundreds of stops
		}
		b.visit(path)
		b.settled()
		want := ask[int](b, reachable+"().length")
		first := ask[bool](b, "document.activeElement === document.body") // nothing has the focus from the start
		seen, last := map[int]bool{}, -1
		for i := range 4*want + 4 { // a date has stops of its own
			b.press(kb.Tab)
			at := ask[stop](b, here)
			if seen[at.Index] && at.Index != last {
				break // once around
			}
			if at.Index < 0 || at.Index == last {
				continue // the browser's own bar; the next part of a date, which is marked by the browser
			}
			last = at.Index
			seen[at.Index] = true
			if i == 0 && first && ask[bool](b, "!!document.querySelector('.skip') && !document.activeElement.matches('.skip')") {
				t.Errorf("%s: the first stop is %s, want the link to the content", path, at.Name)
			}
			if !at.Shown || !at.Outline {
				t.Errorf("%s: stop %d, %s: on the screen: %v, outlined: %v", path, i, at.Name, at.Shown, at.Outline)
			}
			if len(seen) == want {
				break
			}
		}
		if len(seen) < want {
			missed := ask[[]string](b, fmt.Sprintf("reachable().filter((e, i) => !%s.includes(i)).map((e) => e.outerHTML.slice(0, 120))", list(seen)))
			t.Errorf("%s: Tab reaches %d of %d, and not %q", path, len(seen), want, missed)
		}
	}
}

func list(set map[int]bool) string {
	text := "["
	for i := range set {
		text += fmt.Sprintf("%d,", i)
	}
	return text + "]"
}

// The link to the content leads there: the next stop is inside.
func TestSkipToTheContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.arrive(1, "A-1", passports, nil)
	w.caughtUp()
	b := w.open(t, desk)
	b.follow("/")
	b.press(kb.Tab)
	b.press(kb.Enter)
	b.await("location.hash === '#main'")
	b.press(kb.Tab)
	b.await("document.getElementById('main').contains(document.activeElement) && document.activeElement.matches('a')")
}

// A live update replaces the row in which somebody is: the place stays.
func TestFocusOutlivesAnUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.arrive(1, "A-1", passports, nil)
	w.caughtUp()
	b := w.open(t, desk)
	b.follow("/")
	const link = "document.activeElement.closest('#queue-city-37338') && document.activeElement.matches('th a')"
	b.tabTo(link)
	for i := range 3 {
		w.arrive(10+i, fmt.Sprintf("B-%d", i), passports, nil)
		b.await(fmt.Sprintf("document.querySelector('#queue-city-37338 .lead b').textContent === '%d'", 2+i))
		if !ask[bool](b, "!!("+link+")") {
			t.Fatalf("the focus is lost to %s", ask[string](b, "document.activeElement.outerHTML.slice(0, 100)"))
		}
	}
}

// Somebody looks for a ticket, reads it, and never takes a hand off the keyboard.
func TestFindByKeyboard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.arrive(71, "A-1", passports, nil)
	w.arrive(72, "B-2", passports, nil)
	w.caughtUp()
	b := w.open(t, desk)
	b.follow("/")
	b.tabTo("document.activeElement.matches('#find')")
	b.press("B-2" + kb.Enter)
	b.await("location.pathname === '/tickets/city/72' && document.querySelector('h1').textContent.includes('B-2')")
}

// tabTo presses Tab until the expression is true.
func (b *tab) tabTo(there string) {
	b.t.Helper()
	for range 60 {
		b.press(kb.Tab)
		if ask[bool](b, "!!("+there+")") {
			return
		}
	}
	b.t.Fatalf("Tab leads nowhere where %s", there)
}
