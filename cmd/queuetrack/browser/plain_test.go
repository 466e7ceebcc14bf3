//go:build linux

package browser

import (
	"fmt"
	"testing"
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
	for _, path := range []string{"/", "/board/city"} {
		plain.visit(path)
		live.follow(path)
		got, want := ask[[]string](plain, numbers), ask[[]string](live, numbers)
		if len(want) < 5 || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: without scripts it shows\n%q\nand with them\n%q", path, got, want)
		}
	}
	// It is loaded again by itself.
	v.serve()
	plain.await("document.querySelector('#calls .nobody')")
}
