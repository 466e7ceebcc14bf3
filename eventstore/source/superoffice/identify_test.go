package superoffice_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"queuetrack/eventstore/source"
)

func TestIdentify(t *testing.T) {
	t.Parallel()
	s := newSource(t, func(cfg *source.Config) { cfg.Context = "Cust70707" })
	occurred := time.Date(2026, 3, 2, 8, 11, 2, 440187000, time.UTC)
	const when = `"Timestamp":"2026-03-02T08:11:02.4401871Z"`
	for body, want := range map[string]source.Identity{
		`{"Event":"ticket.created","PrimaryKey":90411,"ContextIdentifier":"Cust70707","EventId":"5e0f",` + when + `}`: {
			Ticket: "90411", Type: "ticket.created", EventKey: "9:Cust7070714:ticket.created5:904114:5e0f", OccurredAt: occurred,
		},
		`{"Event":"ticket.changed","PrimaryKey":"90411","ContextIdentifier":"Cust70707"}`: {Ticket: "90411", Type: "ticket.changed"},
		`{"Event":"ticket.changed","PrimaryKey":90411,"ContextIdentifier":"Cust1",` + when + `}`: {
			Ticket: "90411", Type: "ticket.changed", OccurredAt: occurred,
			Quarantine: `ContextIdentifier is "Cust1" instead of "Cust70707": another tenant's event`,
		},
		`{"Event":"ticket.changed","PrimaryKey":90411}`: {
			Ticket: "90411", Type: "ticket.changed", Quarantine: `ContextIdentifier is "" instead of "Cust70707": another tenant's event`,
		},
		`{"Event":"ticket.changed","PrimaryKey":0,"ContextIdentifier":"Cust70707"}`: {
			Type: "ticket.changed", Quarantine: "ticket.changed without its ticket: PrimaryKey is 0",
		},
		`{"Event":"ticket.deleted","PrimaryKey":90411,"ContextIdentifier":"Cust70707"}`:                  {Type: "ticket.deleted"},
		`{"Event":"contact.changed","PrimaryKey":41,"Entity":"contact","ContextIdentifier":"Cust70707"}`: {Type: "contact.changed"},
		`{"Event":"sale.deleted","PrimaryKey":9,"Values":{"sale_id":9},"ContextIdentifier":"Cust70707"}`: {Type: "sale.deleted"},
		`{"Event":"webhook.errors","PrimaryKey":12,"ContextIdentifier":"Cust70707"}`:                     {Type: "webhook.errors"},
		`{"Event":"foo.bar","ContextIdentifier":"Cust70707"}`:                                            {Type: "foo.bar"},
		`{"Event":"test","PrimaryKey":0,"Entity":"test","ContextIdentifier":"Default"}`:                  {Type: "test", Ping: true},
		`{"ContextIdentifier":"Cust70707"}`:                                                              {Type: source.UnknownType},
	} {
		if diff := cmp.Diff(want, s.Identify([]byte(body))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
}

func TestKeyPartsJoinedWithoutSeparatorsCollide(t *testing.T) {
	t.Parallel()
	s := newSource(t, nil)
	long := strings.Repeat("x", 400)
	seen := map[string]string{}
	for _, body := range []string{
		`{"ContextIdentifier":"Cust1","Event":"ticket.created","PrimaryKey":1,"EventId":"23"}`,
		`{"ContextIdentifier":"Cust1","Event":"ticket.created","PrimaryKey":12,"EventId":"3"}`,
		`{"ContextIdentifier":"Cust","Event":"1ticket.created","PrimaryKey":1,"EventId":"23"}`,
		`{"ContextIdentifier":"Cust1","Event":"ticket.changed","PrimaryKey":1,"EventId":"23"}`, // samples share an EventId so
		`{"ContextIdentifier":"Cust2","Event":"ticket.created","PrimaryKey":1,"EventId":"23"}`,
		`{"ContextIdentifier":"Cust1","Event":"ticket.created","PrimaryKey":1,"EventId":"23 "}`,
		`{"ContextIdentifier":"Cust1","Event":"ticket.created","PrimaryKey":1,"EventId":"23\u0000"}`,
		`{"ContextIdentifier":"Cust1","Event":"ticket.created","PrimaryKey":1,"EventId":"23\u0000\u0000"}`,
		`{"ContextIdentifier":"Cust1","Event":"ticket.created","PrimaryKey":1,"EventId":"` + long + `"}`,
		`{"ContextIdentifier":"Cust1","Event":"ticket.created","PrimaryKey":1,"EventId":"` + long + `x"}`,
		`{"Event":"1:","PrimaryKey":"","EventId":"0:1:a"}`,
		`{"Event":"1:0:","PrimaryKey":"","EventId":"1:a"}`,
	} {
		key := s.Identify([]byte(body)).EventKey
		if other, ok := seen[key]; ok || key == "" || len(key) > 300 || strings.ContainsRune(key, 0) {
			t.Errorf("key %q of %.120s, and of %.120s", key, body, other)
		}
		seen[key] = body
	}
}

// The attempts of one cycle differ in nothing that the key is made of.
func TestEventKeyIsTheSameForARetry(t *testing.T) {
	t.Parallel()
	s := newSource(t, nil)
	a := s.Identify([]byte(`{"ContextIdentifier":"Cust1","Event":"ticket.created","PrimaryKey":1,"EventId":"23","Changes":[]}`))
	b := s.Identify([]byte(`{"EventId":"23","PrimaryKey":"1","Event":"ticket.created","ContextIdentifier":"Cust1","WebhookName":"renamed"}`))
	if a.EventKey != b.EventKey {
		t.Errorf("%q and %q", a.EventKey, b.EventKey)
	}
}

// Without an id of its own an event has no key: one key for all would drop them as duplicates.
func TestNoEventKeyWithoutEventId(t *testing.T) {
	t.Parallel()
	s := newSource(t, nil)
	for _, id := range []string{`""`, `null`, `{}`, `0`, `"00000000-0000-0000-0000-000000000000"`} {
		body := `{"ContextIdentifier":"Cust1","Event":"ticket.changed","PrimaryKey":1,"EventId":` + id + `}`
		if got := s.Identify([]byte(body)); got.EventKey != "" || got.Quarantine != "" {
			t.Errorf("%s: %+v", id, got)
		}
	}
}
