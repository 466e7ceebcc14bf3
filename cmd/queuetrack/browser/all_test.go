//go:build linux

package browser

import (
	"testing"
	"time"
)

// livedFor is how long ago the doors opened, in a world that has lived.
const livedFor = 2 * time.Hour

// livedWorld is one that has seen two hours of the demo's day, and stands still now.
func livedWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.live(7, livedFor)
	return w
}

// pages are all there are to look at in it.
func (w *world) pages() []string {
	return []string{"/", "/board/city", "/board/city?queue=37338", "/board/store", "/board/crm", "/docs"}
}

// The screens that pages are looked at on.
var (
	desk  = eyes{width: 1280, height: 800, scale: 1}
	phone = eyes{width: 390, height: 844, scale: 2}
)

func (e eyes) inTheDark() eyes {
	e.dark = true
	return e
}

// settled waits until a page shows all it will by itself.
func (b *tab) settled() {
	b.t.Helper()
	b.await("document.readyState === 'complete' && document.fonts.status === 'loaded'")
	b.await("location.pathname !== '/docs' || document.querySelectorAll('.opblock').length > 10")
}
