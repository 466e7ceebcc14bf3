package render

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Definitions say what each number of a report means: the command prints them, a page ends with them.
type Definitions []Chapter

// Chapter is what belongs together of the definitions.
type Chapter struct {
	Title string
	Intro string
	Terms []Term
}

// Term is one word of a report and what it means.
type Term struct{ Name, Text string }

// The measures of the text: terms stand in a column of their own.
const (
	explainedWidth = 118
	termsWidth     = 20
)

// WriteText writes the definitions for a terminal.
func (d Definitions) WriteText(w io.Writer) error {
	var out strings.Builder
	for i, c := range d {
		if i > 0 {
			out.WriteByte('\n')
		}
		out.WriteString(c.Title + "\n")
		for _, line := range wrapped(c.Intro, explainedWidth-2) {
			out.WriteString("  " + line + "\n")
		}
		for _, t := range c.Terms {
			t.write(&out)
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (t Term) write(out *strings.Builder) {
	lead := "  " + t.Name
	for _, line := range wrapped(t.Text, explainedWidth-termsWidth) {
		out.WriteString(lead + strings.Repeat(" ", max(1, termsWidth-utf8.RuneCountInString(lead))) + line + "\n")
		lead = ""
	}
}

// wrapped breaks a text into lines of so many characters.
func wrapped(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
