package render

import (
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// leftAligned begins a cell of a column that isn't numbers.
const leftAligned = "\x00"

// printable is a vendor's text without what a terminal would obey, or what turns the direction of writing.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// cut shortens a text to a width.
func cut(s string, width int) string {
	if uniseg.StringWidth(s) <= width {
		return s
	}
	var b strings.Builder
	used := 0
	for g := uniseg.NewGraphemes(s); g.Next() && used+g.Width() < width; {
		b.WriteString(g.Str())
		used += g.Width()
	}
	return b.String() + "…"
}

// widest is the width of a column.
func widest(column []string) int {
	most := 0
	for _, cell := range column {
		most = max(most, uniseg.StringWidth(strings.TrimPrefix(cell, leftAligned)))
	}
	return most
}

// gap is the room between columns.
const gap = 2

// fit parts columns into blocks that are as wide as a terminal at most, the keys in front of each. A block has at
// least one column.
func fit(keys, columns [][]string) (blocks [][][]string) {
	begin := 0
	for _, key := range keys {
		begin += widest(key) + gap
	}
	used := tableWidth
	for _, column := range columns {
		width := widest(column)
		if len(blocks) == 0 || used+gap+width > tableWidth {
			blocks = append(blocks, nil)
			used = begin - gap
		}
		last := len(blocks) - 1
		blocks[last] = append(blocks[last], column)
		used += gap + width
	}
	return blocks
}

// align writes columns side by side: the first ones, texts, to the left, the others, numbers, to the right.
func align(out *strings.Builder, columns [][]string, texts int) {
	widths := make([]int, len(columns))
	for i, column := range columns {
		widths[i] = widest(column)
	}
	for row := range columns[0] {
		var line strings.Builder
		for i, column := range columns {
			cell, left := strings.CutPrefix(column[row], leftAligned)
			pad := strings.Repeat(" ", widths[i]-uniseg.StringWidth(cell))
			if i > 0 {
				line.WriteString(strings.Repeat(" ", gap))
			}
			if i < texts || left {
				line.WriteString(cell + pad)
			} else {
				line.WriteString(pad + cell)
			}
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}
