package render

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"queuetrack/projection/wait"
)

// element is a part of a page. Pages are written so that they can be read as XML, too.
type element struct {
	name     string
	attr     map[string]string
	children []*element
	text     string // all of it, that of children included
}

// document reads a page, and fails where tags are not closed in order or attributes not quoted.
func document(t *testing.T, page string) *element {
	t.Helper()
	root := &element{name: "document"}
	open := []*element{root}
	for d := xml.NewDecoder(strings.NewReader(page)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attr: map[string]string{}}
			for _, a := range token.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			top := open[len(open)-1]
			top.children = append(top.children, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			for _, e := range open {
				e.text += string(token)
			}
		}
	}
	return root
}

// all are the elements of a name, wherever they are.
func (e *element) all(name string) (list []*element) {
	for _, c := range e.children {
		if c.name == name {
			list = append(list, c)
		}
		list = append(list, c.all(name)...)
	}
	return list
}

// table is the table with a caption: its cells as texts, the head first.
func (e *element) table(t *testing.T, caption string) (cells [][]string) {
	t.Helper()
	for _, table := range e.all("table") {
		if table.all("caption")[0].text != caption {
			continue
		}
		for _, row := range table.all("tr") {
			var texts []string
			for _, cell := range row.children {
				texts = append(texts, cell.text)
			}
			cells = append(cells, texts)
		}
		return cells
	}
	t.Fatalf("no table %q", caption)
	return nil
}

const hostileText = "<script>alert(1)</script>\"' onload=x\u202e\x00\x1b{{.}}"

// hostilePage has what nobody should name a queue, wherever a vendor's text gets to.
func hostilePage(t *testing.T) WaitsPage {
	t.Helper()
	p := madePage(t, func(r *wait.Request) { r.DropOff = true }, wait.ByQueue, wait.ByDesk)
	p.Source, p.Queue, p.Location = hostileText, hostileText, hostileText
	for i := range p.Asked.Items {
		p.Asked.Items[i].Queue = []string{hostileText, strings.Repeat("<b>", 3_000)}[i%2]
	}
	p.Asked.Sources = []string{hostileText}
	p.Asked.Positions = map[string]int64{hostileText: 1}
	return p
}

// hostileEstimatesPage has them wherever they get to on the page about estimates.
func hostileEstimatesPage(t *testing.T) EstimatesPage {
	t.Helper()
	p := madeEstimatesPage(t)
	p.Source, p.Queue, p.QueueName = "", hostileText, strings.Repeat("<b>", 3_000)
	p.Positions = map[string]int64{hostileText: 1}
	return p
}

// What a strict content security policy forbids isn't there, and nothing is loaded from anywhere.
func TestPagesLoadAndRunNothing(t *testing.T) {
	t.Parallel()
	forbidden := regexp.MustCompile(`(?i)<(script|link|iframe|img|image|object|embed|base|form)\b|@import|https?:|//[a-z]|javascript:`)
	for name, p := range map[string]aPage{
		"hostile":    hostilePage(t),
		"estimates":  hostileEstimatesPage(t),
		"everything": madePage(t, func(r *wait.Request) { r.QueueLength, r.DropOff, r.Compare = true, true, true }, wait.ByQueue, wait.ByDay),
	} {
		page := written(t, p)
		if found := forbidden.FindString(page); found != "" {
			t.Errorf("%s: there is %q", name, found)
		}
		for _, ref := range regexp.MustCompile(`url\([^)]*\)`).FindAllString(page, -1) {
			if !strings.HasPrefix(ref, "url(#") {
				t.Errorf("%s: it refers to %s", name, ref)
			}
		}
		doc := document(t, page)
		hash := sha256.Sum256([]byte(doc.all("style")[0].text))
		if policy := doc.all("meta")[1].attr["content"]; policy != "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(hash[:])+"'" {
			t.Errorf("%s: its style is forbidden by %s", name, policy)
		}
		everyElement(doc, func(e *element) {
			for attr, value := range e.attr {
				if attr == "style" || attr == "src" || strings.HasPrefix(attr, "on") || attr == "href" && !strings.HasPrefix(value, "#") {
					t.Errorf("%s: <%s> has %s=%q", name, e.name, attr, value)
				}
			}
		})
	}
}

func everyElement(e *element, do func(*element)) {
	do(e)
	for _, c := range e.children {
		everyElement(c, do)
	}
}

func TestHostileNamesAreTexts(t *testing.T) {
	t.Parallel()
	doc := document(t, written(t, hostilePage(t)))
	shown := "<script>alert(1)</script>\"' onload=x\uFFFD\uFFFD\uFFFD{{.}}"
	cells := doc.table(t, "Waits by queue, desk")
	if got := cells[1][0]; got != shown {
		t.Errorf("the queue is %q, want %q", got, shown)
	}
	if got := cells[2][0]; len(got) > 210 || !strings.HasPrefix(got, "<b><b>") {
		t.Errorf("a queue of %d characters: %q", len(got), got)
	}
	if text := document(t, written(t, hostileEstimatesPage(t))).all("dl")[0].text; strings.Count(text, shown) != 3 {
		t.Errorf("the source, the queue and the positions are %q", text)
	}
	if n := len(doc.all("b")); n != len(doc.all("ul")[1].children) {
		t.Errorf("%d <b>, more than there are headlines", n)
	}
}

// For those who don't see it: what is what is said in words.
func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	for _, p := range []aPage{
		madePage(t, func(r *wait.Request) { r.QueueLength, r.DropOff = true, true }, wait.ByQueue), madeEstimatesPage(t),
	} {
		accessible(t, document(t, written(t, p)))
	}
}

func accessible(t *testing.T, doc *element) {
	t.Helper()
	if doc.all("html")[0].attr["lang"] != "en" || len(doc.all("h1")) != 1 || len(doc.all("title")) != 1 {
		t.Error("no language, or not one heading and title")
	}
	ids, names := map[string]bool{}, map[string]bool{}
	everyElement(doc, func(e *element) {
		id := e.attr["id"]
		if id != "" && ids[id] {
			t.Errorf("id %s comes twice", id)
		}
		ids[id] = true
		switch e.name {
		case "table":
			if name := e.children[0].text; names[name] {
				t.Errorf("two tables are called %s", name)
			}
			names[e.children[0].text] = true
			if e.children[0].name != "caption" || e.children[0].text == "" {
				t.Error("a table without a caption")
			}
		case "th":
			if !slices.Contains([]string{"row", "col"}, e.attr["scope"]) {
				t.Errorf("<th> %s has no scope", e.text)
			}
		case "svg":
			if e.attr["aria-hidden"] != "true" && (e.attr["role"] != "img" || e.attr["aria-label"] == "") {
				t.Error("a drawing without words")
			}
		}
	})
	for _, a := range doc.all("a") {
		if !ids[strings.TrimPrefix(a.attr["href"], "#")] {
			t.Errorf("%s leads nowhere", a.attr["href"])
		}
	}
}

func TestPageOfNothing(t *testing.T) {
	t.Parallel()
	p := WaitsPage{Made: time.Date(2026, 11, 16, 7, 30, 0, 0, time.UTC)}
	for _, r := range []*Waits{&p.Asked, &p.Total, &p.OverTime, &p.HeatMap} {
		r.Request = newMaker(t).request
	}
	doc := document(t, written(t, p))
	if text := doc.all("main")[0].text; !strings.Contains(text, "Nothing in this window") || !strings.Contains(text, "percentiles by nearest rank") {
		t.Error("neither said nor defined")
	}
	// The same, as the database tells it: one item of zeros.
	p.Total.Items = []wait.Item{{}}
	if n := len(document(t, written(t, p)).all("figure")); n != 0 {
		t.Errorf("%d charts of nothing", n)
	}
}

func TestPageOfOneVisitor(t *testing.T) {
	t.Parallel()
	p := madePage(t, func(*wait.Request) {})
	level := 1.0
	one := wait.Measures{
		Offered: 1, Served: 1, Wait: wait.Stats{N: 1, Mean: 61, Max: 61, Percentiles: map[int]int64{50: 61, 80: 61, 90: 61, 95: 61}},
		ServedWithin: 1, ServiceLevel: &level, Calls: wait.Calls{Called: 1},
	}
	for _, r := range []*Waits{&p.Asked, &p.Total, &p.OverTime, &p.HeatMap} {
		r.Items = slices.Clone(r.Items[:1])
		r.Items[0].Measures = one
	}
	doc := document(t, written(t, p))
	if got := doc.table(t, "Waits by day")[1]; !slices.Equal(got, []string{"2026-11-02 Mon", "1", "1*", "1:01", "1:01", "1:01", "1:01", "1:01", "1:01"}) {
		t.Errorf("got %q", got)
	}
	if n := len(doc.all("figure")); n != 6 {
		t.Errorf("%d charts", n)
	}
}

// As many items as a report may have make a page that a browser still opens.
func TestPageOfTenThousandItems(t *testing.T) {
	t.Parallel()
	p := madePage(t, func(*wait.Request) {}, wait.ByQueue, wait.ByDay)
	for len(p.Asked.Items) < wait.MaxItems {
		p.Asked.Items = append(p.Asked.Items, p.Asked.Items...)
	}
	p.Asked.Items = p.Asked.Items[:wait.MaxItems]
	page := written(t, p)
	if n := strings.Count(page, "<tr>"); n < 3*wait.MaxItems {
		t.Errorf("%d rows", n)
	}
	if len(page) > 20<<20 {
		t.Errorf("%d MiB", len(page)>>20)
	}
	t.Logf("%.1f MiB", float64(len(page))/(1<<20))
}
