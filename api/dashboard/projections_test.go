package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"queuetrack/api"
)

// troubled is a world with a dead letter at 9, about ticket 6, that one event waits behind, and a quarantined delivery at 8.
func troubled(t testing.TB) *world {
	w := newWorld(t)
	w.deliver("city", morning()...)
	w.deliver("city",
		visit{"ticket_created", "6", "poison", "NEW", "37338", []string{"created", "11:40:00"}}.body(),
		visit{"ticket_called", "6", "A6", "CALLED", "37338", []string{"created", "11:40:00", "called", "11:50:00"}}.body())
	return w
}

func TestProjectionsPage(t *testing.T) {
	t.Parallel()
	w := troubled(t)
	page := w.page("/projections")
	shows(t, page, "The read models were never rebuilt.", `id="shard-0-city"`, "1, 1 behind", "has dead letters: see below",
		"city 9</a>", "it is &lt;poison&gt;", `action="/dead-letters/city/9/retry"`, `href="/dead-letters/city/9/dismiss"`,
		"city 8</a>", `action="/quarantine/city/8/retry"`, `href="/v1/events?after=8&amp;limit=1&amp;source=city"`,
		`<button class="strong" id="begin">Rebuild</button>`, `14:00:00</time> <span class="note">Europe/Tallinn</span>`)
	hides(t, page, "Go back to", "Drop the", "Mari")
}

func TestDeadLetterIsRetried(t *testing.T) {
	t.Parallel()
	w := troubled(t)
	a := w.post("/dead-letters/city/9/retry")
	w.isPage("a retry that fails", a)
	if a.status != http.StatusConflict {
		t.Errorf("still poison: %d", a.status)
	}
	shows(t, a.body, "The event still can&#39;t be used", `href="/projections"`)

	*w.poison = false
	a = w.post("/dead-letters/city/9/retry")
	w.leads(a, "/projections?done=folded")
	page := w.page("/projections?done=folded")
	shows(t, page, "The dead letter was folded", "None: every event could be folded.")
	shows(t, w.page("/tickets/city/6"), "called to desk 3")
}

func TestDeadLetterIsDismissed(t *testing.T) {
	t.Parallel()
	w := troubled(t)
	shows(t, w.page("/dead-letters/city/9/dismiss"), "Give up position 9 of city?", "it is &lt;poison&gt;", `<form method="post"`)
	shows(t, w.page("/projections"), "city 9</a>") // asking did nothing
	w.leads(w.post("/dead-letters/city/9/dismiss"), "/projections?done=dismissed")
	shows(t, w.page("/projections?done=dismissed"), "was dismissed", "None: every event could be folded.")
}

func TestQuarantinedIsRetried(t *testing.T) {
	t.Parallel()
	w := troubled(t)
	a := w.post("/quarantine/city/8/retry") // it has no id still
	w.isPage("a retry that fails", a)
	if a.status != http.StatusConflict {
		t.Errorf("retried what can't be used: %d", a.status)
	}
	if a := w.post("/quarantine/city/1/retry"); a.status != http.StatusConflict {
		t.Errorf("retried what is not quarantined: %d", a.status)
	}
}

// leads checks where a POST that was done leads.
func (w *world) leads(a reply, to string) {
	w.t.Helper()
	if a.status != http.StatusSeeOther || a.header.Get("Location") != to {
		w.t.Fatalf("POST: %d to %q, want %s: %s", a.status, a.header.Get("Location"), to, mainOf(a.body))
	}
}

func TestRebuildAndRollBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("city", morning()...)
	w.leads(w.post("/projections/rebuild", "action", "rebuild"), "/projections?done=rebuild")
	page := w.page("/projections?done=rebuild")
	shows(t, page, "The rebuild as generation 1 is done.", "Tickets that differ from before</dt><dd>0", `id="shard-1-city"`, "kept for a rollback",
		`href="/projections/rebuild?action=rollback"`)
	shows(t, w.page("/projections/rebuild?action=rollback"), "Go back to the generation before?", `name="action" value="rollback"`)
	w.leads(w.post("/projections/rebuild", "action", "rollback"), "/projections?done=rollback")
	shows(t, w.page("/projections"), "The rollback to generation 0 is done.")

	a := w.post("/projections/rebuild", "action", "discard")
	w.isPage("nothing to drop", a)
	if a.status != http.StatusConflict {
		t.Errorf("dropped what is not: %d", a.status)
	}
	for _, action := range []string{"", "x"} {
		if a := w.post("/projections/rebuild", "action", action); a.status != http.StatusBadRequest {
			t.Errorf("action %q: %d", action, a.status)
		}
	}
}

// Neither a GET nor a page of another site does anything, and a person reads why.
func TestOnlyOurOwnFormsDoAnything(t *testing.T) {
	t.Parallel()
	w := troubled(t)
	for _, target := range []string{
		"/projections/rebuild", "/dead-letters/city/9/retry", "/dead-letters/city/9/dismiss", "/quarantine/city/8/retry", "/tickets/city/2/close",
	} {
		r := httptest.NewRequest(http.MethodPost, target, strings.NewReader("action=rebuild&reason=x"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		a := w.send(r)
		if a.status != http.StatusForbidden {
			t.Errorf("POST %s from another site: %d", target, a.status)
		}
		w.isPage(target, a)
		shows(t, a.body, "A page of another site sent this")
		w.get(target)
		w.get(target + "?action=rebuild&reason=x")
	}
	shows(t, w.page("/projections"), "The read models were never rebuilt.", "city 9</a>", "city 8</a>")
	shows(t, w.page("/tickets/city/2"), "<b>waiting</b>")
	big := w.post("/tickets/city/2/close", "reason", strings.Repeat("x", maxForm))
	if big.status != http.StatusBadRequest {
		t.Errorf("a form over the limit: %d", big.status)
	}
}

// A form over plain HTTP is told from another site's by its Origin alone, which "no-referrer" would hide.
func TestFormsMaySayWhereTheyComeFrom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("city", morning()...)
	if got := w.get("/tickets/city/2/close").header.Get("Referrer-Policy"); got != "same-origin" {
		t.Errorf("Referrer-Policy %q: the browser would send Origin: null", got)
	}
	if got := w.get("/queues/city/37338").header.Get("X-Frame-Options"); got != "DENY" {
		t.Errorf("X-Frame-Options %q", got)
	}
}

// A guard's refusal is a page for people, and itself for clients; what is let through is left alone.
func TestRefusalsAreReadable(t *testing.T) {
	t.Parallel()
	d := New(Config{REST: http.NotFoundHandler()})
	defer d.end()
	guarded := d.Readable(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			api.Fail(w, r, api.NewProblem(api.KindBusy, "Not <you>.").With("Retry-After", "7"))
			return
		}
		http.Error(w, "plain", http.StatusTeapot)
	}))
	ask := func(method, accept string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/", nil)
		r.Header.Set("Accept", accept)
		out := httptest.NewRecorder()
		guarded.ServeHTTP(out, r)
		return out
	}
	out := ask(http.MethodPost, "text/html")
	if out.Code != http.StatusServiceUnavailable || out.Header().Get("Retry-After") != "7" || !bytes.Contains(out.Body.Bytes(), []byte("<p>Not &lt;you&gt;.</p>")) {
		t.Errorf("%d %v %s", out.Code, out.Header(), out.Body)
	}
	if out := ask(http.MethodPost, "application/json"); !json.Valid(out.Body.Bytes()) {
		t.Errorf("a client got %s", out.Body)
	}
	if out := ask(http.MethodGet, "text/html"); out.Code != http.StatusTeapot || out.Body.String() != "plain\n" {
		t.Errorf("what is no problem became %d %s", out.Code, out.Body)
	}
}

// What a rebuild is at, in each of its states.
func TestRebuildInWords(t *testing.T) {
	t.Parallel()
	two, half, all, left, rate := 2, int64(50), int64(100), 90.0, 1234.5
	began := noon.Add(-time.Minute)
	v := rebuildView{rebuildState: rebuildState{
		State: "running", Action: "rebuild", Generation: &two, Phase: "filling", Events: &half, Total: &all,
		Rate: &rate, LeftSeconds: &left, Owner: "host-1", StartedAt: &began,
	}}
	v.offer([]shardView{{shardState: shardState{State: "building"}}, {shardState: shardState{State: "previous"}}}, times{noon, time.UTC})
	if v.CanBegin || v.CanDrop || v.CanRoll {
		t.Errorf("offered beside a rebuild that runs: %+v", v)
	}
	c := &canvas{templates: parseTemplates()}
	draw := func() string {
		t.Helper()
		standing, err := c.Part("standing", "standing", v)
		if err != nil {
			t.Fatal(err)
		}
		rebuild, err := c.Part("rebuild", "rebuild", v)
		if err != nil {
			t.Fatal(err)
		}
		return string(standing + rebuild)
	}
	shows(t, draw(), "The rebuild as generation 2 is under way.", `<progress max="100" value="50">`, "folding the log", "50 of 100 events",
		"1234 events a second", "about 1m30s to go", "host-1", `20 Nov 2026 11:59:00</time> <span class="note">UTC</span>`)

	v.State, v.Error, v.Rate = "failed", "the disk is <full>", nil
	v.offer([]shardView{{shardState: shardState{State: "building"}}}, times{noon, time.UTC})
	if !v.CanBegin || !v.CanDrop || v.CanRoll || v.Begin() != "Go on with the rebuild" {
		t.Errorf("offered after a failure: %+v", v)
	}
	shows(t, draw(), "failed. Begun again, it goes on where it stopped.", "the disk is &lt;full&gt;")
}

// A rebuild is watched: its page changes when it begins, and then its progress alone.
func TestRebuildIsLive(t *testing.T) {
	t.Parallel()
	s := serveScripted(t, Config{})
	for _, path := range []string{"/v1/sources", "/v1/projections", "/v1/dead-letters", "/v1/quarantine"} {
		s.rest.set(path, `{"items":[]}`)
	}
	s.rest.set("/v1/projections/rebuild", `{"state":"none"}`)
	events := s.watching(t, "/projections")
	if e := next(t, events); e.name != "page" || !strings.Contains(e.data, "never rebuilt") {
		t.Fatalf("first %+v", e)
	}
	at := func(events int) string {
		return fmt.Sprintf(`{"state":"running","action":"rebuild","generation":1,"phase":"filling","events":%d,"total":100}`, events)
	}
	s.rest.set("/v1/projections/rebuild", at(50))
	if e := next(t, events); e.name != "page" || !strings.Contains(e.data, "under way") || strings.Contains(e.data, "button") {
		t.Errorf("begun: %+v", e)
	}
	s.rest.set("/v1/projections/rebuild", at(75))
	e := next(t, events)
	if got := partsOf(t, e); !slices.Equal(got, []string{"rebuild"}) || !strings.Contains(e.data, "75 of 100") {
		t.Errorf("further: %v %+v", got, e)
	}
}

func TestShardsInWords(t *testing.T) {
	t.Parallel()
	halted, owner := "the log lost events", "host-1"
	for want, s := range map[string]shardState{
		"stopped, and needs a person: the log lost events":                                                {State: "serving", Halted: &halted, DeadLetters: 1},
		"has dead letters: see below":                                                                     {State: "serving", DeadLetters: 1},
		"folded by another version of queuetrack: a rebuild is due":                                       {State: "serving", Drift: []string{"code"}},
		"folded by another version of queuetrack and with other settings of the source: a rebuild is due": {State: "serving", Drift: []string{"code", "settings"}},
		"nobody folds it: is a queuetrack serve running?":                                                 {State: "serving", LagEvents: 3},
		"catching up":         {State: "serving", LagEvents: 3, LagSeconds: 11, Owner: &owner},
		"filled by a rebuild": {State: "building", LagEvents: 3},
		"kept for a rollback": {State: "previous", Drift: []string{"code"}, DeadLetters: 1},
		"well":                {State: "serving", Owner: &owner},
	} {
		if got := shardVerdict(s).Text; got != want {
			t.Errorf("%+v: %q, want %q", s, got, want)
		}
	}
}
