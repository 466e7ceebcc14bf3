package query

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"queuetrack/eventstore"
	"queuetrack/eventstore/source"
)

// post sends a POST, with a JSON body unless that is empty.
func (w *world) post(target, body string, header ...string) answer {
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	out := httptest.NewRecorder()
	w.router.ServeHTTP(out, r)
	return answer{out.Code, out.Header(), strings.TrimSpace(out.Body.String())}
}

func (w *world) catchUp() {
	w.t.Helper()
	if err := w.runner.CatchUp(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// refusing is an adapter that reads nothing, as before it was mended.
type refusing struct{ source.Source }

func (refusing) Identify([]byte) source.Identity {
	return source.Identity{Type: source.UnknownType, Quarantine: "the adapter is broken"}
}

func TestAQuarantinedTicketAppearsOnceItsAdapterIsMended(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mended := w.sources["city"]
	w.sources["city"] = refusing{mended}
	w.deliver(visitOn("ticket_created", "1", "NEW", 37338, "created", "07:00:00"))
	shown := w.get("/v1/quarantine/city/1")
	hasExactly(t, "a quarantined one", shown, strings.Fields(
		"source position ticket type occurred_at received_at cause digest verified_by repeat_of retried_as"))
	holds(t, "before", shown, map[string]any{"position": 1.0, "cause": "the adapter is broken", "retried_as": nil})
	if a := w.post("/v1/quarantine/city/1/retry", ""); a.status != 409 || !strings.Contains(problemOf(t, a).Detail, "the adapter is broken") {
		t.Errorf("retried with a broken adapter: %d %s", a.status, a.body)
	}

	w.sources["city"] = mended
	if a := w.post("/v1/quarantine/city/1/retry", ""); a.status != 200 || a.body != `{"status":"accepted","position":2,"repeat_of":1}` {
		t.Errorf("retried: %d %s", a.status, a.body)
	}
	w.catchUp()
	holds(t, "the ticket", w.get("/v1/tickets/city/1"), map[string]any{"status": "waiting"})
	holds(t, "its history", items(t, w.get("/v1/tickets/city/1/history"))[0], map[string]any{"position": 2.0, "repeat_of": 1.0})
	holds(t, "after", w.get("/v1/quarantine/city/1"), map[string]any{"retried_as": 2.0})
	holds(t, "in the list", items(t, w.get("/v1/quarantine"))[0], map[string]any{"position": 1.0, "retried_as": 2.0})
	a := w.post("/v1/quarantine/city/1/retry", "")
	if p := problemOf(t, a); a.status != 409 || p.Type != "/problems/already-retried" || !strings.Contains(p.Detail, "at position 2") {
		t.Errorf("retried twice: %d %s", a.status, a.body)
	}
}

func TestRetriesAtOnceAppendOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mended := w.sources["city"]
	w.sources["city"] = refusing{mended}
	w.deliver(visitOn("ticket_created", "1", "NEW", 37338, "created", "07:00:00"))
	w.sources["city"] = mended
	var answers [8]answer
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() { answers[i] = w.post("/v1/quarantine/city/1/retry", "") })
	}
	group.Wait()
	statuses := map[int]int{}
	for _, a := range answers {
		statuses[a.status]++
		if a.status == 409 && !strings.Contains(problemOf(t, a).Detail, "at position 2") {
			t.Errorf("answer %s, want it to name position 2", a.body)
		}
	}
	if diff := cmp.Diff(map[int]int{200: 1, 409: len(answers) - 1}, statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if tail, err := w.log.Tail(t.Context(), "city"); err != nil || tail != 2 {
		t.Errorf("%d events, %v; want 2", tail, err)
	}
}

func TestQuarantineRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(visitOn("ticket_created", "1", "NEW", 37338, "created", "07:00:00"), `[]`)
	for _, c := range []struct {
		path   string
		status int
		kind   string
		says   string
	}{
		{"elsewhere/1", 404, "unknown-source", "city, store"},
		{"city/99", 404, "unknown-event", "no position 99"},
		{"store/2", 404, "unknown-event", "no position 2"},
		{"city/1", 409, "not-quarantined", "Position 1"},
		{"city/0", 400, "invalid-request", `"0"; it must be a whole number from 1`},
		{"city/x", 400, "invalid-request", `"x"`},
		{"city/9223372036854775808", 400, "invalid-request", "9223372036854775807"},
		{"city/2?colour=red", 400, "invalid-request", "none"},
	} {
		path, query, _ := strings.Cut(c.path, "?")
		for _, a := range []answer{
			w.ask(http.MethodGet, "/v1/quarantine/"+c.path),
			w.post("/v1/quarantine/"+path+"/retry?"+query, ""),
		} {
			if p := problemOf(t, a); a.status != c.status || p.Type != "/problems/"+c.kind || !strings.Contains(p.Detail, c.says) {
				t.Errorf("%s: %d %s, want %d %s with %q", c.path, a.status, a.body, c.status, c.kind, c.says)
			}
		}
	}
	if a := w.post("/v1/quarantine/city/2/retry", `{}`); a.status != 400 || problemOf(t, a).Errors[0].Pointer != "/body" {
		t.Errorf("a retry with a body: %d %s", a.status, a.body)
	}
	if a := w.ask(http.MethodGet, "/v1/quarantine/city/2/retry"); a.status != 405 || a.header.Get("Allow") != "POST" {
		t.Errorf("GET of a retry: %d, Allow %q", a.status, a.header.Get("Allow"))
	}
	if tail, err := w.log.Tail(t.Context(), "city"); err != nil || tail != 2 {
		t.Errorf("%d events, %v; want the 2 of before", tail, err)
	}
}

func TestNoBodyIsInTheQuarantinesAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(`{"type":"ticket_created","data":{"firstName":"Mari"}}`)
	for _, target := range []string{"/v1/quarantine", "/v1/quarantine/city/1"} {
		if a := w.ask(http.MethodGet, target); a.status != 200 || strings.Contains(a.body, "Mari") {
			t.Errorf("%s: %d %s", target, a.status, a.body)
		}
	}
}

func TestADoorWithoutAnOperatorOnlyReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.Operator = nil
	w.mount()
	w.deliver(`[]`)
	if a := w.post("/v1/quarantine/city/1/retry", ""); a.status != 404 {
		t.Errorf("answer %d %s, want 404", a.status, a.body)
	}
}

func TestCloseTicket(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	if a := w.post("/v1/tickets/city/2/close", `{"reason":"left hours ago"}`); a.status != 200 || a.body != `{"status":"closed","position":10}` {
		t.Fatalf("answer %d %s", a.status, a.body)
	}
	if a := w.post("/v1/tickets/city/3/close", ""); a.status != 200 {
		t.Fatalf("without a reason: %d %s", a.status, a.body)
	}
	w.catchUp()
	holds(t, "the ticket", w.get("/v1/tickets/city/2"), map[string]any{"status": "expired", "ended_at": "2026-11-20T12:00:00Z"})
	last := items(t, w.get("/v1/tickets/city/2/history"))[1]
	holds(t, "its history", last, map[string]any{"type": eventstore.TypeClosed})
	holds(t, "its reason", last["detail"].(map[string]any), map[string]any{"reason": "left hours ago"})
}

func TestCloseRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(morning()...)
	for name, c := range map[string]struct {
		path, body string
		header     []string
		status     int
		kind, says string
	}{
		"an unknown source":   {"elsewhere/2", "", nil, 404, "unknown-source", "city, store"},
		"an unknown ticket":   {"city/99", "", nil, 404, "unknown-ticket", `"99"`},
		"one that has ended":  {"city/1", "", nil, 409, "ticket-ended", "served"},
		"a parameter":         {"city/2/close?reason=x", "", nil, 400, "invalid-request", `"reason"`},
		"no JSON":             {"city/2", "reason", nil, 400, "invalid-request", "not a JSON object"},
		"two of them":         {"city/2", `{}{}`, nil, 400, "invalid-request", "not a JSON object"},
		"another kind of it":  {"city/2", `null`, nil, 400, "invalid-request", "not a JSON object"},
		"an unknown key":      {"city/2", `{"why":"x"}`, nil, 400, "invalid-request", "why"},
		"a number":            {"city/2", `{"reason":7}`, nil, 400, "invalid-request", "reason is a number; it must be a string"},
		"a long reason":       {"city/2", `{"reason":"` + strings.Repeat("é", 250) + `!"}`, nil, 400, "invalid-request", "501 bytes; at most 500"},
		"a NUL":               {"city/2", `{"reason":"\u0000"}`, nil, 400, "invalid-request", "NUL"},
		"a long body":         {"city/2", `{"reason":"` + strings.Repeat(" ", 4096) + `"}`, nil, 413, "too-large", "4 KiB"},
		"a form":              {"city/2", `{"reason":"x"}`, []string{"Content-Type", "text/plain"}, 415, "unsupported-media-type", "application/json"},
		"a compressed reason": {"city/2", `{"reason":"x"}`, []string{"Content-Encoding", "gzip"}, 415, "unsupported-media-type", "Content-Encoding"},
	} {
		path := "/v1/tickets/" + c.path
		if !strings.Contains(path, "/close") {
			path += "/close"
		}
		a := w.post(path, c.body, c.header...)
		if p := problemOf(t, a); a.status != c.status || p.Type != "/problems/"+c.kind || !strings.Contains(p.Detail, c.says) {
			t.Errorf("%s: %d %s, want %d %s with %q", name, a.status, a.body, c.status, c.kind, c.says)
		}
	}
	if tail, err := w.log.Tail(t.Context(), "city"); err != nil || tail != 9 {
		t.Errorf("%d events, %v; want the 9 of before", tail, err)
	}
}

// What the document says of the POSTs.
func TestOpenAPIDescribesPosts(t *testing.T) {
	t.Parallel()
	doc, _ := document(t)
	for path, body := range map[string]bool{
		"/v1/quarantine/{source}/{position}/retry": false, "/v1/tickets/{source}/{ticket}/close": true,
		"/v1/dead-letters/{source}/{position}/retry": false, "/v1/dead-letters/{source}/{position}/dismiss": false,
	} {
		op := doc["paths"].(map[string]any)[path].(map[string]any)["post"].(map[string]any)
		if (op["requestBody"] != nil) != body {
			t.Errorf("%s: request body %v", path, op["requestBody"])
		}
		for _, status := range []string{"400", "403", "404", "408", "409", "413", "415", "500", "503"} {
			if op["responses"].(map[string]any)[status] == nil {
				t.Errorf("%s: %s is not described", path, status)
			}
		}
	}
}
