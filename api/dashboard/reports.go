package dashboard

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"queuetrack/api"
)

// report is a kind of report: a page with a form of the parameters that a REST path has, and what they ask for.
type report struct {
	Path, Name, Title string                                                   // Name is what links say
	rest, command     string                                                   // where the same is told
	csv               bool                                                     // REST tells it as CSV, too
	fields            func(questions) (plain, more []field)                    // of the form
	content           func(context.Context, url.Values) (template.HTML, error) // what is beneath it
}

// reports are all kinds there are.
func (d *Dashboard) reports() []report {
	return []report{
		{
			Path: "/reports", Name: "Waits", Title: "Waiting times",
			rest: "/v1/reports/waits", command: "queuetrack report waits", csv: true, fields: waitFields,
			content: func(ctx context.Context, asked url.Values) (template.HTML, error) {
				page, err := d.cfg.Waits(ctx, asked)
				if err != nil {
					return "", err
				}
				return page.Content()
			},
		},
		{
			Path: "/reports/estimates", Name: "Estimates", Title: "Estimates of waiting times",
			rest: "/v1/reports/estimates/backtest", command: "queuetrack report estimates", fields: estimateFields,
			content: func(ctx context.Context, asked url.Values) (template.HTML, error) {
				page, err := d.cfg.Estimates(ctx, asked)
				if err != nil {
					return "", err
				}
				return page.Content()
			},
		},
	}
}

// reportPage is a report with its form. The form is there whatever became of the report, with all that was asked.
type reportPage struct {
	report
	Others  []link // the reports, this one included
	Windows []link // often asked for
	Plain   []field
	More    []field
	Open    bool   // More shows: something in it was asked for
	Assumed string // the source that was taken, as none was asked for; empty: one was, or none was needed

	Problem  *api.Problem // why there is no report; nil: there is
	Mistakes []mistake
	Means    means
	Content  template.HTML
}

// link leads to another question.
type link struct {
	Name, Address string
	Current       bool
}

// mistake is something that is wrong with a question.
type mistake struct {
	Field string // the id of an element of the form; empty: it has none
	Text  string
}

// loadReport asks for a report. What is wrong is part of the page.
func (d *Dashboard) loadReport(kind report) func(context.Context, input, *rest) (view, error) {
	return func(ctx context.Context, in input, ask *rest) (view, error) {
		p, asked := reportPage{report: kind}, in.query
		there, err := readChoices(ctx, ask)
		if err == nil {
			p.Assumed = there.assume(asked)
			p.Content, err = kind.content(ctx, asked)
		}
		v := view{Title: kind.Title, Section: "reports", Template: "report"}
		if err != nil {
			p.Problem = api.Describe(ctx, err)
			v.Status, v.Header = p.Problem.Status, p.Problem.GetHeaders()
		}
		p.Plain, p.More = kind.fields(questions{asked, there, p.Problem})
		p.Open = slices.ContainsFunc(p.More, field.answered)
		p.Mistakes = mistakes(p.Problem, slices.Concat(p.Plain, p.More))
		p.Windows = windows(kind, asked, there, d.cfg.Now())
		for _, other := range d.reports() {
			p.Others = append(p.Others, link{other.Name, addressOf(other.Path, only(asked, "source", "queue", "from", "to", "tz")), other.Path == kind.Path})
		}
		p.Means = newMeans(kind, asked, in)
		v.Data = p
		return v, nil
	}
}

// mistakes are what a problem says of the question, each with the field that it is about.
func mistakes(p *api.Problem, fields []field) (list []mistake) {
	if p == nil {
		return nil
	}
	for _, e := range p.Errors {
		m := mistake{Text: e.Detail}
		if i := slices.IndexFunc(fields, func(f field) bool { return "/query/"+f.Name == e.Pointer }); i >= 0 {
			m.Field = fields[i].ID()
		}
		list = append(list, m)
	}
	return list
}

// only are the parameters of these names.
func only(asked url.Values, names ...string) url.Values {
	some := url.Values{}
	for _, name := range names {
		if asked.Get(name) != "" {
			some.Set(name, asked.Get(name))
		}
	}
	return some
}

// addressOf is a path with a query. Commas stay what they are: people read addresses.
func addressOf(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + strings.ReplaceAll(query.Encode(), "%2C", ",")
}

// tidy leads from what a form sends to the address that it stands for: without what is empty, and with choices that were
// made one by one joined as REST has them. So the address of a report is its question, and no longer.
func tidy(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, err := url.ParseQuery(r.URL.RawQuery)
		asked, isTidy := url.Values{}, true
		for name, values := range given {
			kept := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
			if (name == "group_by" || name == "include") && len(kept) > 1 {
				kept = []string{strings.Join(kept, ",")}
			}
			isTidy = isTidy && len(kept) == len(values)
			if len(kept) > 0 {
				asked[name] = kept
			}
		}
		if err == nil && !isTidy {
			http.Redirect(w, r, addressOf(r.URL.Path, asked), http.StatusSeeOther)
			return
		}
		next.ServeHTTP(w, r) // a query that can't be read is refused there
	})
}
