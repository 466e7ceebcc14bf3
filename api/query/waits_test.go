package query

import (
	"bytes"
	"context"
	"encoding/csv"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/projection/wait"
)

// Whatever a report is grouped by, it is of the document's form.
func TestReportsByEveryDimension(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	for _, a := range wait.GroupKeys {
		for _, b := range append([]wait.GroupKey{""}, wait.GroupKeys...) {
			groups := strings.TrimSuffix(string(a)+","+string(b), ",")
			include := "queue_length,drop_off"
			if strings.Contains(groups, "desk") || strings.Contains(groups, "agent") {
				include = "drop_off"
			}
			if a == b {
				continue
			}
			list := items(t, w.get("/v1/reports/waits?tz=Europe/Tallinn&from=2026-11-19&to=2026-11-22&compare=previous&group_by="+groups+"&include="+include))
			var offered float64
			for _, item := range list {
				offered += item["offered"].(float64)
			}
			if offered != 4 {
				t.Errorf("by %s: %v offered", groups, offered)
			}
		}
	}
}

func TestReportKeysAndWhatElseIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	v := w.get("/v1/reports/waits?source=city&from=2026-11-20&to=2026-11-21&group_by=location,week&include=queue_length,drop_off&compare=previous&percentiles=50")
	hasExactly(t, "the report", v, strings.Fields("from to tz group_by attributed_by previous items positions"))
	holds(t, "the report", v, map[string]any{"previous": map[string]any{"from": "2026-11-19T00:00:00+02:00", "to": "2026-11-20T00:00:00+02:00"}})
	list := items(t, v)
	if len(list) != 2 {
		t.Fatalf("%d items, want 2: %v", len(list), list)
	}
	hasExactly(t, "an item", list[1], strings.Fields("location week start end offered served abandoned no_show cancelled returned "+
		"transferred expired merged open wait abandoned_wait service service_level calls excluded queue_length drop_off previous"))
	holds(t, "an item", list[1], map[string]any{
		"location": "City Hall", "week": "2026-W47", "start": "2026-11-16T00:00:00+02:00", "end": "2026-11-23T00:00:00+02:00", "offered": 3.0,
		"calls": map[string]any{"called": 1.0, "recalled": 0.0, "recalls": 0.0, "recall_rate": 0.0, "return_rate": 0.0},
		// 600 s, and up to noon 3,600 and 1,800; of the day 14 hours have passed
		"queue_length": map[string]any{"mean": 6000.0 / 50400, "max": 2.0, "waiting_seconds": 6000.0, "elapsed_seconds": 50400.0},
	})
	if location := list[0]["location"]; location != "" {
		t.Errorf("a queue that is nowhere is at %v", location)
	}
	places := list[1]["drop_off"].([]any)
	if diff := cmp.Diff(map[string]any{"place_from": 2.0, "place_to": 2.0, "offered": 1.0, "abandoned": 0.0, "rate": 0.0}, places[1]); diff != "" {
		t.Errorf("second place (-want +got):\n%s", diff)
	}
	by := func(attributed string) any {
		return items(t, w.get("/v1/reports/waits?source=city&from=2026-11-20&to=2026-11-21&attributed_by="+attributed))[0]["offered"]
	}
	if diff := cmp.Diff([]any{4.0, 2.0, 1.0}, []any{by("arrival"), by("call"), by("end")}); diff != "" {
		t.Errorf("arrived, called, ended (-want +got):\n%s", diff)
	}
}

// Names of queues are those of the configuration, of the vendor, or the ids.
func TestReportsNameQueues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(append(morning(), `{"type":"line_changed","data":{"id":37339,"name":"Licences"}}`)...)
	var names []any
	for _, item := range items(t, w.get("/v1/reports/waits?tz=UTC&group_by=queue")) {
		names = append(names, item["source"], item["queue"], item["name"])
	}
	if diff := cmp.Diff([]any{"city", "37338", "Passports", "city", "37339", "Licences"}, names); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
}

// The same length is told within a step of the clock, and another one in the next, which has another tag.
func TestLengthsOfQueuesMoveWithTheClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	const open, over = "/v1/reports/waits?source=city&to=2026-11-21", "/v1/reports/waits?source=city&to=2026-11-20T13:59:58%2B02:00"
	const length = "&include=queue_length"
	targets := []string{open + length, open + length + "&format=csv", open, over + length}
	tags := func(at time.Time) (list []string) {
		w.cfg.Now = func() time.Time { return at }
		w.mount()
		for _, target := range targets {
			list = append(list, w.ask(http.MethodGet, target+"&from=2026-11-20").header.Get("ETag"))
		}
		return list
	}
	first, same, later := tags(noon), tags(noon.Add(clockStep-1)), tags(noon.Add(clockStep))
	for i, target := range targets {
		if moves := i < 2; first[i] == "" || first[i] != same[i] || (first[i] != later[i]) != moves {
			t.Errorf("%s: tags %s, %s and %s", target, first[i], same[i], later[i])
		}
	}
	// A window that ended within this step was not over when the answer's clock stood still.
	w.cfg.Now = func() time.Time { return noon.Add(4 * time.Second) }
	w.mount()
	ending := "/v1/reports/waits?source=city&from=2026-11-20&to=2026-11-20T14:00:03%2B02:00" + length
	tag := w.ask(http.MethodGet, ending).header.Get("ETag")
	w.cfg.Now = func() time.Time { return noon.Add(clockStep) }
	w.mount()
	if w.ask(http.MethodGet, ending).header.Get("ETag") == tag {
		t.Error("three seconds more have passed, and the tag is the same")
	}
}

// CSV has a hundred times as many items as JSON, and they are the same.
func TestLongReportsStream(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	const long = "/v1/reports/waits?source=city&from=2025-01-01&to=2026-12-01&group_by=hour,queue&percentiles=50"
	if a := w.ask(http.MethodGet, long); a.status != 400 || !strings.Contains(a.body, "format=csv") {
		t.Errorf("as JSON: %d %s", a.status, a.body)
	}
	a := w.ask(http.MethodGet, long+"&format=csv")
	rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	if hours := 699 * 24; a.status != 200 || err != nil || len(rows) != 1+2*hours {
		t.Fatalf("as CSV: %d, %d rows, %v", a.status, len(rows), err)
	}
	offered := 0
	for _, row := range rows[1:] {
		offered += int(row[5][0] - '0')
	}
	if offered != 4 || rows[0][5] != "offered" {
		t.Errorf("%s is %d in all", rows[0][5], offered)
	}
	var command bytes.Buffer
	q := WaitsQuery{Source: "city", From: "2025-01-01", To: "2026-12-01", GroupBy: "hour,queue", Percentiles: "50"}
	if err := New(w.reader, w.log, w.cfg).StreamWaits(t.Context(), q, &command); err != nil || command.String() != a.body {
		t.Errorf("the command writes %d bytes, the door %d; %v", command.Len(), len(a.body), err)
	}
	short := "/v1/reports/waits?source=store&group_by=queue&format=csv"
	if a := w.ask(http.MethodGet, short); a.status != 200 || strings.Count(a.body, "\n") != 1 || !strings.HasPrefix(a.body, "queue,name,offered") {
		t.Errorf("nothing as CSV: %d %q", a.status, a.body)
	}
	if a := w.ask(http.MethodGet, short, "If-None-Match", "*"); a.status != 304 || a.body != "" {
		t.Errorf("anything but that: %d %q", a.status, a.body)
	}
}

// leaver hangs up once it has something.
type leaver struct {
	*httptest.ResponseRecorder
	leave context.CancelFunc
}

func (l leaver) Write(b []byte) (int, error) {
	l.leave()
	return l.ResponseRecorder.Write(b)
}

// What can't be completed any more breaks off, so that nobody takes a part for the whole.
func TestAStreamThatFailsBreaksOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/reports/waits?source=city&from=2023-01-01&to=2026-12-01&group_by=hour&format=csv", nil)
	defer func() {
		if cause := recover(); cause != http.ErrAbortHandler { //nolint:errorlint // it is what is thrown
			t.Errorf("the handler ended with %v", cause)
		}
	}()
	w.router.ServeHTTP(leaver{httptest.NewRecorder(), cancel}, r)
	t.Error("a half was taken for the whole")
}

// A report that waits for the database is given up, in either form.
func TestAReportThatTakesTooLongIs503(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.Timeout = 300 * time.Millisecond
	w.mount()
	tx, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), `LOCK TABLE wait_segment_0 IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"json", "csv"} {
		a := w.ask(http.MethodGet, "/v1/reports/waits?source=city&group_by=queue&format="+format)
		if p := problemOf(t, a); p.Type != "/problems/timeout" || a.status != 503 || a.header.Get("Retry-After") == "" {
			t.Errorf("as %s: %d %s", format, a.status, a.body)
		}
	}
}

// Every parameter and every number of a report is defined in the document.
func TestTheDocumentDefinesEveryNumber(t *testing.T) {
	t.Parallel()
	doc, _ := document(t)
	op := doc["paths"].(map[string]any)["/v1/reports/waits"].(map[string]any)["get"].(map[string]any)
	for _, p := range op["parameters"].([]any) {
		if p := p.(map[string]any); p["description"] == nil || p["description"] == "" {
			t.Errorf("parameter %v is not described", p["name"])
		}
	}
	schema := op["responses"].(map[string]any)["200"].(map[string]any)["content"].(map[string]any)["application/json"].(map[string]any)["schema"]
	undefined(t, "the report", schema.(map[string]any))
}

func undefined(t *testing.T, where string, schema map[string]any) {
	t.Helper()
	properties, _ := schema["properties"].(map[string]any)
	if list, ok := schema["items"].(map[string]any); ok {
		properties, _ = list["properties"].(map[string]any)
	}
	if properties == nil && (schema["description"] == nil || schema["description"] == "") {
		t.Errorf("%s is not defined", where)
	}
	for name, p := range properties {
		undefined(t, where+"."+name, p.(map[string]any))
	}
}
