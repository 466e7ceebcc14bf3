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

// fit parts columns into as few blocks as a terminal's width allows, about as wide as each other, the keys in front of
// each.
func fit(keys, columns [][]string) (blocks [][][]string) {
	begin := 0
	for _, key := range keys {
		begin += widest(key) + gap
	}
	widths := make([]int, len(columns))
	for i, column := range columns {
		widths[i] = widest(column)
	}
	sizes := fill(begin, widths, tableWidth)
	for most := tableWidth - 1; most > 0; most-- {
		narrower := fill(begin, widths, most)
		if len(narrower) > len(sizes) {
			break
		}
		sizes = narrower
	}
	for _, n := range sizes {
		blocks = append(blocks, columns[:n])
		columns = columns[n:]
	}
	return blocks
}

// fill is how many columns, of which the widths are given, each block has: as many as it takes, and one at least.
func fill(begin int, widths []int, most int) (sizes []int) {
	used := most
	for _, width := range widths {
		if len(sizes) == 0 || used+gap+width > most {
			sizes = append(sizes, 0)
			used = begin - gap
		}
		sizes[len(sizes)-1]++
		used += gap + width
	}
	return sizes
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
