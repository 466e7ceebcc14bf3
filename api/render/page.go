package render

import (
	"crypto/sha256"
	_ "embed" // the page's template and style
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
)

// page is a report as one HTML document that needs nothing else: no scripts, no fonts, nothing to load. It prints well,
// and a strict content security policy lets it pass (its only style is one style element).
type page struct {
	Title, Period string
	Facts         []fact
	Sections      []section
	Definitions   Definitions
}

// fact is something with a name.
type fact struct{ Name, Text, More string }

// section is a part of a page with a heading: text, then charts, then tables with the same numbers.
type section struct {
	ID, Title string
	NewPage   bool     // on paper
	Texts     []string // what it says in words
	Notes     []string
	Headline  []fact
	Figures   []figure
	Tables    []grid
}

// figure is a chart.
type figure struct {
	Caption string
	Chart   template.HTML
}

// grid is a table.
type grid struct {
	Caption string
	Head    []gridCell
	Rows    [][]gridCell
}

// gridCell is a cell of a table.
type gridCell struct {
	Text    string
	Key     bool   // says what the row, or the column, is about
	Foreign bool   // a vendor's text, in whatever direction it is written
	Bar     string // of 100; instead of a text
}

//go:embed page.gohtml
var pageSource string

//go:embed page.css
var pageStyle string

// Style is the whole style of the page.
func (page) Style() template.CSS {
	return template.CSS(pageStyle) // our own file
}

// Style is what charts and tables look like, for a page that has them among other things.
func Style() string { return pageStyle }

// Policy lets the page be styled by its style, and nothing else: even a mistake of ours would load and run nothing.
func (page) Policy() string {
	hash := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'"
}

// write writes the document.
func (p page) write(w io.Writer) error { return p.draw(w, "page") }

// content is what the page tells, to be put into another page that has a title, [Style] and nothing else that is called
// by the ids of our sections.
func (p page) content() (template.HTML, error) {
	var out strings.Builder
	err := p.draw(&out, "content")
	return template.HTML(out.String()), err // html/template wrote it
}

func (p page) draw(w io.Writer, name string) error {
	// Parsed each time: next to what a report costs it is nothing, and most processes write none.
	t, err := template.New("page").Parse(pageSource)
	if err != nil {
		return fmt.Errorf("read the page's template: %w", err)
	}
	if err := t.ExecuteTemplate(w, name, p); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// texts are a row of cells.
func texts(list ...string) []gridCell {
	row := make([]gridCell, len(list))
	for i, text := range list {
		row[i].Text = text
	}
	return row
}

// barCell is a bar of a value, drawn as part of the greatest.
func barCell(v, greatest float64) gridCell {
	if v <= 0 || greatest <= 0 {
		return gridCell{}
	}
	return gridCell{Bar: points(v / greatest * 100)}
}

// shown is a vendor's text for a page: what can't be seen is made visible, and what is too long for anybody is cut.
func shown(s string) string {
	const most = 200
	s = printable(strings.ToValidUTF8(s, "\uFFFD"))
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}
