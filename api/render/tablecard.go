package render

import (
	"slices"
	"strings"
)

// writeCard writes a report of one item: a line a number.
func (r Waits) writeCard(out *strings.Builder) {
	item := r.Items[0]
	for i, s := range slices.Concat(r.sheets(), r.details()) {
		if i > 0 {
			out.WriteByte('\n')
		}
		out.WriteString(s.title + "\n")
		names, values := []string{}, []string{}
		before, changes := []string{}, []string{}
		for _, c := range s.columns {
			names = append(names, "  "+c.name)
			values = append(values, c.text(item.Measures))
			before = append(before, c.before(item))
			changes = append(changes, c.change(item))
		}
		columns := [][]string{names, marked(values)}
		if r.Compare {
			columns = append(columns, before, changes)
			for j, title := range []string{"", "now", "before", "±"} {
				columns[j] = append([]string{title}, columns[j]...)
			}
		}
		align(out, columns, 1)
	}
}
