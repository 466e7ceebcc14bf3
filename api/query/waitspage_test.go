package query

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/api"
	"queuetrack/api/render"
)

// A page's reports are those that the REST door answers, byte for byte.
func TestThePagesReportsAreTheReports(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	const window = "/v1/reports/waits?source=city&queue=37338&from=2026-11-16&to=2026-11-30&formula=F1"
	page, err := New(w.reader, w.log, w.cfg).WaitsPage(t.Context(), WaitsQuery{
		Source: "city", Queue: "37338", From: "2026-11-16", To: "2026-11-30", Formula: "F1",
		GroupBy: "hour_of_day", Include: "queue_length,drop_off", Compare: "previous",
	})
	if err != nil {
		t.Fatal(err)
	}
	for rest, report := range map[string]render.Waits{
		"&compare=previous&include=queue_length,drop_off&group_by=hour_of_day": page.Asked,
		"&compare=previous&include=queue_length,drop_off":                      page.Total,
		"&compare=previous&include=queue_length&group_by=day":                  page.OverTime,
		"&include=queue_length&group_by=weekday,hour_of_day":                   page.HeatMap,
	} {
		var out bytes.Buffer
		if err := report.WriteJSON(&out); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(w.ask("GET", window+rest).body, out.String()); diff != "" {
			t.Errorf("%s (-door +page):\n%s", rest, diff)
		}
	}
	if page.Source != "city" || page.Queue != "37338" || page.QueueName != "Passports" || !page.Made.Equal(noon) {
		t.Errorf("it is about %s, %s (%s), made %s", page.Source, page.Queue, page.QueueName, page.Made)
	}
	var out strings.Builder
	if err := page.Write(&out); err != nil || !strings.Contains(out.String(), "37338, Passports") {
		t.Errorf("the page doesn't tell its queue, %v", err)
	}
}

func TestAPageRefusesWhatAReportRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, q := range []WaitsQuery{
		{TZ: "UTC", GroupBy: "colour"},
		{TZ: "UTC", GroupBy: "desk", Include: "queue_length"},
		{Source: "city", From: "1800-01-01", To: "2026-11-30", GroupBy: "hour"},
		{Source: "city", Location: "Nowhere"},
	} {
		_, err := New(w.reader, w.log, w.cfg).WaitsPage(t.Context(), q)
		var problem *api.Problem
		if !errors.As(err, &problem) || problem.Status != 400 {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// A page may take as long as any answer, and no longer.
func TestPagesHaveTheTimeOfAnAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	w.cfg.Timeout = time.Nanosecond
	d := New(w.reader, w.log, w.cfg)
	if _, err := d.WaitsPageOf(t.Context(), url.Values{"source": {"city"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waits: %v", err)
	}
	if _, err := d.BacktestPageOf(t.Context(), url.Values{"source": {"city"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("estimates: %v", err)
	}
}
