package render

import (
	"html/template"
	"strings"
	"testing"

	"queuetrack/projection/wait"
)

// What another page takes in says all that the page by itself says, and nothing that its policy would forbid.
func TestContentIsThePageWithinAnother(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]interface {
		aPage
		Content() (template.HTML, error)
	}{
		"waits":     madePage(t, func(r *wait.Request) { r.QueueLength, r.DropOff, r.Compare = true, true, true }, wait.ByQueue),
		"estimates": madeEstimatesPage(t),
		"hostile":   hostilePage(t),
	} {
		content, err := p.Content()
		if err != nil {
			t.Fatal(err)
		}
		within, whole := document(t, string(content)), document(t, written(t, p))
		for _, element := range []string{"section", "figure", "table", "svg", "dd"} {
			got, want := textsOf(within.all(element)), textsOf(whole.all(element))
			if element == "section" {
				want = want[:len(want)-1] // the definitions are folded up
			}
			if strings.Join(got, "\x00") != strings.Join(want, "\x00") {
				t.Errorf("%s: <%s> is not the same, %d and %d of them", name, element, len(got), len(want))
			}
		}
		for _, own := range []string{"h1", "style", "main", "body", "header"} {
			if len(within.all(own)) > 0 {
				t.Errorf("%s: the other page has a <%s> of its own", name, own)
			}
		}
		ids := map[string]bool{}
		everyElement(within, func(e *element) {
			ids[e.attr["id"]] = true
			if e.attr["style"] != "" {
				t.Errorf("%s: <%s> has a style", name, e.name)
			}
		})
		for _, a := range within.all("a") {
			if !ids[strings.TrimPrefix(a.attr["href"], "#")] {
				t.Errorf("%s: %s leads nowhere", name, a.attr["href"])
			}
		}
	}
}

func textsOf(list []*element) []string {
	texts := make([]string, len(list))
	for i, e := range list {
		texts[i] = e.text
	}
	return texts
}
