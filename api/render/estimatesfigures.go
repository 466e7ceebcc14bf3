package render

import (
	"fmt"
	"strings"
)

// predictor is one of those that are set beside each other: the estimate, and two baselines that know no queue.
type predictor struct {
	name  string
	short string // where several figures of each stand side by side
	of    func(EstimatesItem) Accuracy
}

var predictors = []predictor{
	{"estimate", "", func(i EstimatesItem) Accuracy { return i.Estimate }},
	{"rolling 60 minutes", "rolling ", func(i EstimatesItem) Accuracy { return i.Rolling }},
	{"last wait", "last ", func(i EstimatesItem) Accuracy { return i.Last }},
}

// promisedBelow is what part of those who are told a range should wait no longer than its upper end.
const promisedBelow = 0.8

// judged is a number of each group of arrivals, as tables for people show it.
type judged struct {
	name   string
	form   form
	signed bool
	of     func(EstimatesItem) *float64 // nil: nothing to tell
	bar    bool                         // a bar beside it, of the same scale as the sheet's other ones
	weak   func(EstimatesItem) bool     // nil: never; else whether it is a number of few samples
}

// text is a group's cell.
func (c judged) text(i EstimatesItem) string {
	v := c.of(i)
	switch {
	case v == nil:
		return absent
	case c.signed:
		return c.form.difference(*v, 0)
	case c.weak != nil && c.weak(i):
		return c.form.write(*v) + lowMark
	}
	return c.form.write(*v)
}

// judgedSheet is a table of columns that are read together.
type judgedSheet struct {
	title   string
	columns []judged
}

// The sheets, in the order in which people ask for them.

func errorsSheet() judgedSheet {
	s := judgedSheet{"Mean absolute error (MAE)", []judged{arrivalsColumn()}}
	for _, p := range predictors {
		s.columns = append(s.columns, judged{name: p.name, form: formDuration, bar: true, of: func(i EstimatesItem) *float64 { return p.of(i).MAE }})
	}
	for _, p := range predictors[1:] {
		s.columns = append(s.columns, judged{name: "better than " + strings.TrimSpace(p.short), form: formShare, of: func(i EstimatesItem) *float64 { return better(i.Estimate, p.of(i)) }})
	}
	return s
}

func spreadSheet() judgedSheet {
	s := judgedSheet{title: "Root mean squared error (RMSE), bias"}
	for _, p := range predictors {
		s.columns = append(s.columns, judged{name: p.short + "RMSE", form: formDuration, of: func(i EstimatesItem) *float64 { return p.of(i).RMSE }})
	}
	for _, p := range predictors {
		s.columns = append(s.columns, judged{name: p.short + "bias", form: formDuration, signed: true, of: func(i EstimatesItem) *float64 { return p.of(i).Bias }})
	}
	return s
}

func withinSheet() judgedSheet {
	s := judgedSheet{title: "Right to 5 minutes or better"}
	for _, p := range predictors {
		s.columns = append(s.columns, judged{name: p.name, form: formShare, of: func(i EstimatesItem) *float64 { return p.of(i).Within5 }})
	}
	return s
}

func rangeSheet() judgedSheet {
	return judgedSheet{"The range", []judged{
		{
			name: "told a range", form: formCount, of: func(i EstimatesItem) *float64 { return floated(i.Range.N) },
			weak: func(i EstimatesItem) bool { return i.Range.N > 0 && i.Range.N < LowN },
		},
		{name: "below high", form: formShare, bar: true, of: func(i EstimatesItem) *float64 { return i.Range.BelowHigh }},
		{name: "within", form: formShare, of: func(i EstimatesItem) *float64 { return i.Range.Within }},
	}}
}

// arrivalsColumn is how many arrivals a group has.
func arrivalsColumn() judged {
	return judged{
		name: "arrivals", form: formCount, of: func(i EstimatesItem) *float64 { return floated(i.N) },
		weak: func(i EstimatesItem) bool { return i.N > 0 && i.LowN },
	}
}

func floated(n int64) *float64 {
	f := float64(n)
	return &f
}

// better is by what part of a baseline's mean error the estimate's is smaller; nil where there is nothing to divide by.
func better(a, baseline Accuracy) *float64 {
	if a.MAE == nil || baseline.MAE == nil || *baseline.MAE == 0 {
		return nil
	}
	part := 1 - *a.MAE / *baseline.MAE
	return &part
}

// longest is what a whole bar stands for: the greatest of a sheet's values that have bars; of shares, all.
func (s judgedSheet) longest(items []EstimatesItem) float64 {
	most := 0.0
	for _, c := range s.columns {
		if c.bar && c.form == formShare {
			return 1
		}
		for _, item := range items {
			if v := c.of(item); c.bar && v != nil {
				most = max(most, *v)
			}
		}
	}
	return most
}

// rows are the groups, the total last.
func (e Estimates) rows() []EstimatesItem {
	return append(append([]EstimatesItem{}, e.Items...), e.Total)
}

// rowName is how many stood before the arrivals of a row.
func (e Estimates) rowName(row int) string {
	if row == len(e.Items) {
		return "all"
	}
	return e.Items[row].ahead()
}

// ahead is how many stood before the group's arrivals.
func (i EstimatesItem) ahead() string {
	switch {
	case i.AheadTo == nil:
		return integer(i.AheadFrom) + "+"
	case *i.AheadTo == i.AheadFrom:
		return integer(i.AheadFrom)
	}
	return integer(i.AheadFrom) + "–" + integer(*i.AheadTo)
}

// nothingJudged says that, and why.
const nothingJudged = "Nothing to judge in this window: of those who came, nobody has been called for whom there were an estimate and both baselines."

// inWords are the report in a few sentences.
func (e Estimates) inWords() []string {
	t := e.Total
	if t.N == 0 {
		return []string{nothingJudged}
	}
	list := []string{
		fmt.Sprintf("What %s told was off by %s on average, and right to 5 minutes or better for %s of them. %s",
			counted(t.N, "arrival was", "arrivals were"), duration(*t.Estimate.MAE), share(*t.Estimate.Within5), biasText(*t.Estimate.Bias)),
		fmt.Sprintf("The mean of the hour before would have been off by %s%s. The last wait would have been off by %s%s.",
			duration(*t.Rolling.MAE), betterText(t.Estimate, t.Rolling), duration(*t.Last.MAE), betterText(t.Estimate, t.Last)),
	}
	if t.Range.N > 0 {
		list = append(list, fmt.Sprintf("Of %s told a range, %s waited no longer than its upper end; it promises %.0f %%.",
			counted(t.Range.N, "arrival that was", "arrivals that were"), share(*t.Range.BelowHigh), 100*promisedBelow))
	}
	if t.LowN {
		list = append(list, fmt.Sprintf("Fewer than %d arrivals (%d): the figures say little.", LowN, t.N))
	}
	return list
}

func counted(n int64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return integer(n) + " " + more
}

// biasText says in which direction predictions are off.
func biasText(bias float64) string {
	switch text := formDuration.difference(bias, 0); text[0] {
	case '+':
		return "On average it was " + text[1:] + " too long."
	case '-':
		return "On average it was " + text[1:] + " too short."
	}
	return "On average it was neither too long nor too short."
}

// betterText compares with a baseline.
func betterText(a, baseline Accuracy) string {
	part := better(a, baseline)
	switch {
	case part == nil:
		return ""
	case *part < 0:
		return ": the estimate is " + share(-*part) + " worse"
	}
	return ": the estimate is " + share(*part) + " better"
}
