package render

import (
	"io"
	"strings"
	"testing"
	"time"

	"queuetrack/projection/wait"
)

// madePage is a page of a fortnight.
func madePage(t *testing.T, change func(*wait.Request), groups ...wait.GroupKey) WaitsPage {
	t.Helper()
	report := func(groups ...wait.GroupKey) Waits {
		m := newMaker(t, groups...)
		change(&m.request)
		return m.report()
	}
	asked := report(groups...)
	return WaitsPage{
		Asked: asked, Total: report(), OverTime: report(PageBucket(asked.From, asked.To)), HeatMap: report(wait.ByWeekday, wait.ByHourOfDay),
		Source: "city", Made: time.Date(2026, 11, 16, 7, 30, 0, 0, time.UTC),
	}
}

// aPage is one of the pages there are.
type aPage interface{ Write(io.Writer) error }

func written(t *testing.T, p aPage) string {
	t.Helper()
	var out strings.Builder
	if err := p.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestPage(t *testing.T) {
	t.Parallel()
	golden(t, "page.html", written(t, madePage(t, func(r *wait.Request) {}, wait.ByQueue)))
}

func TestPageOfEverything(t *testing.T) {
	t.Parallel()
	golden(t, "page_everything.html", written(t, madePage(t, func(r *wait.Request) {
		r.QueueLength, r.DropOff, r.Compare = true, true, true
	}, wait.ByQueue, wait.ByDay)))
}
