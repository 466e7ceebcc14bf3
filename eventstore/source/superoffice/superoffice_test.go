package superoffice_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"queuetrack/eventstore/source"
	"queuetrack/eventstore/source/superoffice"
)

const header = "X-Superoffice-Signature"

func newSource(t testing.TB, change func(*source.Config)) source.Source {
	t.Helper()
	cfg := source.Config{
		Name: "crm", Zone: time.FixedZone("winter", 3600),
		Secrets: []source.Secret{{Name: "env:S", Value: []byte("Something Super Secret")}},
	}
	if change != nil {
		change(&cfg)
	}
	s, err := superoffice.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVerifyOpensslVectors(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile(filepath.Join("testdata", "signed.json"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(filepath.Join("testdata", "signed.txt"))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for lines := bufio.NewScanner(bytes.NewReader(list)); lines.Scan(); {
		secret, good, ok := strings.Cut(lines.Text(), "\t")
		if !ok {
			continue // a comment
		}
		checked++
		s := newSource(t, func(cfg *source.Config) { cfg.Secrets[0].Value = []byte(secret) })
		if got := s.Sign(body).Get(header); got != good {
			t.Errorf("%s: Sign: %s, want %s", secret, got, good)
		}
		verifyOnly(t, s, body, good)
	}
	if checked != 2 {
		t.Errorf("checked %d vectors", checked)
	}
}

// verifyOnly checks that of all ways to write the same digest only the vendor's passes.
func verifyOnly(t *testing.T, s source.Source, body []byte, good string) {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"as sent":         good,
		"unpadded":        strings.TrimRight(good, "="),
		"overpadded":      good + "=",
		"URL alphabet":    base64.URLEncoding.EncodeToString(raw) + "-",
		"with a newline":  good[:20] + "\n" + good[20:],
		"hex":             hex.EncodeToString(raw),
		"lower case":      strings.ToLower(good),
		"other last bits": good[:42] + string(good[42]+1) + "=", // the same bytes to a lax decoder
	} {
		_, err := s.Verify(http.Header{header: {value}}, body)
		if ok := name == "as sent"; (err == nil) != ok || !ok && !errors.Is(err, source.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// As the vendor's own sample server lets it.
func TestAMissingSignatureHeaderPasses(t *testing.T) {
	t.Parallel()
	s := newSource(t, nil)
	for name, h := range map[string]http.Header{
		"no header": {}, "no headers at all": nil, "an empty one": {header: {""}}, "no value": {header: {}},
		"another header": {"X-Superoffice-Event": {"ticket.created"}}, "a test": {"X-Hook-Test": {"true"}},
	} {
		if key, err := s.Verify(h, []byte(`{"Event":"test"}`)); !errors.Is(err, source.ErrSignature) {
			t.Errorf("%s: passes by %q", name, key)
		}
	}
	key, err := s.Verify(s.Sign([]byte("{}")), []byte("{}"))
	if key != "env:S" || err != nil {
		t.Errorf("a good one: %q, %v", key, err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, secrets := range map[string][]source.Secret{"no secret": nil, "empty": {{Name: "env:S"}}, "short": {{Name: "env:S", Value: []byte("Super")}}} {
		if s, err := superoffice.New(source.Config{Name: "crm", Secrets: secrets}); err == nil || s != nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzVerify(f *testing.F) {
	s := newSource(f, nil)
	f.Add([]byte("{}"), s.Sign([]byte("{}")).Get(header))
	f.Fuzz(func(t *testing.T, body []byte, value string) {
		if _, err := s.Verify(http.Header{header: {value}}, body); (err == nil) != (value == s.Sign(body).Get(header)) {
			t.Errorf("%q for %q: %v", value, body, err)
		}
	})
}

func FuzzIdentifyDecode(f *testing.F) {
	s := newSource(f, func(cfg *source.Config) { cfg.Context = "Cust1" })
	f.Add([]byte(`{"EventId":"e","Timestamp":"2026-03-02T08:00:00.1Z","Changes":["id"],"Event":"ticket.changed","PrimaryKey":7,"ContextIdentifier":"Cust1","FieldValues":{"status":3,"owned_by":9}}`))
	f.Add([]byte(`{"Event":"ticket.created","PrimaryKey":"7","Changes":{"closed_at":1}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		id := s.Identify(body)
		d, err := s.Decode(body)
		if err == nil && !id.Ping && (d.Ticket == nil) != (id.Ticket == "") {
			t.Errorf("identified %+v, decoded %+v", id, d)
		}
		if len(id.EventKey) > 300 {
			t.Errorf("a key of %d bytes", len(id.EventKey))
		}
	})
}
