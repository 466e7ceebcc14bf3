package render

import (
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"queuetrack/projection/wait"
)

// WaitsPage is what a page about waits is made of: what was asked for, and three more reports about the same segments.
// They are one look at the database.
type WaitsPage struct {
	Asked    Waits
	Total    Waits // no group
	OverTime Waits // by PageBucket
	HeatMap  Waits // by weekday and hour of the day

	Source, Queue, Location string // the filters, as asked for; empty: none
	QueueName               string // what Queue is called, if it has a name
	Made                    time.Time
}

// mostBuckets is how many buckets a chart shows well.
const mostBuckets = 120

// PageBucket is the bucket that a chart over a window has: the shortest of which there are not too many.
func PageBucket(from, to time.Time) wait.GroupKey {
	const hour = time.Hour
	switch length := to.Sub(from); {
	case length <= mostBuckets*hour:
		return wait.ByHour
	case length <= mostBuckets*24*hour:
		return wait.ByDay
	case length <= mostBuckets*7*24*hour:
		return wait.ByWeek
	}
	return wait.ByMonth
}

// Write writes the page.
func (p WaitsPage) Write(w io.Writer) error {
	made, err := p.page()
	if err != nil {
		return err
	}
	return made.write(w)
}

// Content is what the page tells, for the inside of another page.
func (p WaitsPage) Content() (template.HTML, error) {
	made, err := p.page()
	if err != nil {
		return "", err
	}
	return made.content()
}

func (p WaitsPage) page() (page, error) {
	sections, err := p.sections()
	return page{
		Title: "Waiting times", Period: p.Asked.period(p.Asked.From, p.Asked.To),
		Facts: p.facts(), Sections: sections, Definitions: WaitsExplained(),
	}, err
}

// facts say what the page is about, so that it can be understood, and made again, without the command.
func (p WaitsPage) facts() []fact {
	r := p.Asked
	list := []fact{
		{Name: "Window", Text: r.period(r.From, r.To) + ", the end not included"},
		{Name: "Time zone", Text: r.Zone.String()},
		{Name: "Source", Text: filterText(p.Source, "all: "+strings.Join(r.Sources, ", "))},
		{Name: "Queue", Text: filterText(p.queue(), "all")},
		{Name: "Location", Text: filterText(p.Location, "all")},
		{Name: "Grouped by", Text: orNone(keyNames(r.GroupBy))},
		{Name: "Attributed by", Text: string(r.AttributedBy)},
		{Name: "Service level", Text: r.levelName()},
	}
	if r.Compare {
		list = append(list, fact{Name: "Compared with", Text: r.period(r.PreviousFrom, r.PreviousTo)})
	}
	return append(list,
		fact{Name: "Positions", Text: positionsText(r.Positions)},
		fact{Name: "Made", Text: p.Made.In(r.Zone).Format("2006-01-02 15:04:05 -07:00")})
}

// queue is the queue that was asked for, by its id and its name.
func (p WaitsPage) queue() string { return queueText(p.Queue, p.QueueName) }

// queueText is a queue's id, and its name if it has one.
func queueText(id, name string) string {
	if name == "" {
		return id
	}
	return id + ", " + name
}

// filterText is what was asked for, or what there is without having asked.
func filterText(given, all string) string {
	if given == "" {
		return shown(all)
	}
	return shown(given)
}

func keyNames(keys []wait.GroupKey) string {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = spaced(string(key))
	}
	return strings.Join(names, ", ")
}

func orNone(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// positionsText is what the report knows of each source, in the sources' order.
func positionsText(positions map[string]int64) string {
	var list []string
	for _, source := range slices.Sorted(maps.Keys(positions)) {
		list = append(list, fmt.Sprintf("%s:%d", shown(source), positions[source]))
	}
	return orNone(strings.Join(list, ", "))
}

// sections are the page's parts. Those about nothing are left out.
func (p WaitsPage) sections() ([]section, error) {
	if len(p.Total.Items) == 0 || p.Total.Items[0].Offered == 0 && p.Total.Items[0].QueueLength.WaitingSeconds == 0 {
		return []section{{ID: "summary", Title: "Summary", Notes: []string{"Nothing in this window: nobody waited."}}}, nil
	}
	list := []section{p.summary()}
	if len(p.OverTime.Items) > 0 {
		o := newOverTime(p.OverTime)
		list = append(list, o.waitSection(), o.levelSection(), p.outcomesSection(o))
		if o.QueueLength {
			list = append(list, o.lengthSection())
		}
	}
	if len(p.HeatMap.Items) > 0 {
		list = append(list, p.HeatMap.weekSection())
	}
	if total := p.Total.Items[0]; len(total.DropOff) > 0 {
		s, err := dropOffSection(total)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if len(p.Asked.GroupBy) > 0 {
		list = append(list, p.Asked.askedSection())
	}
	return list, nil
}
