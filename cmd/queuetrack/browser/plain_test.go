//go:build linux

package browser

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// numbers are all texts that a page shows, but for times of the day, which move on by themselves.
const numbers = `[...document.querySelectorAll("main :is(b, td, th, li, h1, h2)")].map((e) => e.textContent.replace(/\s+/g, " ").trim())`

func TestWithoutScripts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var v *visitor
	for i := range 5 {
		v = w.arrive(i, fmt.Sprintf("A-%d", i), passports, nil)
	}
	v.call(4)
	w.caughtUp()
	plain, live := w.open(t, eyes{plain: true}), w.open(t, eyes{})
	for _, path := range []string{"/", "/board/city", "/queues/city/37338", "/tickets/city/4", "/projections"} {
		plain.visit(path)
		live.follow(path)
		got, want := ask[[]string](plain, numbers), ask[[]string](live, numbers)
		if len(want) < 5 || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: without scripts it shows\n%q\nand with them\n%q", path, got, want)
		}
	}
	// It is loaded again by itself.
	plain.visit("/board/city")
	v.serve()
	plain.await("document.querySelector('#calls .nobody')")
}

// Forms are forms: they need no scripts.
func TestFormsWithoutScripts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.arrive(71, "A-1", passports, nil)
	w.caughtUp()
	b := w.open(t, eyes{plain: true})
	b.visit("/")
	b.tabTo("document.activeElement.matches('#find')")
	b.press("A-1" + kb.Enter)
	b.await("location.pathname === '/tickets/city/71'")
	b.visit("/reports")
	b.askFor("city", "queue")
	if got := ask[int](b, tables+"['Waits by queue'].length"); got != 1 {
		t.Errorf("the report is of %d queues, want of the one where somebody is", got)
	}
}
