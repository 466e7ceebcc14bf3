package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"queuetrack/eventstore/source"
)

// examplesConfig is that of the little world that the documentation's examples are about.
const examplesConfig = `sources:
  - name: city
    kind: qminder
    public_url: https://hooks.example.com/webhooks/city
    secrets: [a-secret-of-the-city]
    timezone: Europe/Tallinn
    silent_after: 30m
    queues:
      "37338": {name: Passports, location: City Hall}
      "37339": {name: Registration, location: City Hall}
  - name: store
    kind: ombori
    header: Authorization
    secrets: [Bearer a-header-of-the-store]
    timezone: Europe/Stockholm
    queues:
      kitchens: {name: Kitchens}
  - name: crm
    kind: superoffice
    secrets: [a-secret-of-the-desk]
    timezone: Europe/Oslo
    queues:
      "2": {name: Support}
`

// examplesNow is the clock of every example: 11:00 in Tallinn.
var examplesNow = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// unreadable is in the webhooks that this world's adapter can't decode.
const unreadable = "hologram"

// sent is one webhook and when it was sent.
type sent struct {
	at           time.Time
	source, body string
}

// newExamplesWorld is a whole server that was told a morning, with two dead letters' worth of trouble, two quarantined
// webhooks, three refused ones, and a rebuild behind it. It is the same each time.
func newExamplesWorld(t *testing.T) *story {
	t.Helper()
	s := &story{t: t, page: 500}
	s.open(examplesConfig)
	s.breakAdapter("city", unreadable)
	webhooks := slices.Concat(passports(), registration(), troubles(), otherSources())
	slices.SortStableFunc(webhooks, func(a, b sent) int { return a.at.Compare(b.at) })
	for _, w := range webhooks {
		s.set(w.at.Add(time.Second))
		s.tell(w, "", http.StatusOK)
	}
	s.set(examplesNow.Add(-10 * time.Minute))
	s.tell(sent{source: "city", body: `{"type":"ticket_created"}`}, "another secret", http.StatusUnauthorized)
	s.set(examplesNow.Add(-4 * time.Minute))
	s.tell(sent{source: "city", body: `{"type":"ticket_called"}`}, "another secret", http.StatusUnauthorized)
	s.set(examplesNow)
	s.settle()
	s.send("/v1/projections/rebuild", http.Header{}, "")
	s.settle()
	return s
}

// tell sends a webhook, signed as its vendor would, or by another secret.
func (s *story) tell(w sent, secret string, want int) {
	s.t.Helper()
	source, err := s.config.source(w.source)
	s.must(err)
	header := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"a vendor"}}
	s.sign(header, source, secret, []byte(w.body))
	r, err := curl{method: http.MethodPost, url: "/webhooks/" + w.source, header: header, body: w.body}.request(s.t.Context(), s.url)
	s.must(err)
	if status, text := s.do(r); status != want {
		s.t.Fatalf("%s: %d %s", w.body, status, text)
	}
}

// lineTicket is a Qminder ticket; the steps are minutes after midnight UTC, 0: not yet.
type lineTicket struct {
	id, line, day, created, called, served int
	extra                                  string
}

func (v lineTicket) time(minutes int) time.Time {
	return time.Date(2026, 11, v.day, 0, minutes, 0, 0, time.UTC)
}

func (v lineTicket) body(typ, status, steps string) string {
	return fmt.Sprintf(`{"type":%q,"data":{"id":"%d","publicId":"%c%d","status":%q,"line":%d,"firstName":"Mari","created":{"date":%q}%s%s}}`,
		typ, v.id, "PR"[v.line%2], v.id%100, status, v.line, v.time(v.created).Format(time.RFC3339), steps, v.extra)
}

func (v lineTicket) step(name string, minutes int) string {
	return fmt.Sprintf(`,%q:{"date":%q,"caller":14267,"desk":%d}`, name, v.time(minutes).Format(time.RFC3339), 1+v.id%3)
}

// webhooks are those of a ticket that was created, called and served, as far as it came.
func (v lineTicket) webhooks() []sent {
	list := []sent{{v.time(v.created), "city", v.body("ticket_created", "NEW", "")}}
	if v.called > 0 {
		list = append(list, sent{v.time(v.called), "city", v.body("ticket_called", "CALLED", v.step("called", v.called))})
	}
	if v.served > 0 {
		list = append(list, sent{v.time(v.served), "city", v.body("ticket_served", "SERVED", v.step("called", v.called)+v.step("served", v.served))})
	}
	return list
}

// The lines of the city.
const (
	linePassports    = 37338
	lineRegistration = 37339
)

// passports are twelve visitors served, a no-show, one who gave up, one at the desk and three who wait; and three of the
// day before.
func passports() (list []sent) {
	for i, wait := range []int{4, 6, 9, 12, 7, 5, 11, 14, 8, 10, 6, 9} {
		created := 6*60 + 10 + 8*i
		list = append(list, lineTicket{id: 1001 + i, line: linePassports, day: 20, created: created, called: created + wait, served: created + wait + 5 + i%4}.webhooks()...)
	}
	for i := range 3 {
		created := 8*60 + 7*i
		list = append(list, lineTicket{id: 981 + i, line: linePassports, day: 19, created: created, called: created + 5 + i, served: created + 12}.webhooks()...)
	}
	for i, created := range []int{8*60 + 40, 8*60 + 47, 8*60 + 52} {
		list = append(list, lineTicket{id: 1015 + i, line: linePassports, day: 20, created: created}.webhooks()...)
	}
	list = append(list, lineTicket{id: 1013, line: linePassports, day: 20, created: 8*60 + 20, called: 8*60 + 31}.webhooks()...)
	gone := lineTicket{id: 1014, line: linePassports, day: 20, created: 8*60 + 5, called: 8*60 + 16}
	list = append(append(list, gone.webhooks()...), sent{gone.time(8*60 + 20), "city", gone.body("ticket_changed", "NOSHOW", gone.step("called", gone.called))})
	left := lineTicket{id: 1018, line: linePassports, day: 20, created: 7*60 + 50}
	return append(append(list, left.webhooks()...), sent{left.time(8*60 + 10), "city", left.body("ticket_cancelled", "CANCELLED", left.step("cancelled", 8*60+10))})
}

func registration() (list []sent) {
	for i := range 4 {
		created := 7*60 + 15 + 12*i
		list = append(list, lineTicket{id: 1021 + i, line: lineRegistration, day: 20, created: created, called: created + 3 + 2*i, served: created + 15}.webhooks()...)
	}
	return append(list, lineTicket{id: 1025, line: lineRegistration, day: 20, created: 8*60 + 44}.webhooks()...)
}

// troubles are a ticket that the adapter can't decode, with an event behind it, a replay of two days ago, and a webhook
// that names no ticket.
func troubles() []sent {
	poison := lineTicket{id: 1090, line: lineRegistration, day: 20, created: 8 * 60, called: 8*60 + 12, extra: `,"source":"` + unreadable + `"`}
	list := poison.webhooks()
	list[1].body = lineTicket{id: 1090, line: lineRegistration, day: 20, created: 8 * 60}.body("ticket_called", "CALLED", poison.step("called", poison.called))
	old := lineTicket{id: 990, line: linePassports, day: 18, created: 8 * 60, called: 8*60 + 5, served: 8*60 + 20}
	return slices.Concat(list, old.webhooks(), []sent{
		{examplesNow.Add(-5 * time.Minute), "city", old.webhooks()[0].body},
		{examplesNow.Add(-3 * time.Minute), "city", `{"type":"ticket_created","data":{"status":"NEW"}}`},
	})
}

func otherSources() []sent {
	const position = `{"type":%q,"organization":"demo","data":{"position":{"id":"4f288ab1-72c9-402a-95b3-2967663300%02d","status":%q,"label":"A%d","queue":"kitchens","createdAt":%q%s}}}`
	at := func(minute int) time.Time { return time.Date(2026, 11, 20, 8, minute, 0, 0, time.UTC) }
	called := `,"calledAt":"2026-11-20T08:36:00Z"`
	return []sent{
		{at(30), "store", fmt.Sprintf(position, "positionCreated", 1, "pending", 1, "2026-11-20T08:30:00Z", "")},
		{at(36), "store", fmt.Sprintf(position, "positionCalled", 1, "notified", 1, "2026-11-20T08:30:00Z", called)},
		{at(50), "store", fmt.Sprintf(position, "positionCreated", 2, "pending", 2, "2026-11-20T08:50:00Z", "")},
		{at(20), "crm", `{"EventId":"4b5ce038-50f2-4796-bdb2-000000000001","Timestamp":"2026-11-20T08:20:00Z","Changes":[],"Event":"ticket.created","PrimaryKey":76,"Entity":"ticket","ContextIdentifier":"Cust31038","FieldValues":{"category":2,"connect_id":-1,"created_at":"2026-11-20T09:20:00","owned_by":1,"priority":2,"status":1,"ticket_status":1}}`},
	}
}

// heldAdapter decodes nothing until it is let go on: what reads the log stands still meanwhile.
type heldAdapter struct {
	source.Source
	on <-chan struct{}
}

func (h heldAdapter) Decode(body []byte) (source.Decoded, error) {
	<-h.on
	return h.Source.Decode(body)
}

// hold has rebuilds stand still, as of now; let lets them go on, and returns when none is at work.
func (s *story) hold() (let func()) {
	on := make(chan struct{})
	s.parts.sources["city"] = heldAdapter{s.parts.sources["city"], on}
	return func() {
		close(on)
		s.work.turn <- struct{}{}
		s.work.give()
	}
}

// begin starts a rebuild, and returns when it is under way.
func (s *story) begin() {
	r, err := curl{method: http.MethodPost, url: "/v1/projections/rebuild", header: http.Header{}}.request(context.WithoutCancel(s.t.Context()), s.url)
	s.must(err)
	if status, text := s.do(r); status != http.StatusAccepted {
		s.t.Fatalf("rebuild: %d %s", status, text)
	}
}
