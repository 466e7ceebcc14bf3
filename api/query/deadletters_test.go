package query

import (
	"net/http"
	"strings"
	"testing"
)

// deadMorning has ticket 1 stand at position 2, a poison, with two events behind it, and a poison about no ticket at 5.
func deadMorning(w *world) {
	w.deliver(
		visitOn("ticket_created", "1", "NEW", 37338, "created", "07:00:00"),
		strings.Replace(visitOn("ticket_changed", "1", "NEW", 37338, "created", "07:00:00"), "Mari", "Mari poison", 1),
		visitOn("ticket_called", "1", "CALLED", 37338, "created", "07:00:00", "called", "07:10:00"),
		visitOn("ticket_served", "1", "SERVED", 37338, "created", "07:00:00", "called", "07:10:00", "served", "07:20:00"),
		`{"type":"line_changed","data":{"id":37338,"name":"poison"}}`,
	)
}

func TestADeadLetterIsRetriedOnceItsAdapterIsMended(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	deadMorning(w)
	holds(t, "the shard", items(t, w.get("/v1/projections"))[0], map[string]any{"dead_letters": 2.0, "dead_letters_waiting": 2.0})
	shown := w.get("/v1/dead-letters/city/2")
	hasExactly(t, "a dead letter", shown, strings.Fields(
		"source position ticket cause waiting behind type occurred_at received_at digest verified_by positions"))
	holds(t, "a dead letter", shown, map[string]any{
		"position": 2.0, "ticket": "1", "cause": "decode: it is poison", "waiting": 2.0, "type": "ticket_changed",
		"received_at": "2026-11-20T12:00:00Z", "verified_by": "literal-1",
	})
	if behind := shown["behind"].([]any); len(behind) != 2 || behind[0] != 3.0 || behind[1] != 4.0 {
		t.Errorf("behind it: %v", behind)
	}
	holds(t, "one about no ticket", w.get("/v1/dead-letters/city/5"), map[string]any{"ticket": nil, "waiting": 0.0})

	a := w.post("/v1/dead-letters/city/2/retry", "")
	if p := problemOf(t, a); a.status != 409 || p.Type != "/problems/still-unusable" || !strings.Contains(p.Detail, "still can't be folded: decode: it is poison") {
		t.Errorf("retried with a broken adapter: %d %s", a.status, a.body)
	}
	w.sources["city"] = w.sources["city"].(poisonable).Source
	for position, want := range map[string]string{
		"2": `{"status":"retried","folded":3,"stands":null}`,
		"5": `{"status":"retried","folded":1,"stands":null}`,
	} {
		if a := w.post("/v1/dead-letters/city/"+position+"/retry", ""); a.status != 200 || a.body != want {
			t.Errorf("retried %s: %d %s", position, a.status, a.body)
		}
	}
	holds(t, "the ticket", w.get("/v1/tickets/city/1"), map[string]any{"status": "served", "ended_at": "2026-11-20T07:20:00Z"})
	if list := items(t, w.get("/v1/tickets/city/1/history")); len(list) != 4 {
		t.Errorf("%d events of history, want 4", len(list))
	}
	if list := items(t, w.get("/v1/dead-letters")); len(list) != 0 {
		t.Errorf("dead letters: %v", list)
	}
}

func TestADismissedLetterLetsItsTicketGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	deadMorning(w)
	for _, c := range []struct{ position, want string }{
		{"2", `{"status":"dismissed","folded":2,"stands":null}`},
		{"2", `{"status":"already_dismissed","folded":0,"stands":null}`},
		{"5", `{"status":"dismissed","folded":0,"stands":null}`},
	} {
		if a := w.post("/v1/dead-letters/city/"+c.position+"/dismiss", ""); a.status != 200 || a.body != c.want {
			t.Errorf("dismissed %s: %d %s; want %s", c.position, a.status, a.body, c.want)
		}
	}
	holds(t, "the ticket", w.get("/v1/tickets/city/1"), map[string]any{"status": "served"})
	if list := items(t, w.get("/v1/tickets/city/1/history")); len(list) != 3 {
		t.Errorf("%d events of history, want the 3 that were not dismissed", len(list))
	}
	for _, a := range []answer{w.ask(http.MethodGet, "/v1/dead-letters/city/2"), w.post("/v1/dead-letters/city/2/retry", "")} {
		if p := problemOf(t, a); a.status != 409 || p.Type != "/problems/dismissed" {
			t.Errorf("of a dismissed one: %d %s", a.status, a.body)
		}
	}
}

func TestAnotherOneOfTheQueueIsToldOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	deadMorning(w)
	w.deliver(visitOn("ticket_changed", "1", "SERVED", 37338, "created", "07:00:00", "poison", "07:10:00"))
	if a := w.post("/v1/dead-letters/city/2/dismiss", ""); a.status != 200 ||
		a.body != `{"status":"dismissed","folded":2,"stands":{"position":6,"cause":"decode: it is poison"}}` {
		t.Errorf("dismissed: %d %s", a.status, a.body)
	}
	holds(t, "the next one", w.get("/v1/dead-letters/city/6"), map[string]any{"waiting": 0.0})
}

func TestDeadLetterRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	deadMorning(w)
	for _, c := range []struct {
		path   string
		status int
		kind   string
		says   string
	}{
		{"elsewhere/2", 404, "unknown-source", "city, store"},
		{"city/99", 404, "unknown-event", "no position 99"},
		{"store/2", 404, "unknown-event", "no position 2"},
		{"city/1", 409, "not-a-dead-letter", "Position 1 of city"},
		{"city/4", 409, "waits-behind", "behind the dead letter at position 2"},
		{"city/0", 400, "invalid-request", `"0"; it must be a whole number from 1`},
		{"city/x", 400, "invalid-request", `"x"`},
		{"city/9223372036854775807", 404, "unknown-event", "no position"},
		{"city/2?colour=red", 400, "invalid-request", "none"},
	} {
		path, query, _ := strings.Cut(c.path, "?")
		for _, a := range []answer{
			w.ask(http.MethodGet, "/v1/dead-letters/"+c.path),
			w.post("/v1/dead-letters/"+path+"/retry?"+query, ""),
			w.post("/v1/dead-letters/"+path+"/dismiss?"+query, ""),
		} {
			if p := problemOf(t, a); a.status != c.status || p.Type != "/problems/"+c.kind || !strings.Contains(p.Detail, c.says) {
				t.Errorf("%s: %d %s, want %d %s with %q", c.path, a.status, a.body, c.status, c.kind, c.says)
			}
		}
	}
	for _, verb := range []string{"retry", "dismiss"} {
		if a := w.post("/v1/dead-letters/city/2/"+verb, `{}`); a.status != 400 || problemOf(t, a).Errors[0].Pointer != "/body" {
			t.Errorf("a %s with a body: %d %s", verb, a.status, a.body)
		}
		if a := w.ask(http.MethodGet, "/v1/dead-letters/city/2/"+verb); a.status != 405 || a.header.Get("Allow") != "POST" {
			t.Errorf("GET of a %s: %d, Allow %q", verb, a.status, a.header.Get("Allow"))
		}
	}
	holds(t, "after all refusals", w.get("/v1/dead-letters/city/2"), map[string]any{"waiting": 2.0})
}

func TestNoBodyIsInTheDeadLettersAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	deadMorning(w)
	for _, target := range []string{"/v1/dead-letters", "/v1/dead-letters/city/2"} {
		if a := w.ask(http.MethodGet, target); a.status != 200 || strings.Contains(a.body, "Mari") {
			t.Errorf("%s: %d %s", target, a.status, a.body)
		}
	}
}
