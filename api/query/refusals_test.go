package query

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"queuetrack/api"
)

func problemOf(t *testing.T, a answer) api.Problem {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q, want a problem: %s", got, a.body)
	}
	var p api.Problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("problem %s: %v", a.body, err)
	}
	if p.Status != a.status || p.Title == "" || p.Detail == "" || p.Instance != a.header.Get("X-Request-Id") {
		t.Errorf("problem %+v of answer %d", p, a.status)
	}
	return p
}

// Every refusal names the parameter, what was given, and what is allowed.
func TestWrongParameters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	for _, c := range []struct {
		target, pointer string
		says            []string
	}{
		{"/v1/tickets?limit=0", "/query/limit", []string{"limit", `"0"`, "1 to 1000"}},
		{"/v1/tickets?limit=1001", "/query/limit", []string{"limit", `"1001"`, "1 to 1000"}},
		{"/v1/tickets?limit=-1", "/query/limit", []string{"1 to 1000"}},
		{"/v1/tickets?limit=ten", "/query/limit", []string{`"ten"`}},
		{"/v1/tickets?limit=99999999999999999999", "/query/limit", nil},
		{"/v1/tickets?colour=red", "/query/colour", []string{`"colour"`, "created_from, created_to, cursor, limit, min_position, queue, source, status"}},
		{"/v1/tickets?Source=city", "/query/Source", []string{`"Source"`}},
		{"/v1/sources?limit=5", "/query/limit", []string{"none"}},
		{"/v1/tickets?limit=5&limit=6", "/query/limit", []string{"once"}},
		{"/v1/tickets?queue=%ff", "/query/queue", []string{"UTF-8"}},
		{"/v1/tickets?queue=a%00b", "/query/queue", []string{"UTF-8"}},
		{"/v1/tickets?queue=%zz", "/query", []string{"percent-encoding"}},
		{"/v1/tickets?source=elsewhere", "/query/source", []string{`"elsewhere"`, "city, store"}},
		{"/v1/tickets?status=asleep", "/query/status", []string{`"asleep"`, "booked, waiting"}},
		{"/v1/tickets?created_from=yesterday", "/query/created_from", []string{`"yesterday"`, "2026-11-20T09:00:00Z"}},
		{"/v1/tickets?created_from=2026-11-20T08:00:00Z&created_to=2026-11-20T08:00:00Z", "/query/created_to", []string{"later"}},
		{"/v1/tickets?created_to=0001-01-01T00:00:00Z", "/query/created_to", []string{"1970 to 9998"}},
		{"/v1/tickets?created_from=1969-12-31T23:59:59Z", "/query/created_from", []string{"1970 to 9998"}},
		{"/v1/queues?as_of=0001-01-01T00:00:00Z", "/query/as_of", []string{"1970 to 9998"}},
		{"/v1/tickets?cursor=nonsense", "/query/cursor", []string{"Start again"}},
		{"/v1/queues?as_of=2026-11-20", "/query/as_of", []string{`"2026-11-20"`}},
		{"/v1/queues?as_of=2026-02-30T00:00:00Z", "/query/as_of", nil},
		{"/v1/queues?as_of=9999-12-31T23:59:59Z", "/query/as_of", nil},
		{"/v1/queues?source=elsewhere", "/query/source", []string{"city, store"}},
		{"/v1/queues/city/37338?as_of=now", "/query/as_of", nil},
		{"/v1/queues/city/37338/tickets?status=served", "/query/status", []string{"booked, waiting, called, serving, on_hold"}},
		{"/v1/queues/city/a%00b", "/path/queue", []string{"UTF-8"}},
		{"/v1/tickets/city/%ff", "/path/ticket", []string{"UTF-8"}},
		{"/v1/tickets/city/1?as_of=x", "/query/as_of", nil},
		{"/v1/tickets/city/1?as_of=0001-01-01T00:00:00Z", "/query/as_of", []string{"1970 to 9998"}},
		{"/v1/tickets/city/1?colour=red", "/query/colour", []string{"as_of"}},
		{"/v1/queues/city/37338?colour=red", "/query/colour", []string{"as_of"}},
		{"/v1/tickets/city/1/history?as_of=2026-11-20T08:00:00Z", "/query/as_of", []string{"cursor, limit, min_position"}},
		{"/v1/tickets/city/1/history?limit=0", "/query/limit", nil},
		{"/v1/events", "/query/source", []string{"source is required", "city, store"}},
		{"/v1/events?source=elsewhere", "/query/source", []string{"city, store"}},
		{"/v1/events?source=city&after=-1", "/query/after", []string{`"-1"`}},
		{"/v1/quarantine?source=elsewhere", "/query/source", []string{"city, store"}},
		{"/v1/dead-letters?source=elsewhere", "/query/source", []string{"city, store"}},

		{"/v1/reports/waits", "/query/tz", []string{"Europe/Tallinn", "Europe/Stockholm", "tz is required"}},
		{"/v1/reports/waits?tz=Mars/Olympus", "/query/tz", []string{`"Mars/Olympus"`, "IANA"}},
		{"/v1/reports/waits?tz=Local", "/query/tz", []string{"IANA"}},
		{"/v1/reports/waits?tz=../../etc/passwd", "/query/tz", []string{"IANA"}},
		{"/v1/reports/waits?source=abc", "/query/source", []string{`"abc"`, "city, store"}},
		{"/v1/reports/waits?source=abc&tz=UTC", "/query/source", []string{"city, store"}},
		{"/v1/reports/waits?source=abc&from=2026-11-20&to=2026-11-21", "/query/source", []string{"city, store"}},
		{"/v1/reports/waits?source=abc&format=csv", "/query/source", []string{"city, store"}},
		{"/v1/reports/waits?source=abc&group_by=colour", "/query/group_by", []string{`"colour"`, `"abc"`}},
		{"/v1/reports/waits?source=city&from=0001-01-01", "/query/from", []string{"1970 to 9998"}},
		{"/v1/reports/waits?source=city&to=0001-01-01T00:00:00Z", "/query/to", []string{"1970 to 9998"}},
		{"/v1/reports/waits?source=city&from=2026-11-21&to=2026-11-20", "/query/from", []string{"earlier"}},
		{"/v1/reports/waits?source=city&from=2026-11-20&to=2026-11-20", "/query/from", []string{"earlier"}},
		{"/v1/reports/waits?source=city&from=2027-01-01", "/query/from", []string{"earlier"}},
		{"/v1/reports/waits?source=city&from=20.11.2026", "/query/from", []string{`"20.11.2026"`, "2026-11-20"}},
		{"/v1/reports/waits?source=city&group_by=colour", "/query/group_by", []string{`"colour"`, "source, location, queue, desk, agent, hour, day, week, month, weekday, hour_of_day"}},
		{"/v1/reports/waits?source=city&group_by=queue,queue", "/query/group_by", []string{"twice"}},
		{"/v1/reports/waits?source=city&group_by=source,queue,day", "/query/group_by", []string{"two"}},
		{"/v1/reports/waits?source=city&group_by=queue,", "/query/group_by", nil},
		{"/v1/reports/waits?source=city&group_by=hour&from=2000-01-01", "/query/group_by", []string{`"hour"`, "2000-01-01T00:00:00+02:00", "100000 hours", "shorter"}},
		{"/v1/reports/waits?source=city&percentiles=0", "/query/percentiles", []string{`"0"`, "1 to 99"}},
		{"/v1/reports/waits?source=city&percentiles=50,100", "/query/percentiles", []string{`"100"`}},
		{"/v1/reports/waits?source=city&percentiles=50,,90", "/query/percentiles", nil},
		{"/v1/reports/waits?source=city&percentiles=1,2,3,4,5,6,7,8,9,10,11", "/query/percentiles", []string{"at most 10"}},
		{"/v1/reports/waits?source=city&service_level=-1", "/query/service_level", []string{`"-1"`}},
		{"/v1/reports/waits?source=city&service_level=soon", "/query/service_level", []string{`"soon"`}},
		{"/v1/reports/waits?source=city&formula=F5", "/query/formula", []string{`"F5"`, "F1, F2, F3, F4"}},
		{"/v1/reports/waits?source=city&attributed_by=birth", "/query/attributed_by", []string{`"birth"`, "arrival, call, end"}},
		{"/v1/reports/waits?source=city&format=pdf", "/query/format", []string{`"pdf"`, "json, csv"}},
		{"/v1/reports/waits?source=city&location=Nowhere", "/query/location", []string{`"Nowhere"`, "City Hall, Town House"}},
		{"/v1/reports/waits?source=city&compare=last", "/query/compare", []string{`"last"`, "previous"}},
		{"/v1/reports/waits?source=city&group_by=hour&from=2020-01-01&to=2022-01-01", "/query/group_by", []string{"17544", "10000", "1000000", "format=csv", "shorter"}},
		{"/v1/reports/waits?source=city&group_by=weekday&from=1970-01-02&to=2400-01-01", "/query/group_by", []string{"100000 days", "shorter"}},
		{"/v1/reports/waits?source=city&group_by=hour_of_day&from=2000-01-01&format=csv", "/query/group_by", []string{"100000 hours", "shorter"}},
		{"/v1/reports/waits?source=city&group_by=hour_of_day,day&from=1990-01-01&to=2190-01-01", "/query/group_by", []string{"100000 hours"}},
		{"/v1/reports/waits?source=city&include=all", "/query/include", []string{`"all"`, "queue_length, drop_off"}},
		{"/v1/reports/waits?source=city&include=drop_off,drop_off", "/query/include", []string{"twice"}},
		{"/v1/reports/waits?source=city&include=queue_length&group_by=desk", "/query/include", []string{"queue_length", "desk", "source, location, queue"}},
		{"/v1/reports/waits?source=city&include=drop_off,queue_length&group_by=day,agent", "/query/include", []string{"agent"}},

		{"/v1/reports/estimates/backtest", "/query/tz", []string{"Europe/Tallinn", "Europe/Stockholm", "tz is required"}},
		{"/v1/reports/estimates/backtest?tz=Mars/Olympus", "/query/tz", []string{`"Mars/Olympus"`, "IANA"}},
		{"/v1/reports/estimates/backtest?source=elsewhere", "/query/source", []string{`"elsewhere"`, "city, store"}},
		{"/v1/reports/estimates/backtest?source=city&from=20.11.2026", "/query/from", []string{`"20.11.2026"`, "2026-11-20"}},
		{"/v1/reports/estimates/backtest?source=city&to=tomorrow", "/query/to", []string{`"tomorrow"`, "2026-11-20"}},
		{"/v1/reports/estimates/backtest?source=city&from=2026-11-20&to=2026-11-20", "/query/from", []string{"earlier"}},
		{"/v1/reports/estimates/backtest?source=city&from=0001-01-01", "/query/from", []string{"1970 to 9998"}},
		{"/v1/reports/estimates/backtest?source=city&queue=a%00b", "/query/queue", []string{"UTF-8"}},
		{"/v1/reports/estimates/backtest?source=city&min_position=7", "/query/min_position", []string{`"7"`, "SOURCE:POSITION"}},
		{"/v1/reports/estimates/backtest?source=city&group_by=queue", "/query/group_by", []string{"from, min_position, queue, source, to, tz"}},
	} {
		a := w.ask(http.MethodGet, c.target)
		if a.status != 400 {
			t.Errorf("%s: %d %s, want 400", c.target, a.status, a.body)
			continue
		}
		p := problemOf(t, a)
		if p.Type != "/problems/invalid-request" || len(p.Errors) == 0 || p.Errors[0].Pointer != c.pointer {
			t.Errorf("%s: problem %+v, want it to point at %s", c.target, p, c.pointer)
		}
		for _, word := range c.says {
			if !strings.Contains(p.Detail, word) {
				t.Errorf("%s: %q does not say %q", c.target, p.Detail, word)
			}
		}
	}
}

func TestEveryMistakeIsToldAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := problemOf(t, w.ask(http.MethodGet, "/v1/tickets?limit=0&source=elsewhere&created_from=x"))
	if len(p.Errors) != 3 {
		t.Errorf("errors %+v, want three", p.Errors)
	}
}

func TestWhatDoesNotExistIs404(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	for target, kind := range map[string]string{
		"/v1/queues/elsewhere/37338":                    "unknown-source",
		"/v1/queues/elsewhere/37338/tickets":            "unknown-source",
		"/v1/tickets/elsewhere/1":                       "unknown-source",
		"/v1/tickets/elsewhere/1/history":               "unknown-source",
		"/v1/queues/city/1":                             "unknown-queue",
		"/v1/queues/store/37338":                        "unknown-queue",
		"/v1/queues/city/1/tickets":                     "unknown-queue",
		"/v1/tickets/city/99":                           "unknown-ticket",
		"/v1/tickets/city/a%2Fb":                        "unknown-ticket",
		"/v1/tickets/store/1":                           "unknown-ticket",
		"/v1/tickets/city/99/history":                   "unknown-ticket",
		"/v1/tickets/city/1?as_of=2026-11-20T06:00:00Z": "unknown-ticket",
		"/v1/nothing":                                   "not-found",
		"/v1/queues/":                                   "not-found",
		"/v1/queues/city":                               "not-found",
	} {
		a := w.ask(http.MethodGet, target)
		if a.status != 404 {
			t.Errorf("%s: %d %s, want 404", target, a.status, a.body)
			continue
		}
		if p := problemOf(t, a); p.Type != "/problems/"+kind {
			t.Errorf("%s: %s, want %s", target, p.Type, kind)
		}
	}
}

func TestOtherMethodsAre405(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, target := range []string{"/v1/queues", "/v1/tickets/city/1", "/v1/reports/waits", "/v1/reports/estimates/backtest", "/openapi.json"} {
		a := w.ask(http.MethodPost, target)
		if problemOf(t, a); a.status != 405 || a.header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: %d, Allow %q", target, a.status, a.header.Get("Allow"))
		}
	}
}

func TestAnAnswerThatTakesTooLongIs503(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.Timeout = time.Nanosecond
	w.mount()
	for _, target := range []string{"/v1/queues", "/v1/tickets", "/v1/sources", "/v1/projections", "/v1/reports/waits?tz=UTC", "/v1/reports/estimates/backtest?tz=UTC"} {
		a := w.ask(http.MethodGet, target)
		if p := problemOf(t, a); p.Type != "/problems/timeout" || a.status != 503 || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", target, a.status, a.body)
		}
	}
}
