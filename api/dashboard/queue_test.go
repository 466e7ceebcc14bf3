package dashboard

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func TestQueuePageShowsItsTicketsInTurn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("city", morning()...)
	page := w.page("/queues/city/37338")
	shows(t, page, "<h1><bdi>Passports</bdi></h1>", "City Hall", "<b>2</b> waiting", "<b>1 h 00</b> longest wait", "<b>1</b> served today",
		`href="/board/city?queue=37338"`, `href="/reports?queue=37338&amp;source=city"`, `href="/v1/queues/city/37338"`, `href="/v1/queues/city/37338/tickets"`,
		`href="/tickets/city/2"`, `href="/tickets/city/3"`, "Times are those in Europe/Tallinn",
		`<time datetime="2026-11-20T11:00:00Z">13:00:00</time>`, `data-name="Waited">1 h 00`, `data-name="Waited">30 min`)
	if first, second := strings.Index(page, "A2"), strings.Index(page, "A3"); first > second {
		t.Errorf("A3 stands before A2, which came first")
	}
	hides(t, page, "A1", "Mari", "Maasikas", "3725550")

	w.page("/reports?queue=37338&source=city") // the link leads somewhere
	called := w.page("/queues/city/37339")
	shows(t, called, "B4", "called to desk <bdi>3</bdi>", "<b>1</b> called")
}

// What somebody who comes now waits, and what is left for who is there, are told by those who left the line before.
func TestQueuePageTellsEstimates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, id := range []string{"11", "12", "13", "14"} {
		created, called := "09:"+[]string{"00", "10", "20", "30"}[i]+":00", "09:"+[]string{"10", "20", "30", "40"}[i]+":00"
		w.deliver("city",
			visit{"ticket_created", id, "C" + id, "NEW", "37338", []string{"created", created}}.body(),
			visit{"ticket_called", id, "C" + id, "CALLED", "37338", []string{"created", created, "called", called}}.body())
	}
	w.deliver("city", visit{"ticket_created", "15", "C15", "NEW", "37338", []string{"created", "11:55:00"}}.body())
	page := w.page("/queues/city/37338")
	for _, told := range []*regexp.Regexp{
		regexp.MustCompile(`<b>(under |about |\d+–)\d+ min</b> for who comes now`), regexp.MustCompile(`data-name="Still to wait">(under |about |\d+–)\d+ min<`),
	} {
		if !told.MatchString(page) {
			t.Errorf("the page lacks %s:\n%s", told, mainOf(page))
		}
	}
	ticket := w.page("/tickets/city/15")
	shows(t, ticket, "place 1", "min to go")
}

func TestWhatThereIsNotIsAPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("city", morning()...)
	for target, title := range map[string]string{
		"/queues/city/no":                          "No such queue",
		"/queues/nowhere/37338":                    "No such source",
		"/tickets/city/no":                         "No such ticket",
		"/tickets/nowhere/1":                       "No such source",
		"/tickets/city/no/close":                   "No such ticket",
		"/tickets/city/%00":                        "The request can&#39;t be understood",
		"/projections/rebuild":                     "Nothing is here",
		"/dead-letters/city/99/dismiss":            "No such event",
		"/dead-letters/city/1/dismiss":             "The event is no dead letter",
		"/dead-letters/city/x/dismiss":             "The request can&#39;t be understood",
		"/tickets/city/" + url.PathEscape(`"><b>`): "No such ticket",
	} {
		a := w.get(target)
		if a.status < 400 || a.status >= 500 {
			t.Errorf("GET %s: %d, want a refusal", target, a.status)
		}
		w.isPage(target, a)
		shows(t, a.body, "<h1>"+title+"</h1>")
	}
	if a := w.get("/tickets/city/no", "Accept", "application/json"); a.status != http.StatusNotFound || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("a client that wants no page got %d %s", a.status, a.header.Get("Content-Type"))
	}
}

// A page asks the API by GET, whatever it is asked by itself.
func TestHeadOfAPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("city", morning()...)
	if a := w.send(httptest.NewRequest(http.MethodHead, "/queues/city/37338", nil)); a.status != http.StatusOK {
		t.Errorf("HEAD: %d %s", a.status, a.body)
	}
}

// Ids and labels are the vendor's, and may be anything: each is shown as text, isolated from the text around it.
func TestHostileNamesStayText(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "\u202eevil\u2066", strings.Repeat("x", 200), "100%", "a/b?c#d", "&amp;", "Käse 席", "a b",
	} {
		t.Run(name[:min(len(name), 20)], func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.deliver("city", visit{"ticket_created", name, name, "NEW", name, []string{"created", "11:00:00"}}.body())
			for _, target := range []string{
				"/", "/board/city", "/queues/city/" + url.PathEscape(name), "/tickets/city/" + url.PathEscape(name),
				"/tickets/city/" + url.PathEscape(name) + "/close",
			} {
				page := w.page(target)
				hides(t, page, "<script>alert", "<img")
			}
			page := w.page("/tickets/city/" + url.PathEscape(name))
			shows(t, page, `href="/queues/city/`)
			if a := w.get("/find?ticket=" + url.QueryEscape(name)); len(name) <= findLength &&
				(a.status != http.StatusSeeOther || a.header.Get("Location") != "/tickets/city/"+url.PathEscape(name)) {
				t.Errorf("found %d %q", a.status, a.header.Get("Location"))
			}
			if a := w.post("/tickets/city/"+url.PathEscape(name)+"/close", "reason", name); a.status != http.StatusSeeOther {
				t.Errorf("closed with %d %s", a.status, mainOf(a.body))
			}
		})
	}
}
