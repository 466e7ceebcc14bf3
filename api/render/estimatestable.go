package render

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteTable writes the report for a terminal: in a few sentences, then sheet by sheet, a line a group, errors as minutes
// and seconds.
func (e Estimates) WriteTable(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s\n\n", windowText(e.From, e.To), e.TZ)
	for _, sentence := range e.inWords() {
		for _, line := range wrapped(sentence, tableWidth-2) {
			out.WriteString(line + "\n")
		}
	}
	if e.Total.N > 0 {
		e.writeSheets(&out)
	}
	out.WriteString("\n--explain defines every number\n")
	if _, err := io.WriteString(w, out.String()); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

func (e Estimates) writeSheets(out *strings.Builder) {
	ahead := []string{"ahead"}
	for row := range e.rows() {
		ahead = append(ahead, e.rowName(row))
	}
	for _, s := range []judgedSheet{errorsSheet(), spreadSheet(), withinSheet(), rangeSheet()} {
		out.WriteString("\n" + s.title + "\n")
		align(out, slices.Concat([][]string{ahead}, e.cells(s)), 1)
	}
	out.WriteString("\nahead = how many stood before them when they came · times in min:s · bias above 0: told too long")
	if strings.Contains(out.String(), lowMark) {
		fmt.Fprintf(out, " · %s fewer than %d", lowMark, LowN)
	}
	out.WriteByte('\n')
}

// cells are the columns of a sheet, each with its title.
func (e Estimates) cells(s judgedSheet) (list [][]string) {
	most := s.longest(e.rows())
	for _, c := range s.columns {
		var texts []string
		for _, item := range e.rows() {
			texts = append(texts, c.text(item))
		}
		title := c.name
		if c.bar {
			title, texts = leftAligned+title, e.barred(c, texts, most)
		}
		list = append(list, marked(append([]string{title}, texts...)))
	}
	return list
}

// barred puts a bar behind each number of a column.
func (e Estimates) barred(c judged, texts []string, most float64) []string {
	width := widest(texts)
	for row, item := range e.rows() {
		texts[row] = leftAligned + strings.Repeat(" ", width-wide(texts[row])) + texts[row]
		if v := c.of(item); v != nil {
			texts[row] += " " + barOf(*v, most, barWidthIn)
		}
	}
	return texts
}
