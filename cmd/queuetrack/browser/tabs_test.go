//go:build linux

package browser

import (
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// A browser has six connections to a server. Who opens a tab for each of ten queues sees all of them, and each is up to
// date when it is looked at again.
func TestManyTabs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.arrive(1, "A-1", passports, nil)
	w.caughtUp()
	first := w.open(t, desk)
	first.follow("/")
	for range 9 {
		b := first.beside()
		b.follow("/queues/city/37338")
		if ask[bool](b, "document.hidden") {
			t.Fatal("the tab in front is hidden")
		}
	}
	if !ask[bool](first, "document.hidden") {
		t.Fatal("the first tab is not behind the others")
	}
	w.arrive(2, "A-2", passports, nil)
	first.toFront()
	first.await("document.querySelector('#queue-city-37338 .lead b').textContent === '2'")
}

// beside opens another tab in the same window.
func (b *tab) beside() *tab {
	b.t.Helper()
	ctx, closed := chromedp.NewContext(b.ctx, chromedp.WithNewWindow(false))
	b.t.Cleanup(closed)
	other := &tab{t: b.t, w: b.w, ctx: ctx, eyes: b.eyes}
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, other.notice); err != nil {
		b.t.Fatal(err)
	}
	return other
}

func (b *tab) toFront() {
	b.t.Helper()
	must(b, page.BringToFront, struct{}{})
}
