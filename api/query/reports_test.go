package query

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/api/render"
)

func TestWaitReport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	v := w.get("/v1/reports/waits?source=city&from=2026-11-20&to=2026-11-21&group_by=queue,day&percentiles=90,50,50")
	hasExactly(t, "the report", v, strings.Fields("from to tz group_by attributed_by items positions"))
	holds(t, "the report", v, map[string]any{
		"from": "2026-11-20T00:00:00+02:00", "to": "2026-11-21T00:00:00+02:00", "tz": "Europe/Tallinn",
		"group_by": []any{"queue", "day"}, "attributed_by": "arrival", "positions": map[string]any{"city": 9.0, "store": 0.0},
	})
	list := items(t, v)
	if len(list) != 2 {
		t.Fatalf("%d items, want 2: %v", len(list), list)
	}
	hasExactly(t, "an item", list[0], strings.Fields("queue name day start end offered served abandoned no_show cancelled returned "+
		"transferred expired merged open wait abandoned_wait service service_level calls excluded"))
	holds(t, "Passports", list[0], map[string]any{
		"queue": "37338", "name": "Passports", "day": "2026-11-20", "start": "2026-11-20T00:00:00+02:00", "end": "2026-11-21T00:00:00+02:00",
		"offered": 3.0, "served": 1.0, "open": 2.0,
		"wait": map[string]any{"n": 1.0, "mean_seconds": 600.0, "p50_seconds": 600.0, "p90_seconds": 600.0, "max_seconds": 600.0, "low_n": true},
		"service_level": map[string]any{
			"threshold_seconds": 300.0, "formula": "F4", "value": 0.0, "served_within": 0.0, "served": 1.0, "abandoned_within": 0.0, "abandoned": 0.0,
		},
	})
}

func TestReportFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	for target, offered := range map[string]float64{
		"source=city":                                4,
		"source=city&queue=37338":                    3,
		"source=city&queue=unheard-of":               0,
		"source=city&location=City+Hall":             3,
		"location=City+Hall&tz=UTC":                  3,
		"source=city&location=City+Hall&queue=37338": 3,
		"source=store":                               0,
		"tz=UTC":                                     4,
		"tz=UTC&queue=37339":                         1,
		"source=city&from=2026-11-20T11:00:00Z":      3,
		"source=city&to=2026-11-20T11:00:00Z":        1, // half-open
		"source=city&from=2026-11-13&to=2026-11-20":  0,
		"source=city&service_level=600&formula=F2":   4,
		"source=city&from=2026-11-20T13:00:00+02:00": 3,
	} {
		list := items(t, w.get("/v1/reports/waits?"+target))
		if len(list) != 1 || list[0]["offered"] != offered {
			t.Errorf("%s: %v, want one item with %v offered", target, list, offered)
		}
	}
}

func TestTheDefaultWindowIsTheLastSevenLocalDays(t *testing.T) {
	t.Parallel()
	tallinn := zone(t, "Europe/Tallinn")
	for _, c := range []struct {
		now      time.Time
		query    WaitsQuery
		from, to string
	}{
		{noon, WaitsQuery{}, "2026-11-14T00:00:00+02:00", "2026-11-21T00:00:00+02:00"},
		{time.Date(2026, 11, 20, 22, 0, 0, 0, time.UTC), WaitsQuery{}, "2026-11-15T00:00:00+02:00", "2026-11-22T00:00:00+02:00"}, // midnight itself
		{time.Date(2026, 10, 27, 12, 0, 0, 0, time.UTC), WaitsQuery{}, "2026-10-21T00:00:00+03:00", "2026-10-28T00:00:00+02:00"}, // over a change of clocks
		{noon, WaitsQuery{From: "2026-11-01"}, "2026-11-01T00:00:00+02:00", "2026-11-21T00:00:00+02:00"},
		{noon, WaitsQuery{To: "2026-11-01"}, "2026-10-25T00:00:00+03:00", "2026-11-01T00:00:00+02:00"},
		{noon, WaitsQuery{From: "2026-11-01T12:30:00Z", To: "2026-11-02"}, "2026-11-01T14:30:00+02:00", "2026-11-02T00:00:00+02:00"},
	} {
		d := New(nil, nil, Config{Now: func() time.Time { return c.now }, Sources: []SourceInfo{{Name: "city", Zone: tallinn}}})
		var p parser
		r := d.waitRequest(&p, c.query)
		if err := p.err(); err != nil {
			t.Fatal(err)
		}
		got := [2]string{r.From.In(tallinn).Format(time.RFC3339), r.To.In(tallinn).Format(time.RFC3339)}
		if diff := cmp.Diff([2]string{c.from, c.to}, got); diff != "" {
			t.Errorf("%s %+v (-want +got):\n%s", c.now, c.query, diff)
		}
	}
}

func TestReportAsCSV(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	const target = "/v1/reports/waits?source=city&group_by=queue"
	for _, c := range []struct {
		target, accept string
		csv            bool
	}{
		{target, "", false},
		{target, "*/*", false},
		{target, "text/html", false},
		{target, "text/csv", true},
		{target, "text/csv;q=0.5, application/json", false},
		{target + "&format=csv", "application/json", true},
		{target + "&format=json", "text/csv", false},
	} {
		a := w.ask(http.MethodGet, c.target, "Accept", c.accept)
		isCSV := strings.HasPrefix(a.header.Get("Content-Type"), "text/csv")
		if a.status != 200 || isCSV != c.csv {
			t.Errorf("%s Accept %q: %d %s", c.target, c.accept, a.status, a.header.Get("Content-Type"))
			continue
		}
		if !isCSV {
			continue
		}
		rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
		if err != nil || len(rows) != 3 || rows[0][0] != "queue" || rows[1][0] != "37338" {
			t.Errorf("rows %v, %v", rows, err)
		}
	}
	if a := w.ask(http.MethodGet, target+"&group_by=x", "Accept", "text/csv"); a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("a mistake is answered as %s", a.header.Get("Content-Type"))
	}
}

func TestTheCommandWritesTheSameBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	a := w.ask(http.MethodGet, "/v1/reports/waits?source=city&group_by=hour&percentiles=50")
	report, err := New(w.reader, w.log, w.cfg).Waits(t.Context(), WaitsQuery{Source: "city", GroupBy: "hour", Percentiles: "50"})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := report.Write(&out, render.FormatJSON); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a.body, out.String()); diff != "" {
		t.Errorf("(-REST +command):\n%s", diff)
	}
}
