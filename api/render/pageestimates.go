package render

import (
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// EstimatesPage is a page about how good estimates were.
type EstimatesPage struct {
	Estimates
	Source, Queue string // the filters, as asked for; empty: none
	QueueName     string // what Queue is called, if it has a name
	Made          time.Time
}

// Write writes the page.
func (p EstimatesPage) Write(w io.Writer) error { return p.page().write(w) }

// Content is what the page tells, for the inside of another page.
func (p EstimatesPage) Content() (template.HTML, error) { return p.page().content() }

func (p EstimatesPage) page() page {
	return page{
		Title: "Estimates of waiting times", Period: windowText(p.From, p.To),
		Facts: p.facts(), Sections: p.sections(), Definitions: EstimatesExplained(),
	}
}

func (p EstimatesPage) facts() []fact {
	return []fact{
		{Name: "Window", Text: windowText(p.From, p.To) + ", the end not included"},
		{Name: "Time zone", Text: p.TZ},
		{Name: "Source", Text: filterText(p.Source, "all: "+strings.Join(slices.Sorted(maps.Keys(p.Positions)), ", "))},
		{Name: "Queue", Text: filterText(queueText(p.Queue, p.QueueName), "all")},
		{Name: "Positions", Text: positionsText(p.Positions)},
		{Name: "Made", Text: p.Made.In(p.From.Location()).Format("2006-01-02 15:04:05 -07:00")},
	}
}

func (p EstimatesPage) sections() []section {
	summary := section{ID: "summary", Title: "Summary", Texts: p.inWords()}
	if p.Total.N == 0 {
		return []section{summary}
	}
	summary.Notes = []string{"Times are minutes and seconds: 62:05 is an hour, two minutes and five seconds."}
	summary.Headline = p.headline()
	return []section{summary, p.errorsSection(), p.rangeSection()}
}

// headline are the estimate's numbers of the whole window.
func (p EstimatesPage) headline() []fact {
	t := p.Total
	list := []fact{
		{Name: "arrivals", Text: integer(t.N)},
		{Name: "mean absolute error", Text: duration(*t.Estimate.MAE)},
	}
	if part := better(t.Estimate, t.Rolling); part != nil {
		name, gain := "better than ", *part
		if gain < 0 {
			name, gain = "worse than ", -gain
		}
		list = append(list, fact{Name: name + predictors[1].name, Text: share(gain)})
	}
	list = append(list, fact{Name: "right to 5 minutes", Text: share(*t.Estimate.Within5)})
	if t.Range.N > 0 {
		list = append(list, fact{Name: "below the range's upper end", Text: share(*t.Range.BelowHigh), More: promisedText() + " promised"})
	}
	return list
}

func (p EstimatesPage) errorsSection() section {
	return section{
		ID: "errors", Title: "Errors by length of queue",
		Notes: []string{
			"By how many stood before the arrival. All three predictions are of the same arrivals. " + weakNote,
			"Bias above 0: people were told too long.",
		},
		Figures: []figure{{"Mean absolute error by how many stood before", p.errorsChart()}},
		Tables:  []grid{p.table(errorsSheet()), p.table(spreadSheet()), p.table(withinSheet())},
	}
}

func (p EstimatesPage) rangeSection() section {
	s := section{ID: "range", Title: "The range", NewPage: true}
	if p.Total.Range.N == 0 {
		s.Notes = []string{"Nobody in this window was told a range."}
		return s
	}
	s.Notes = []string{
		"Of ten that are told a range, eight should wait no longer than its upper end, and six within it. More than that is no better: the range is then wider than it need be.",
		weakNote,
	}
	s.Figures = []figure{{"Share that waited no longer than the range's upper end, by how many stood before", p.rangeChart()}}
	s.Tables = []grid{p.table(rangeSheet())}
	return s
}

// table is a sheet as a table of the page.
func (e Estimates) table(s judgedSheet) grid {
	g := grid{Caption: s.title + ", by how many stood before", Head: []gridCell{{Text: "ahead", Key: true}}}
	for _, c := range s.columns {
		g.Head = append(g.Head, gridCell{Text: c.name})
	}
	for i, item := range e.rows() {
		row := []gridCell{{Text: e.rowName(i), Key: true}}
		for _, c := range s.columns {
			row = append(row, gridCell{Text: c.text(item)})
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}
