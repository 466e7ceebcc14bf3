package render

import (
	"fmt"
	"slices"

	"queuetrack/projection/wait"
)

// summary are the numbers of the whole window.
func (p WaitsPage) summary() section {
	r, item := p.Total, p.Total.Items[0]
	s := section{ID: "summary", Title: "Summary"}
	for _, c := range slices.Concat([]column{offeredColumn()}, r.waitColumns()[1:], []column{levelColumn()}) {
		f := fact{Name: c.name, Text: c.text(item.Measures)}
		if c.name == "SL" {
			f.Name = "service level"
		} else if c.form == formDuration {
			f.Name = c.name + " wait"
		}
		if r.Compare {
			f.More = c.change(item) + " from " + c.before(item)
		}
		s.Headline = append(s.Headline, f)
	}
	if n := item.Wait.N; n > 0 && n < LowN {
		s.Notes = append(s.Notes, fmt.Sprintf("Fewer than %d waits (%d): the percentiles say little.", LowN, n))
	}
	s.Notes = append(s.Notes, "Times are minutes and seconds: 62:05 is an hour, two minutes and five seconds.")
	for _, sheet := range slices.Concat(r.sheets(), r.details()) {
		s.Tables = append(s.Tables, r.total(sheet))
	}
	return s
}

// total is a sheet of the one item, a line a number, beside the period before if that was asked for.
func (r Waits) total(s sheet) grid {
	item := r.Items[0]
	g := grid{Caption: s.title + ", total", Head: []gridCell{{Text: "measure", Key: true}, {Text: "value"}}}
	if r.Compare {
		g.Head = append(g.Head, texts("before", "difference")...)
	}
	for _, c := range s.columns {
		row := []gridCell{{Text: c.name, Key: true}, {Text: c.text(item.Measures)}}
		if r.Compare {
			row = append(row, texts(c.before(item), c.change(item))...)
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

// rows are a table of columns: a row an item.
func (r Waits) rows(caption string, columns []column) grid {
	g := grid{Caption: caption}
	keys := r.keyColumns()
	for _, k := range keys {
		g.Head = append(g.Head, gridCell{Text: k.name, Key: true})
	}
	for _, c := range columns {
		g.Head = append(g.Head, gridCell{Text: c.name})
	}
	for _, item := range r.Items {
		row := make([]gridCell, 0, len(keys)+len(columns))
		for _, k := range keys {
			row = append(row, gridCell{Text: shown(k.text(item)), Key: true, Foreign: k.foreign})
		}
		for _, c := range columns {
			row = append(row, gridCell{Text: c.text(item.Measures)})
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

// bars adds a column of bars to a table of the report's items.
func (r Waits) bars(g grid, c column) grid {
	most := r.longest(c)
	g.Head = append(g.Head, gridCell{Text: c.name + ", up to " + c.form.write(most), Key: true})
	for i, item := range r.Items {
		v, _ := c.of(item.Measures)
		g.Rows[i] = append(g.Rows[i], barCell(v, most))
	}
	return g
}

// weakNote explains the signs of few samples.
var weakNote = fmt.Sprintf("A ring in the chart and a %s in the table: fewer than %d samples, which say little. Gaps: nobody.", lowMark, LowN)

func (o overTime) waitSection() section {
	return section{
		ID: "waits", Title: "Waits over time",
		Notes:   []string{"From entry to the first call, of those who were called. " + weakNote},
		Figures: []figure{{"Percentiles of the wait by " + string(o.key), o.percentilesChart()}},
		Tables:  []grid{o.rows("Waits by "+string(o.key), slices.Concat([]column{offeredColumn()}, o.waitColumns()))},
	}
}

func (o overTime) levelSection() section {
	return section{
		ID: "service-level", Title: "Service level over time",
		Notes:   []string{formulaText(o.Formula) + fmt.Sprintf(" A ring: fewer than %d served and abandoned.", LowN)},
		Figures: []figure{{"Service level, " + o.levelName() + ", by " + string(o.key), o.levelChart()}},
		Tables:  []grid{o.rows("Service level and its components by "+string(o.key), levelColumns())},
	}
}

// formulaText is the formula of the report's service level.
func formulaText(f wait.Formula) string {
	for _, chapter := range WaitsExplained() {
		for _, term := range chapter.Terms {
			if term.Name == string(f) {
				return term.Name + " = " + term.Text + "."
			}
		}
	}
	return string(f) + "."
}

func (p WaitsPage) outcomesSection(o overTime) section {
	return section{
		ID: "outcomes", Title: "Outcomes",
		Notes: []string{"Other: cancelled, returned, transferred, expired and merged; the table has each of them."},
		Figures: []figure{
			{"Outcomes of the whole window", totalsChart(p.Total.Items[0].Measures)},
			{"Outcomes by " + string(o.key), o.outcomesChart()},
		},
		Tables: []grid{o.rows("Outcomes by "+string(o.key), outcomeColumns())},
	}
}

func (o overTime) lengthSection() section {
	return section{
		ID: "queue-length", Title: "Queue length over time",
		Notes:   []string{"How many waited at the same time, of all queues of the page together."},
		Figures: []figure{{"Queue length by " + string(o.key), o.lengthChart()}},
		Tables:  []grid{o.rows("Queue length by "+string(o.key), lengthColumns())},
	}
}

// dropOffSection shows who gave up.
func dropOffSection(total wait.Item) (section, error) {
	chart, err := dropOffChart(total.DropOff)
	if err != nil {
		return section{}, err
	}
	table := grid{
		Caption: "Gave up, by place at entry",
		Head:    append([]gridCell{{Text: "place", Key: true}}, texts("offered", "abandoned", "rate")...),
	}
	for _, place := range total.DropOff {
		text := absent
		if v, known := rate(place.Abandoned, place.Offered); known {
			text = share(v)
		}
		table.Rows = append(table.Rows, append([]gridCell{{Text: placeName(place), Key: true}},
			texts(integer(place.Offered), integer(place.Abandoned), text)...))
	}
	return section{
		ID: "drop-off", Title: "Who gave up",
		Notes:   []string{"The place at entry: 1 is the next to be called."},
		Figures: []figure{{"Share that left without a call, by place at entry", chart}},
		Tables:  []grid{table},
	}, nil
}

// askedSection are all numbers of the report that was asked for.
func (r Waits) askedSection() section {
	s := section{ID: "groups", Title: "By " + keyNames(r.GroupBy), NewPage: true}
	if len(r.Items) == 0 {
		s.Notes = []string{"Nothing in this window."}
		return s
	}
	for i, sheet := range slices.Concat(r.sheets(), r.details()) {
		g := r.rows(sheet.title+" by "+keyNames(r.GroupBy), sheet.columns)
		if i == 0 {
			g = r.bars(g, r.barColumn())
		}
		s.Tables = append(s.Tables, g)
	}
	if r.Compare {
		s.Tables = append(s.Tables, r.comparison())
	}
	return s
}

// comparison sets some columns beside the period before.
func (r Waits) comparison() grid {
	g := r.rows("Compared with the period before, by "+keyNames(r.GroupBy), nil)
	for _, c := range r.compared() {
		g.Head = append(g.Head, texts(c.name, c.name+" before", c.name+" difference")...)
		for i, item := range r.Items {
			g.Rows[i] = append(g.Rows[i], texts(c.text(item.Measures), c.before(item), c.change(item))...)
		}
	}
	return g
}
