package source_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"queuetrack/eventstore/source"
	"queuetrack/eventstore/source/ombori"
	"queuetrack/eventstore/source/qminder"
	"queuetrack/eventstore/source/superoffice"
	"queuetrack/eventstore/ticket"
)

// vendor is what the contract test needs to know of one. A new vendor is one more entry of vendors.
type vendor struct {
	name   string
	make   func(source.Config) (source.Source, error)
	header string

	typ       string // an event about a ticket
	unknown   string // a type that the vendor does not have
	delivery  string // a delivery; %TYPE% and %EVENT% are filled in
	event     string // what it says of the ticket %ID%
	ticketOff string // the same without the ticket's id
	idMember  string // the name of the id's member
	reordered string // the delivery of ticket 1 with all members in another order
	texts     string // a delivery with N in the place of every text that is kept
}

var vendors = []vendor{
	{
		name: "qminder", make: qminder.New, header: "X-Qminder-Signature",
		typ: "ticket_called", unknown: "ticket_teleported",
		event:     `{"id":%ID%,"status":"CALLED","line":7,"created":{"date":"2026-03-02T08:00:00Z"},"called":{"date":"2026-03-02T08:05:00Z","caller":9}}`,
		ticketOff: `{"status":"CALLED","line":7}`,
		delivery:  `{"type":"%TYPE%","data":%EVENT%}`, idMember: "id",
		reordered: `{"data":{"called":{"caller":9,"date":"2026-03-02T08:05:00Z"},"created":{"date":"2026-03-02T08:00:00Z"},"line":7,"status":"CALLED","id":"1"},"type":"ticket_called"}`,
		texts:     `{"type":"ticket_called","data":{"id":"1","status":N,"line":N,"publicId":N,"called":{"caller":N,"desk":N}}}`,
	},
	{
		name: "ombori", make: ombori.New, header: "Authorization",
		typ: "positionCalled", unknown: "positionTeleported",
		event:     `{"id":%ID%,"status":"notified","queue":"7","createdAt":"2026-03-02T08:00:00Z","calledAt":"2026-03-02T08:05:00Z"}`,
		ticketOff: `{"status":"notified","queue":"7"}`,
		delivery:  `{"message":null,"data":{"position":%EVENT%},"type":"%TYPE%","organization":"x"}`, idMember: "id",
		reordered: `{"organization":"x","type":"positionCalled","data":{"position":{"calledAt":"2026-03-02T08:05:00Z","createdAt":"2026-03-02T08:00:00Z","queue":"7","status":"notified","id":"1"}},"message":null}`,
		texts:     `{"type":"bookingUpdated","data":{"position":{"id":"1","status":N,"queue":N,"label":N,"location":N,"station":{"id":N,"label":N},"servedBy":{"id":N,"email":N}}}}`,
	},
	{
		name: "superoffice", make: superoffice.New, header: "X-SuperOffice-Signature",
		typ: "ticket.changed", unknown: "ticket.teleported",
		event:     `"PrimaryKey":%ID%,"Timestamp":"2026-03-02T08:05:00.1234567Z","FieldValues":{"status":1,"owned_by":9,"category":7}`,
		ticketOff: `"Timestamp":"2026-03-02T08:05:00.1234567Z"`,
		delivery:  `{"Event":"%TYPE%",%EVENT%,"EventId":"e-1","ContextIdentifier":"Cust1"}`, idMember: "PrimaryKey",
		reordered: `{"ContextIdentifier":"Cust1","EventId":"e-1","FieldValues":{"category":7,"owned_by":9,"status":1},"Timestamp":"2026-03-02T08:05:00.1234567Z","PrimaryKey":"1","Event":"ticket.changed"}`,
		texts:     `{"Event":"ticket.changed","PrimaryKey":"1","Timestamp":N,"Changes":[N],"EventId":N,"ContextIdentifier":N,"FieldValues":{"status":N,"owned_by":N,"category":N}}`,
	},
}

func (v vendor) body(typ, id string) string {
	event := v.ticketOff
	if id != "" {
		event = strings.ReplaceAll(v.event, "%ID%", id)
	}
	return strings.NewReplacer("%EVENT%", event, "%TYPE%", typ).Replace(v.delivery)
}

func (v vendor) source(t testing.TB, secrets ...string) source.Source {
	t.Helper()
	cfg := source.Config{
		Name: "s", PublicURL: "https://hooks.example.com/webhooks/s", Header: "Authorization", ServingTab: true, Zone: time.UTC,
	}
	for i, s := range secrets {
		cfg.Secrets = append(cfg.Secrets, source.Secret{Name: []string{"new", "old"}[i], Value: []byte(s)})
	}
	src, err := v.make(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

const newSecret, oldSecret = "the new secret", "the old secret"

func eachVendor(t *testing.T, f func(t *testing.T, v vendor, s source.Source)) {
	t.Helper()
	for _, v := range vendors {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			f(t, v, v.source(t, newSecret, oldSecret))
		})
	}
}

func TestContractVerify(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, v vendor, s source.Source) {
		body := []byte(v.body(v.typ, `"1"`))
		good := s.Sign(body).Get(v.header)
		old := v.source(t, oldSecret).Sign(body).Get(v.header)
		alien := v.source(t, "another secret").Sign(body).Get(v.header)
		for name, tt := range map[string]struct {
			values []string
			want   string
		}{
			"good":              {[]string{good}, "new"},
			"old key":           {[]string{old}, "old"},
			"another key":       {[]string{alien}, ""},
			"missing":           {nil, ""},
			"empty":             {[]string{""}, ""},
			"twice":             {[]string{good, good}, ""},
			"twice, one bad":    {[]string{good, alien}, ""},
			"joined":            {[]string{good + ", " + good}, ""},
			"truncated":         {[]string{good[:len(good)-1]}, ""},
			"longer":            {[]string{good + "0"}, ""},
			"padded":            {[]string{good + " "}, ""},
			"upper case":        {[]string{strings.ToUpper(good)}, ""},
			"prefixed":          {[]string{"sha256=" + good}, ""},
			"other encoding":    {[]string{otherEncoding(good)}, ""},
			"without padding":   {[]string{strings.TrimRight(good, "=t0123456789abcdef")}, ""},
			"the secret's name": {[]string{"new"}, ""},
		} {
			key, err := s.Verify(http.Header{http.CanonicalHeaderKey(v.header): tt.values}, body)
			if key != tt.want || (tt.want == "") != errors.Is(err, source.ErrSignature) {
				t.Errorf("%s: key %q, error %v; want %q", name, key, err, tt.want)
			}
		}
		if _, err := s.Verify(http.Header{}, nil); !errors.Is(err, source.ErrSignature) {
			t.Errorf("no header, no body: %v", err)
		}
	})
}

// otherEncoding writes the same bytes differently: base64 for hex, hex for base64, else reversed.
func otherEncoding(value string) string {
	if raw, err := hex.DecodeString(value); err == nil {
		return base64.StdEncoding.EncodeToString(raw)
	}
	if raw, err := base64.StdEncoding.DecodeString(value); err == nil {
		return hex.EncodeToString(raw)
	}
	return "Bearer " + value
}

// A static header proves nothing of the body; a signature does.
func TestContractVerifyCoversTheBody(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, v vendor, s source.Source) {
		body := v.body(v.typ, `"1"`)
		h := s.Sign([]byte(body))
		for _, changed := range []string{body[:len(body)-1], body + "\n", " " + body, strings.ToLower(body), ""} {
			_, err := s.Verify(h, []byte(changed))
			if signs := v.name != "ombori"; signs != errors.Is(err, source.ErrSignature) {
				t.Errorf("body %.20q…: %v", changed, err)
			}
		}
	})
}

func TestContractIdentify(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat(`{"x":`, n) + "1" + strings.Repeat("}", n) }
	huge := strings.Repeat("9", 60)
	eachVendor(t, func(t *testing.T, v vendor, s source.Source) {
		good := v.body(v.typ, `"1"`)
		with := func(extra string) string { return strings.Replace(good, "{", "{"+extra+",", 1) }
		for name, tt := range map[string]struct{ body, typ, ticket, quarantine string }{
			"good":               {good, v.typ, "1", ""},
			"id as a number":     {v.body(v.typ, "1"), v.typ, "1", ""},
			"byte order mark":    {"\xef\xbb\xbf" + good, v.typ, "1", ""},
			"white space around": {"\r\n " + good + "\n", v.typ, "1", ""},
			"unknown type":       {v.body(v.unknown, `"1"`), v.unknown, "", ""},
			"unknown, bare":      {v.body(v.unknown, ""), v.unknown, "", ""},
			"blank type":         {v.body(`\u0000 `, `"1"`), source.UnknownType, "", ""},
			"no type":            {`{}`, source.UnknownType, "", ""},
			"type of NULs":       {v.body(`a\u0000b`, `"1"`), "ab", "", ""},
			"type too long":      {v.body(strings.Repeat("é", 99), `"1"`), strings.Repeat("é", 50), "", ""},
			"extra members":      {with(`"x":{"y":[1,2,{"z":null}]}`), v.typ, "1", ""},
			"deep":               {with(`"x":` + deep(5000)), v.typ, "1", ""},
			"huge number":        {with(`"x":1e999999`), v.typ, "1", ""},
			"huge id":            {v.body(v.typ, huge), v.typ, huge, ""},

			"too deep":            {with(`"x":` + deep(20_000)), source.UnknownType, "", "not JSON: "},
			"empty":               {"", source.UnknownType, "", "not JSON: "},
			"truncated":           {good[:len(good)-1], source.UnknownType, "", "not JSON: "},
			"trailing garbage":    {good + "x", source.UnknownType, "", "not JSON: "},
			"two bodies":          {good + good, source.UnknownType, "", "not JSON: "},
			"NUL byte":            {strings.Replace(good, v.typ, v.typ+"\x00", 1), source.UnknownType, "", "not JSON: "},
			"invalid UTF-8":       {strings.Replace(good, v.typ, v.typ+"\xff", 1), source.UnknownType, "", "not JSON: "},
			"an array":            {"[" + good + "]", source.UnknownType, "", "not a JSON object"},
			"null":                {"null", source.UnknownType, "", "not a JSON object"},
			"no id":               {v.body(v.typ, ""), v.typ, "", "without its ticket: " + v.idMember + " is missing"},
			"id null":             {v.body(v.typ, "null"), v.typ, "", "is missing"},
			"id empty":            {v.body(v.typ, `""`), v.typ, "", "neither a text nor a whole number"},
			"id negative":         {v.body(v.typ, "-1"), v.typ, "", "neither a text nor a whole number"},
			"id a fraction":       {v.body(v.typ, "1.5"), v.typ, "", "neither a text nor a whole number"},
			"id with an exponent": {v.body(v.typ, "1e2"), v.typ, "", "neither a text nor a whole number"},
			"id an object":        {v.body(v.typ, `{"id":"1"}`), v.typ, "", "neither a text nor a whole number"},
			"id too long":         {v.body(v.typ, `"`+strings.Repeat("x", 201)+`"`), v.typ, "", "longer than 200 bytes"},
			"id with a NUL":       {v.body(v.typ, `"1\u0000"`), v.typ, "", "control characters"},
		} {
			id := s.Identify([]byte(tt.body))
			if id.Type != tt.typ || id.Ticket != tt.ticket {
				t.Errorf("%s: type %q, ticket %q; want %q, %q", name, id.Type, id.Ticket, tt.typ, tt.ticket)
			}
			if (id.Quarantine == "") != (tt.quarantine == "") || !strings.Contains(id.Quarantine, tt.quarantine) {
				t.Errorf("%s: quarantined %q, want %q", name, id.Quarantine, tt.quarantine)
			}
			checkAgreement(t, s, []byte(tt.body))
		}
	})
}

// Of members with one name the last counts, at the door and later.
func TestContractDuplicateKeys(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, v vendor, s source.Source) {
		inside := `"` + v.idMember + `":`
		body := strings.Replace(v.body(v.typ, `"2"`), inside, inside+`"1",`+inside, 1)
		if id := s.Identify([]byte(body)); id.Ticket != "2" || id.Quarantine != "" {
			t.Errorf("id twice: %+v", id)
		}
		body = strings.Replace(v.body(v.typ, `"2"`), inside+`"2"`, inside+`"2",`+inside+`null`, 1)
		if id := s.Identify([]byte(body)); id.Ticket != "" || id.Quarantine == "" {
			t.Errorf("the last id is null: %+v", id)
		}
		checkAgreement(t, s, []byte(body))
	})
}

func TestContractReorderedKeys(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, v vendor, s source.Source) {
		a, b := []byte(v.body(v.typ, `"1"`)), []byte(v.reordered)
		if diff := cmp.Diff(s.Identify(a), s.Identify(b)); diff != "" {
			t.Errorf("identity (-in order +reordered):\n%s", diff)
		}
		x, _ := s.Decode(a)
		y, _ := s.Decode(b)
		if diff := cmp.Diff(x, y); diff != "" {
			t.Errorf("decoded (-in order +reordered):\n%s", diff)
		}
		if x.Ticket == nil || x.Ticket.Status != ticket.StatusCalled || x.Ticket.Queue != "7" {
			t.Errorf("decoded %+v, want a call in queue 7", x.Ticket)
		}
	})
}

func TestContractTextIsFit(t *testing.T) {
	t.Parallel()
	const nasty = `"a\u0000\u001b[2J\ud800` + "\u0085" + `b"`
	long := `"` + strings.Repeat("ä", 5000) + `"`
	eachVendor(t, func(t *testing.T, v vendor, s source.Source) {
		for _, value := range []string{nasty, long, strings.Repeat("9", 500), "[]", "{}", "true", "-1", "1e9", "null", `""`} {
			checkAgreement(t, s, []byte(strings.ReplaceAll(v.texts, "N", value)))
		}
	})
}

func TestContractOurDeliveries(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, v vendor, s source.Source) {
		files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "deliveries", v.name, "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no deliveries in testdata/deliveries/%s: %v", v.name, err)
		}
		for _, file := range files {
			body := readFile(t, file)
			if _, err := s.Verify(s.Sign(body), body); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			id := s.Identify(body)
			if id.Quarantine != "" || !strings.Contains(file, id.Type) {
				t.Errorf("%s: identified as %+v", file, id)
			}
			checkAgreement(t, s, body)
		}
	})
}

// checkAgreement holds what must be true of any body: door and projector see the same ticket, nothing panics, and every
// text fits a Postgres text column.
func checkAgreement(t *testing.T, s source.Source, body []byte) {
	t.Helper()
	id := s.Identify(body)
	fit(t, source.MaxID, id.Ticket)
	fit(t, 300, id.EventKey) // an index can't hold any length
	fit(t, source.MaxType, id.Type)
	fit(t, 1000, id.Quarantine)
	if id.Type == "" {
		t.Errorf("no type for %.200q", body)
	}
	d, err := s.Decode(body)
	if id.Quarantine == "" && err != nil {
		t.Errorf("identified but not decoded: %v: %.200q", err, body)
	}
	if err == nil && (d.Ticket != nil) != (id.Ticket != "") {
		t.Errorf("identified ticket %q, decoded %+v: %.200q", id.Ticket, d.Ticket, body)
	}
	for _, n := range d.Names {
		fit(t, source.MaxText, n.ID, n.Name)
	}
	if o := d.Ticket; o != nil {
		fit(t, source.MaxText, o.Queue, o.Desk, o.Agent, o.Label)
		fit(t, 2*source.MaxText, o.Reason)
		if o.Says == "" || o.Position != 0 || !o.ReceivedAt.IsZero() {
			t.Errorf("says %q at %d, %v: %.200q", o.Says, o.Position, o.ReceivedAt, body)
		}
	}
}

func fit(t *testing.T, limit int, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) || len(s) > limit {
			t.Errorf("unfit text of %d bytes: %.100q", len(s), s)
		}
	}
}

func FuzzContract(f *testing.F) {
	for i, v := range vendors {
		f.Add(i, []byte(v.body(v.typ, `"1"`)), "x")
		f.Add(i, []byte(v.body(v.unknown, "")), v.source(f, newSecret).Sign([]byte("{}")).Get(v.header))
	}
	sources := make([]source.Source, len(vendors))
	for i, v := range vendors {
		sources[i] = v.source(f, newSecret, oldSecret)
	}
	f.Fuzz(func(t *testing.T, i int, body []byte, header string) {
		n := int(uint(i) % uint(len(vendors)))
		s, name := sources[n], http.CanonicalHeaderKey(vendors[n].header)
		checkAgreement(t, s, body)
		key, err := s.Verify(http.Header{name: {header}}, body)
		if (key == "") != (err != nil) {
			t.Errorf("key %q, error %v", key, err)
		}
		if want := s.Sign(body).Get(name); err == nil && key == "new" && header != want {
			t.Errorf("%q verifies, the vendor sends %q", header, want)
		}
		if key, err := s.Verify(s.Sign(body), body); key != "new" {
			t.Errorf("what we sign does not verify: %v", err)
		}
	})
}
