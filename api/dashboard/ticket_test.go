package dashboard

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"queuetrack/eventstore/ticket"
)

func TestTicketPageTellsWhereFactsComeFrom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("city", morning()...)
	page := w.page("/tickets/city/1")
	shows(t, page, "<h1>Ticket <bdi>A1</bdi></h1>", "ended: served", `<a href="/queues/city/37338"><bdi>Passports</bdi></a>`,
		"<code>ticket_created</code>", "<code>ticket_called</code>", "<code>ticket_served</code>",
		`href="/v1/events?after=0&amp;limit=1&amp;source=city"`, `href="/v1/events?after=2&amp;limit=1&amp;source=city"`,
		`<time datetime="2026-11-20T07:10:00Z">20 Nov 2026 09:10:00</time> <span class="note">vendor's clock</span>`,
		`<dt>Received</dt><dd><time datetime="2026-11-20T12:00:00Z">`,
		`<span class="note">desk</span> <bdi>3</bdi>`, "<dt>Waited, in all</dt><dd>10 min</dd>", `data-name="Outcome" class="key">served`,
		`href="/v1/tickets/city/1/history"`)
	hides(t, page, "Mari", "Maasikas", "3725550", "mari@", "/close", "What is assumed")

	shows(t, w.page("/tickets/city/2"), "<b>waiting</b>, place 1", `href="/tickets/city/2/close"`)
	shows(t, w.page("/tickets/city/4"), "<b>called to desk 3</b>")
}

func TestTicketPageExplainsWhatIsAssumed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("city", visit{"ticket_served", "9", "A9", "SERVED", "37338", []string{"served", "10:00:00"}}.body())
	shows(t, w.page("/tickets/city/9"), "What is assumed", "creation implied", "No delivery told of the creation itself")
}

// Every flag that there is has its explanation, and every status and outcome reads as words.
func TestEveryFlagIsExplained(t *testing.T) {
	t.Parallel()
	for _, f := range []ticket.Flag{
		ticket.FlagCreationImplied, ticket.FlagCallImplied, ticket.FlagEntryImplied, ticket.FlagTimeAssumed, ticket.FlagClockAhead,
		ticket.FlagNegativeWait, ticket.FlagNegativeService, ticket.FlagReturnAssumed, ticket.FlagReopenAssumed,
		ticket.FlagSelfRegistered, ticket.FlagMaybeClosed, ticket.FlagUnattended, ticket.FlagTooManyFacts,
	} {
		if a := assumptionOf(string(f)); a.Text == "" {
			t.Errorf("the flag %s has no explanation", f)
		}
	}
	for _, s := range ticket.Statuses {
		state := ticketState{openTicket: openTicket{Status: string(s)}}
		if state.Open() == s.Ended() {
			t.Errorf("%s: open %v, ended %v", s, state.Open(), s.Ended())
		}
		if text := statusText(state); s.Ended() != strings.HasPrefix(text, "ended") {
			t.Errorf("%s reads %q", s, text)
		}
	}
}

func TestTicketIsEndedByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("city", morning()...)
	shows(t, w.page("/tickets/city/2/close"), `<form method="post"`, `name="reason"`, "It is waiting.")
	shows(t, w.page("/tickets/city/2"), "<b>waiting</b>") // looking at the form did nothing

	long := strings.Repeat("é", 251)
	a := w.post("/tickets/city/2/close", "reason", long)
	if a.status != http.StatusBadRequest {
		t.Fatalf("a reason of 502 bytes: %d", a.status)
	}
	w.isPage("the form again", a)
	shows(t, a.body, `role="alert"`, "502 bytes", `value="`+long, `aria-invalid="true"`)

	a = w.post("/tickets/city/2/close", "reason", "went home, <b>said</b> the guard")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/tickets/city/2?done=closed" {
		t.Fatalf("POST: %d to %q: %s", a.status, a.header.Get("Location"), a.body)
	}
	shows(t, w.page(a.header.Get("Location")), "The ticket was ended by hand.", "ended by queuetrack",
		"went home, &lt;b&gt;said&lt;/b&gt; the guard")

	a = w.post("/tickets/city/2/close", "reason", "again")
	w.isPage("a ticket that has ended", a)
	if a.status != http.StatusConflict {
		t.Errorf("ended again: %d", a.status)
	}
	shows(t, a.body, "The ticket has ended")
	if a := w.get("/tickets/city/2/close"); a.status != http.StatusConflict {
		t.Errorf("the form of a ticket that has ended: %d", a.status)
	}
	if a := w.post("/tickets/city/no/close", "reason", "x"); a.status != http.StatusNotFound {
		t.Errorf("an unknown ticket: %d", a.status)
	}
}

// Who looks at a ticket sees it called, and what told of it.
func TestTicketPageIsLive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("city", morning()...)
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	events := served{Server: server}.watching(t, "/tickets/city/2?done=closed")
	if e := next(t, events); e.name != "page" || !strings.Contains(e.data, "place 1") || !strings.Contains(e.data, "ended by hand") {
		t.Fatalf("first %+v", e)
	}
	w.deliver("city", visit{"ticket_called", "2", "A2", "CALLED", "37338", []string{"created", "11:00:00", "called", "11:59:00"}}.body())
	e := next(t, events)
	if got := partsOf(t, e); !slices.Equal(got, []string{"now", "stays", "events"}) || !strings.Contains(e.data, "called to desk 3") {
		t.Errorf("called: %v %+v", got, e)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver("city", morning()...)
	w.deliver("city", visit{"ticket_created", "5", "A2", "NEW", "37339", []string{"created", "11:45:00"}}.body())
	for asked, want := range map[string]string{
		"4": "/tickets/city/4", "B4": "/tickets/city/4", "+b4+": "/tickets/city/4", "A3": "/tickets/city/3",
	} {
		if a := w.get("/find?ticket=" + asked); a.status != http.StatusSeeOther || a.header.Get("Location") != want {
			t.Errorf("%s: %d %q, want %s", asked, a.status, a.header.Get("Location"), want)
		}
	}
	shows(t, w.page("/find?ticket=A2"), "2 tickets go by <bdi>A2</bdi>", `href="/tickets/city/2"`, `href="/tickets/city/5"`)
	shows(t, w.page("/find?ticket=Z99"), "No ticket goes by <bdi>Z99</bdi>", "the label among all 5 created today in Europe/Tallinn", "store")
	shows(t, w.page("/find"), "Give a label")
	shows(t, w.page("/find?ticket=%00"), "That is no text.")
	shows(t, w.page("/find?ticket="+strings.Repeat("x", 201)), "longer than 200 bytes")
}
