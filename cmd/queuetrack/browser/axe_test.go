//go:build linux

package browser

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// finding is what axe-core says of one element.
type finding struct {
	Rule, Help, Target, Summary string
}

// runAxe checks all that axe-core has a rule for: WCAG 2.0 to 2.2, A and AA, and what it calls best practice.
const runAxe = `axe.run(document, { resultTypes: ["violations"], preload: false }).then((result) => result.violations.flatMap((v) =>
	v.nodes.map((n) => ({ Rule: v.id, Help: v.help, Target: n.target.join(" "), Summary: n.failureSummary }))))`

func axeFindsNothing(t *testing.T, w *world, screen eyes) {
	axe := readAxe(t)
	b := w.open(t, screen)
	for _, path := range w.pages() {
		b.look(screen)
		b.visit(path)
		b.settled()
		ask[any](b, axe+"; null")
		for _, e := range []eyes{screen, screen.inTheDark()} {
			b.look(e)
			b.still()
			for _, f := range ask[[]finding](b, runAxe) {
				t.Errorf("%s, %v: %s (%s) at %s\n%s", path, e, f.Help, f.Rule, f.Target, f.Summary)
			}
		}
	}
}

// The test of the test: axe-core is at work, and sees a label that is missing and grey on grey.
func TestAxeFinds(t *testing.T) {
	t.Parallel()
	theBrowser(t)
	axe := readAxe(t)
	b := newWorld(t).openUnchecked(t, desk)
	b.visit("/board/nowhere") // which nothing changes
	ask[any](b, axe+`; document.getElementById("main").innerHTML = "<input><p id=grey>pale</p>"; document.getElementById("grey").style.color = "#ccc"; null`)
	found := fmt.Sprint(ask[[]finding](b, runAxe))
	for _, rule := range []string{"{label ", "{color-contrast "} {
		if !strings.Contains(found, rule) {
			t.Errorf("axe-core does not find %q: %s", rule, found)
		}
	}
}

func readAxe(t *testing.T) string {
	t.Helper()
	path := os.Getenv("QUEUETRACK_AXE")
	if path == "" {
		missing(t, noAxe)
	}
	script, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}
