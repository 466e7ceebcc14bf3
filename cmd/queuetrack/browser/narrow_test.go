//go:build linux

package browser

import "testing"

// sideways lists what makes a page wider than the screen: elements that stick out, unless they are in a region that says
// of itself that it scrolls.
const sideways = `(() => {
	const wide = document.scrollingElement.clientWidth;
	if (document.scrollingElement.scrollWidth <= wide) return [];
	const scrolls = (e) => e.closest(".scroll, [role=region][tabindex='0']");
	const out = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > wide + 1 && !scrolls(e));
	return ["the page is " + document.scrollingElement.scrollWidth + " px wide, the screen " + wide,
		...out.slice(0, 8).map((e) => e.tagName + "." + e.className + "#" + e.id + " " + e.textContent.trim().slice(0, 40))];
})()`

// overlaps lists texts that lie on top of each other, and parts of the page that do. What is only there to be read aloud
// lies anywhere.
const overlaps = `(() => {
	const unseen = (e) => e.closest("[hidden], .unseen, .words, .skip, thead:not(:focus)") && getComputedStyle(e.closest("[hidden], .unseen, .words, .skip, thead")).clipPath !== "none"
		|| e.closest(".skip, [hidden], option, noscript, script, style, title");
	const texts = [];
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let node; (node = walk.nextNode());) {
		if (!node.data.trim() || unseen(node.parentElement) || node.parentElement.checkVisibility?.({ visibilityProperty: true }) === false) continue;
		const range = document.createRange();
		range.selectNodeContents(node);
		for (const box of range.getClientRects()) if (box.width > 1) texts.push({ box, node, region: node.parentElement.closest(".scroll") });
	}
	const found = [];
	const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4;
	texts.sort((a, b) => a.box.top - b.box.top);
	for (let i = 0; i < texts.length; i++) for (let j = i + 1; j < texts.length && texts[j].box.top < texts[i].box.bottom; j++) {
		const [a, b] = [texts[i], texts[j]];
		if (a.node !== b.node && a.region === b.region && over(a.box, b.box)) found.push(a.node.data.trim() + " / " + b.node.data.trim());
	}
	const parts = [...document.querySelectorAll("header.top, .stale:not([hidden]), main, header.top > *, main > *")].filter((e) => !e.matches(".skip"));
	for (const a of parts) for (const b of parts) {
		if (a === b || a.contains(b) || b.contains(a)) continue;
		if (over(a.getBoundingClientRect(), b.getBoundingClientRect())) found.push(a.tagName + "." + a.className + " / " + b.tagName + "." + b.className);
	}
	return found.slice(0, 10);
})()`

// A phone of 320 px, and a desk's screen of 1280 at 200 % and 400 % of zoom: fewer pixels, each as large as two or four.
func nothingSticksOutOrOverlaps(t *testing.T, w *world) {
	b := w.open(t, eyes{})
	for _, path := range w.pages() {
		if path == "/docs" {
			continue // of somebody else's making: its tables of parameters are wider
		}
		b.visit(path)
		b.settled()
		for _, e := range []eyes{desk, {width: 320, height: 640, scale: 2}, {width: 640, height: 400, scale: 2}, {width: 320, height: 200, scale: 4}} {
			b.look(e)
			b.still()
			for _, what := range ask[[]string](b, sideways) {
				t.Errorf("%s, %v: sticks out: %s", path, e, what)
			}
			for _, what := range ask[[]string](b, overlaps) {
				t.Errorf("%s, %v: overlap: %s", path, e, what)
			}
		}
	}
}

// The test of the test.
func TestNarrowSees(t *testing.T) {
	t.Parallel()
	b := newWorld(t).openUnchecked(t, desk)
	b.visit("/board/nowhere") // which nothing changes
	ask[any](b, `document.getElementById("main").innerHTML = "<p id=a>one</p><p id=b>two</p><p id=c>three</p>";
		document.getElementById("b").style.marginTop = "-2.5rem"; document.getElementById("c").style.minWidth = "1500px"; null`)
	if got := ask[[]string](b, overlaps); len(got) == 0 {
		t.Error("texts on top of each other are not seen")
	}
	if got := ask[[]string](b, sideways); len(got) == 0 {
		t.Error("what sticks out is not seen")
	}
}
