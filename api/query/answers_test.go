package query

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/projection"
)

// The fields of the contract's tables.
var (
	queueFields   = strings.Fields("source queue name location waiting called serving on_hold booked longest_wait_seconds estimate served_today last_event_at")
	ticketFields  = strings.Fields("source ticket label status queue created_at waiting_since called_at last_called_at serving_since ended_at desk agent calls returns wait_seconds service_seconds flags segments")
	segmentFields = strings.Fields("queue entered_at called_at left_at outcome wait_seconds service_seconds flags")
	historyFields = strings.Fields("position type transitions occurred_at received_at repeat_of detail")
	eventFields   = strings.Fields("source position ticket type occurred_at received_at digest verified_by quarantined repeat_of")
	sourceFields  = strings.Fields("source kind timezone events tail last_received_at duplicates quarantined silent rejected verified_by")
)

// hasExactly fails unless an object has these fields and no others.
func hasExactly(t *testing.T, what string, v map[string]any, fields ...[]string) {
	t.Helper()
	want := slices.Sorted(slices.Values(slices.Concat(fields...)))
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(v))); diff != "" {
		t.Errorf("fields of %s (-want +got):\n%s", what, diff)
	}
}

// holds fails where a value is not the one wanted; fields not named may be anything.
func holds(t *testing.T, what string, v map[string]any, want map[string]any) {
	t.Helper()
	got := map[string]any{}
	for k := range want {
		got[k] = v[k]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestQueues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	v := w.get("/v1/queues")
	hasExactly(t, "the list", v, strings.Fields("items next positions"))
	list := items(t, v)
	if len(list) != 3 {
		t.Fatalf("%d queues, want the two seen and the one configured: %v", len(list), list)
	}
	hasExactly(t, "a queue", list[0], queueFields)
	holds(t, "Passports", list[0], map[string]any{
		"source": "city", "queue": "37338", "name": "Passports", "location": "City Hall",
		"waiting": 2.0, "called": 0.0, "serving": 0.0, "on_hold": 0.0, "booked": 0.0,
		"longest_wait_seconds": 3600.0, "estimate": nil, "served_today": 1.0, "last_event_at": "2026-11-20T12:00:00Z",
	})
	holds(t, "a queue without a name", list[1], map[string]any{
		"queue": "37339", "name": "37339", "location": nil, "waiting": 0.0, "called": 1.0, "longest_wait_seconds": nil, "served_today": 0.0,
	})
	holds(t, "a queue that nobody entered, at a vendor's location", list[2], map[string]any{
		"queue": "37999", "name": "37999", "location": "Town House", "waiting": 0.0, "last_event_at": nil,
	})
	holds(t, "positions", v["positions"].(map[string]any), map[string]any{"city": 9.0, "store": 0.0})
}

func TestQueuesAsOfAnInstant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	for _, c := range []struct {
		asOf                    string
		waiting, called, served float64
		longest                 any
	}{
		{"2026-11-20T06:59:59Z", 0, 0, 0, nil},
		{"2026-11-20T07:05:00Z", 1, 0, 0, 300.0},
		{"2026-11-20T07:15:00Z", 0, 1, 0, nil},
		{"2026-11-20T07:20:00Z", 0, 0, 1, nil},
		{"2026-11-20T11:15:00%2B00:00", 1, 0, 1, 900.0},
		{"2026-11-20T13:15:00+02:00", 1, 0, 1, 900.0}, // a + that nobody encoded
		{"2026-11-21T07:00:00Z", 2, 0, 0, 72000.0},    // the next day
	} {
		list := items(t, w.get("/v1/queues?source=city&as_of="+c.asOf))
		holds(t, c.asOf, list[0], map[string]any{
			"waiting": c.waiting, "called": c.called, "served_today": c.served, "longest_wait_seconds": c.longest,
		})
	}
}

func TestQueueFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	for target, want := range map[string]int{
		"/v1/queues?source=city":                      3,
		"/v1/queues?source=store":                     0,
		"/v1/queues?source=&location=":                3,
		"/v1/queues?location=City%20Hall":             1,
		"/v1/queues?location=Town+House":              1,
		"/v1/queues?location=1180":                    0, // its name is known
		"/v1/queues?location=Nowhere":                 0,
		"/v1/queues?source=city&location=City%20Hall": 1,
	} {
		if got := len(items(t, w.get(target))); got != want {
			t.Errorf("%s: %d queues, want %d", target, got, want)
		}
	}
}

func TestOneQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	v := w.get("/v1/queues/city/37338")
	hasExactly(t, "the queue", v, queueFields, []string{"positions"})
	holds(t, "the queue", v, map[string]any{"queue": "37338", "waiting": 2.0, "served_today": 1.0})
	holds(t, "a configured one", w.get("/v1/queues/city/37999"), map[string]any{"waiting": 0.0})
	holds(t, "in the past", w.get("/v1/queues/city/37338?as_of=2026-11-20T07:05:00Z"), map[string]any{"waiting": 1.0})
}

func TestQueueTickets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(append(morning(), visitOn("ticket_called", "3", "CALLED", 37338, "created", "11:30:00.750", "called", "11:40:00"),
		visitOn("ticket_created", "5", "NEW", 37338, "created", "11:50:00"))...)
	v := w.get("/v1/queues/city/37338/tickets")
	list := items(t, v)
	if len(list) != 3 {
		t.Fatalf("%d tickets, want 3: %v", len(list), list)
	}
	hasExactly(t, "a ticket in its queue", list[0], ticketFields, []string{"place", "estimate"})
	places := map[string]any{}
	for _, ticket := range list {
		places[ticket["ticket"].(string)] = ticket["place"]
	}
	if diff := cmp.Diff(map[string]any{"2": 1.0, "3": nil, "5": 2.0}, places); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	waiting := items(t, w.get("/v1/queues/city/37338/tickets?status=waiting"))
	holds(t, "the first", waiting[0], map[string]any{
		"ticket": "2", "place": 1.0, "waiting_since": "2026-11-20T11:00:00Z", "wait_seconds": 3600.0, "estimate": nil,
	})
	if got := len(items(t, w.get("/v1/queues/city/37999/tickets"))); got != 0 {
		t.Errorf("%d tickets in a queue that nobody entered", got)
	}
}

func TestOneTicket(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	v := w.get("/v1/tickets/city/1")
	hasExactly(t, "the ticket", v, ticketFields, []string{"positions"})
	holds(t, "the ticket", v, map[string]any{
		"source": "city", "ticket": "1", "status": "served", "queue": "37338", "label": nil, "waiting_since": nil,
		"created_at": "2026-11-20T07:00:00Z", "called_at": "2026-11-20T07:10:00Z", "last_called_at": "2026-11-20T07:10:00Z",
		"ended_at": "2026-11-20T07:20:00Z", "desk": "3", "agent": "14267", "calls": 1.0, "returns": 0.0,
		"wait_seconds": 600.0, "service_seconds": 600.0, "flags": []any{},
	})
	segments := v["segments"].([]any)
	if len(segments) != 1 {
		t.Fatalf("segments %v", segments)
	}
	hasExactly(t, "a segment", segments[0].(map[string]any), segmentFields)
	holds(t, "the segment", segments[0].(map[string]any), map[string]any{
		"queue": "37338", "entered_at": "2026-11-20T07:00:00Z", "called_at": "2026-11-20T07:10:00Z", "left_at": "2026-11-20T07:20:00Z",
		"outcome": "served", "wait_seconds": 600.0, "service_seconds": 600.0, "flags": []any{},
	})
	holds(t, "in the past", w.get("/v1/tickets/city/1?as_of=2026-11-20T07:05:00Z"), map[string]any{
		"status": "waiting", "wait_seconds": 300.0, "service_seconds": nil, "called_at": nil, "ended_at": nil,
	})
}

func TestNoVisitorsNameIsInAnyAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	for _, target := range []string{
		"/v1/tickets", "/v1/tickets/city/1", "/v1/tickets/city/1/history", "/v1/queues/city/37338/tickets", "/v1/events?source=city", "/v1/quarantine",
	} {
		a := w.ask(http.MethodGet, target)
		for _, secret := range []string{"Mari", "37255500112", "firstName", "a-long-secret"} {
			if strings.Contains(a.body, secret) {
				t.Errorf("%s tells %s", target, secret)
			}
		}
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	list := items(t, w.get("/v1/tickets/city/1/history"))
	if len(list) != 3 {
		t.Fatalf("%d entries, want 3: %v", len(list), list)
	}
	hasExactly(t, "an entry", list[1], historyFields)
	holds(t, "the call", list[1], map[string]any{
		"position": 2.0, "type": "ticket_called", "transitions": []any{"called"}, "occurred_at": "2026-11-20T07:10:00Z",
		"received_at": "2026-11-20T12:00:00Z", "repeat_of": nil,
	})
	var seen []any
	for _, page := range w.pages("/v1/tickets/city/1/history?limit=2") {
		for _, e := range page {
			seen = append(seen, e["position"])
		}
	}
	if diff := cmp.Diff([]any{1.0, 2.0, 3.0}, seen); diff != "" {
		t.Errorf("by pages (-want +got):\n%s", diff)
	}
}

func TestTicketsNewestFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	for target, want := range map[string]string{
		"/v1/tickets":                                      "3 2 4 1",
		"/v1/tickets?source=city&status=waiting":           "3 2",
		"/v1/tickets?queue=37339":                          "4",
		"/v1/tickets?queue=unheard-of":                     "",
		"/v1/tickets?source=store":                         "",
		"/v1/tickets?created_from=2026-11-20T11:00:00Z":    "3 2 4",
		"/v1/tickets?created_to=2026-11-20T11:00:00Z":      "1",
		"/v1/tickets?status=served&queue=37338&limit=1000": "1",
	} {
		v := w.get(target)
		var ids []string
		for _, ticket := range items(t, v) {
			hasExactly(t, "a ticket", ticket, ticketFields)
			ids = append(ids, ticket["ticket"].(string))
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
		if v["next"] != nil {
			t.Errorf("%s: next is %v", target, v["next"])
		}
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	list := items(t, w.get("/v1/events?source=city&after=7"))
	if len(list) != 2 {
		t.Fatalf("%d events, want 2: %v", len(list), list)
	}
	hasExactly(t, "an event", list[0], eventFields)
	holds(t, "an event about no ticket", list[0], map[string]any{
		"source": "city", "position": 8.0, "ticket": nil, "type": "location_created", "verified_by": "literal-1",
		"received_at": "2026-11-20T12:00:00Z", "quarantined": nil, "repeat_of": nil,
	})
	if list[1]["quarantined"] == nil {
		t.Error("the quarantined one has no cause")
	}
	var seen []any
	for _, page := range w.pages("/v1/events?source=city&after=3&limit=2") {
		for _, e := range page {
			seen = append(seen, e["position"])
		}
	}
	if diff := cmp.Diff([]any{4.0, 5.0, 6.0, 7.0, 8.0, 9.0}, seen); diff != "" {
		t.Errorf("by pages (-want +got):\n%s", diff)
	}
	if got := items(t, w.get("/v1/events?source=city&after=9")); len(got) != 0 {
		t.Errorf("after the tail there is %v", got)
	}
}

// The log's own pages end before 16 MiB of bodies; the lists show none, and must not take that for their end.
func TestListsGoOnBehindLargeBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	blank := strings.Repeat(" ", 6<<20)
	w.deliver(blank+"1", blank+"2", blank+"3", blank+"4", blank+"5")
	for _, target := range []string{"/v1/events?source=city&limit=4", "/v1/quarantine?limit=4"} {
		pages := w.pages(target)
		if len(pages) != 2 || len(pages[0]) != 4 || len(pages[1]) != 1 {
			t.Errorf("%s: not 4 and 1: %v", target, pages)
		}
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	list := items(t, w.get("/v1/sources"))
	if len(list) != 2 {
		t.Fatalf("%d sources", len(list))
	}
	hasExactly(t, "a source", list[0], sourceFields)
	holds(t, "city", list[0], map[string]any{
		"source": "city", "kind": "qminder", "timezone": "Europe/Tallinn", "events": 9.0, "tail": 9.0, "last_received_at": "2026-11-20T12:00:00Z", "quarantined": 1.0, "silent": false,
	})
	holds(t, "store", list[1], map[string]any{
		"source": "store", "kind": "ombori", "events": 0.0, "tail": 0.0, "last_received_at": nil, "silent": false,
		"rejected": map[string]any{}, "verified_by": map[string]any{},
	})
}

func TestASourceFallsSilent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	silent := func() []any {
		w.mount()
		var all []any
		for _, s := range items(t, w.get("/v1/sources")) {
			all = append(all, s["silent"])
		}
		return all
	}
	if diff := cmp.Diff([]any{true, false}, silent()); diff != "" {
		t.Errorf("nothing received (-want +got):\n%s", diff)
	}
	w.deliver(morning()[0])
	if diff := cmp.Diff([]any{false, false}, silent()); diff != "" {
		t.Errorf("just received (-want +got):\n%s", diff)
	}
	w.cfg.Now = func() time.Time { return noon.Add(w.cfg.Sources[0].SilentAfter + 1) }
	if diff := cmp.Diff([]any{true, false}, silent()); diff != "" {
		t.Errorf("long ago (-want +got):\n%s", diff)
	}
}

func TestProjections(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	v := w.get("/v1/projections")
	list := items(t, v)
	if len(list) == 0 {
		t.Fatal("no shards")
	}
	hasExactly(t, "a shard", list[0], strings.Fields("generation state source position tail lag_events lag_seconds dead_letters dead_letters_waiting halted owner lease_until drift"))
	holds(t, "city", list[0], map[string]any{
		"generation": 0.0, "state": "serving", "source": "city", "position": 9.0, "tail": 9.0, "lag_events": 0.0, "dead_letters": 0.0, "halted": nil,
	})
	w.reader.Fingerprint = projection.Fingerprint{Code: "another version"}
	if diff := cmp.Diff([]any{"code"}, items(t, w.get("/v1/projections"))[0]["drift"]); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
	holds(t, "positions", v["positions"].(map[string]any), map[string]any{"city": 9.0, "store": 0.0})
}

func TestQuarantine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(append(morning(), `[]`, `{`, `"`)...)
	list := items(t, w.get("/v1/quarantine"))
	if len(list) != 4 {
		t.Fatalf("%d quarantined, want 4: %v", len(list), list)
	}
	holds(t, "the first", list[0], map[string]any{"source": "city", "position": 9.0, "ticket": nil, "type": "ticket_created"})
	if list[0]["cause"] == "" {
		t.Error("no cause")
	}
	var seen []any
	for _, page := range w.pages("/v1/quarantine?limit=1") {
		for _, e := range page {
			seen = append(seen, e["position"])
		}
	}
	if diff := cmp.Diff([]any{9.0, 10.0, 11.0, 12.0}, seen); diff != "" {
		t.Errorf("by pages (-want +got):\n%s", diff)
	}
	if got := items(t, w.get("/v1/quarantine?source=store")); len(got) != 0 {
		t.Errorf("store has %v", got)
	}
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(
		visitOn("ticket_created", "1", "NEW", 37338, "created", "07:00:00", "poison", "07:00:00"),
		visitOn("ticket_called", "1", "CALLED", 37338, "created", "07:00:00", "called", "07:10:00"),
		visitOn("ticket_created", "2", "NEW", 37338, "created", "07:00:00", "poison", "07:00:00"),
	)
	v := w.get("/v1/dead-letters")
	list := items(t, v)
	if len(list) != 2 {
		t.Fatalf("%d dead letters, want 2: %v", len(list), list)
	}
	hasExactly(t, "a dead letter", list[0], strings.Fields("source position ticket cause waiting"))
	holds(t, "the first", list[0], map[string]any{"source": "city", "position": 1.0, "ticket": "1", "waiting": 1.0})
	if cause, _ := list[0]["cause"].(string); !strings.Contains(cause, "it is poison") {
		t.Errorf("cause %q", cause)
	}
	holds(t, "positions", v["positions"].(map[string]any), map[string]any{"city": 3.0})
	var seen []any
	for _, page := range w.pages("/v1/dead-letters?limit=1") {
		for _, l := range page {
			seen = append(seen, l["position"])
		}
	}
	if diff := cmp.Diff([]any{1.0, 3.0}, seen); diff != "" {
		t.Errorf("by pages (-want +got):\n%s", diff)
	}
}

// Arrays are never null, and nothing fails, where nothing has happened yet.
func TestAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, target := range []string{
		"/v1/queues", "/v1/queues?as_of=2026-11-20T07:00:00Z", "/v1/queues/city/37338", "/v1/queues/city/37338/tickets", "/v1/tickets",
		"/v1/reports/waits?tz=UTC", "/v1/reports/waits?tz=UTC&group_by=queue,day", "/v1/events?source=city", "/v1/sources",
		"/v1/projections", "/v1/quarantine", "/v1/dead-letters",
	} {
		w.get(target)
	}
	w.cfg.Sources = nil
	w.mount()
	for _, target := range []string{"/v1/queues", "/v1/tickets", "/v1/reports/waits", "/v1/sources", "/v1/projections", "/v1/quarantine", "/v1/dead-letters"} {
		w.get(target)
	}
}

func TestASourceNoLongerConfiguredHasNoAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	w.cfg.Sources = w.cfg.Sources[1:]
	w.mount()
	for _, target := range []string{"/v1/queues", "/v1/tickets", "/v1/sources", "/v1/projections", "/v1/quarantine"} {
		raw, err := json.Marshal(w.get(target))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), "city") {
			t.Errorf("%s tells of city: %s", target, raw)
		}
	}
}

func TestHEADIsAnsweredLikeGET(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, target := range []string{"/v1/queues", "/v1/tickets", "/openapi.json", "/docs"} {
		if a := w.ask(http.MethodHead, target); a.status != 200 {
			t.Errorf("HEAD %s: %d", target, a.status)
		}
	}
}

// Tickets that the vendor placed in no queue stand in "", which is there as long as they are.
func TestTheQueueWithoutANameIsListedWhileSomebodyStandsInIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	listed := func() bool {
		return slices.ContainsFunc(items(t, w.get("/v1/queues?source=city")), func(q map[string]any) bool { return q["queue"] == "" })
	}
	w.deliver(`{"type":"ticket_created","data":{"id":"1","status":"NEW","created":{"date":"2026-11-20T07:00:00Z"}}}`)
	if !listed() {
		t.Error("somebody stands in it, and it is not listed")
	}
	w.deliver(visitOn("ticket_changed", "1", "NEW", 37338, "created", "07:00:00"))
	if listed() {
		t.Error("nobody stands in it, and it is listed")
	}
}
