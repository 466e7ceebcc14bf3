package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"queuetrack/eventstore/source"
)

// Signatures by openssl: printf '%s%s' URL BODY | openssl dgst -sha256 -hmac SECRET. The first three are the vendor's
// published example and its two negatives.
const (
	vendorSecret = "71dX4IUKcJMDOaMHeA5IACBSHJkS4LzYNXlZPleg"
	vendorURL    = "https://example.com/webhooks"
	vendorBody   = `{ "statusCode": 200 }`
	vendorSigned = "cc316996bed6b481bfe539a643159a25bc8db08be2402e89be25b48e4935fde4"
	bodyOnly     = "c237c0ac08f6e2e67d0bcb1a03d27f3336e06e3e802f0d50900c85fa00bb55d5"
	slashSigned  = "ae8ca6779fcf8f1fc93bfdaecfcc9b37526c9f09ba5b075aede0ba7fef2fd673"

	helpDeskSecret = "Something Super Secret"
)

// captureOf writes a request down as nc does.
func captureOf(target, headers, body string) string {
	head := "POST " + target + " HTTP/1.1\r\n"
	for line := range strings.Lines(headers) {
		head += strings.TrimSpace(line) + "\r\n"
	}
	return head + "\r\n" + body
}

// diagnosed runs the diagnosis on a source of this kind.
func diagnosed(t *testing.T, s sourceConfig, capture string) (out string, yes bool) {
	t.Helper()
	from, err := parseCaptured([]byte(capture))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	err = s.diagnose(t.Context(), from, &b)
	if err != nil && !errors.Is(err, errNo) {
		t.Fatal(err)
	}
	for _, secret := range s.Secrets {
		if strings.Contains(b.String(), strings.TrimSpace(string(secret.Value))) {
			t.Errorf("it prints secret %s:\n%s", secret.Name, &b)
		}
	}
	return b.String(), err == nil
}

func sourceOf(k kind, publicURL, header string, secrets ...string) sourceConfig {
	s := sourceConfig{Kind: k, Config: source.Config{Name: "city", PublicURL: publicURL, Header: header}}
	for i, value := range secrets {
		s.Secrets = append(s.Secrets, source.Secret{Name: fmt.Sprintf("literal-%d", i+1), Value: []byte(value)})
	}
	return s
}

// Whatever is different about the configured URL, the one that was signed is found and printed as it must be configured.
func TestDiagnosisFindsTheURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, signed, configured, target, headers string }{
		{"scheme", "https://hooks.example.com/webhooks/city", "http://hooks.example.com/webhooks/city", "/webhooks/city", "Host: 10.0.0.7"},
		{"slash more", "https://hooks.example.com/webhooks/city/", "https://hooks.example.com/webhooks/city", "/webhooks/city", "Host: x"},
		{"slash less", "https://hooks.example.com/webhooks/city", "https://hooks.example.com/webhooks/city/", "/webhooks/city", "Host: x"},
		{"default port", "https://hooks.example.com:443/webhooks/city", "https://hooks.example.com/webhooks/city", "/webhooks/city", "Host: x"},
		{"no port", "https://hooks.example.com/webhooks/city", "https://hooks.example.com:443/webhooks/city", "/webhooks/city", "Host: x"},
		{"query less", "https://hooks.example.com/webhooks/city", "https://hooks.example.com/webhooks/city?a=1", "/webhooks/city", "Host: x"},
		{"query of the capture", "https://hooks.example.com/webhooks/city?b=2", "https://hooks.example.com/webhooks/city", "/webhooks/city?b=2", "Host: x"},
		{"host of the capture", "https://new.example.com/webhooks/city", "https://hooks.example.com/webhooks/city", "/webhooks/city", "Host: new.example.com"},
		{"host with port", "http://new.example.com:8443/webhooks/city", "https://hooks.example.com/webhooks/city", "/webhooks/city", "Host: new.example.com:8443"},
		{"forwarded host", "https://new.example.com/webhooks/city", "https://old.example.com/webhooks/city", "/webhooks/city", "Host: x\nX-Forwarded-Host: new.example.com, y"},
		{"forwarded port", "https://hooks.example.com:8443/webhooks/city", "https://hooks.example.com/webhooks/city", "/webhooks/city", "Host: x\nX-Forwarded-Port: 8443"},
		{"host's case", "https://Hooks.Example.com/webhooks/city", "https://hooks.example.com/webhooks/city", "/webhooks/city", "Host: Hooks.Example.com"},
		{"lower case", "https://hooks.example.com/webhooks/city", "https://Hooks.Example.com/webhooks/city", "/webhooks/city", "Host: x"},
		{"path of the capture", "https://hooks.example.com/webhooks/city", "https://hooks.example.com/in/city", "/webhooks/city", "Host: x"},
		{"stripped prefix", "https://hooks.example.com/api/webhooks/city", "https://hooks.example.com/webhooks/city", "/webhooks/city", "Host: x\nX-Forwarded-Prefix: /api/"},
		{"absolute target", "http://new.example.com/webhooks/city", "https://hooks.example.com/webhooks/city", "http://new.example.com/webhooks/city", "Host: x"},
	} {
		by, err := sourceOf(kindQminder, c.signed, "", oldSecret).open()
		if err != nil {
			t.Fatal(err)
		}
		signature := by.Sign([]byte(vendorBody)).Get("X-Qminder-Signature")
		out, yes := diagnosed(t, sourceOf(kindQminder, c.configured, "", newSecret, oldSecret), captureOf(c.target, c.headers+"\nX-Qminder-Signature: "+signature, vendorBody))
		if yes || advised(out) != c.signed || !strings.Contains(out, "the right one: literal-2") {
			t.Errorf("%s: want %s, got %v\n%s", c.name, c.signed, yes, out)
		}
	}
}

// advised is what the advice means when it is put into a file.
func advised(out string) string {
	_, text, _ := strings.Cut(out, "Put into the configuration of city:\n\n")
	var entry struct {
		PublicURL string `yaml:"public_url"`
	}
	_ = yaml.Unmarshal([]byte(text), &entry) // empty, then
	return entry.PublicURL
}

// What the vendors' own examples say: of the URL, the body, the header and its form.
func TestDiagnosis(t *testing.T) {
	t.Parallel()
	qminder := sourceOf(kindQminder, vendorURL, "", vendorSecret)
	helpDesk := sourceOf(kindSuperOffice, "", "", helpDeskSecret)
	store := sourceOf(kindOmbori, "", "Authorization", "Bearer s3cr3t-of-the-store")
	signed, err := helpDesk.open()
	if err != nil {
		t.Fatal(err)
	}
	base64Signed := signed.Sign([]byte(vendorBody)).Get("X-SuperOffice-Signature")
	digest, _ := readDigest(base64Signed)
	for _, c := range []struct {
		name    string
		source  sourceConfig
		headers string
		body    string
		yes     bool
		want    string
	}{
		{"vendor's example", qminder, "X-Qminder-Signature: " + vendorSigned, vendorBody, true, "yes: the configuration verifies it, by secret literal-1"},
		{"vendor's slash", qminder, "X-Qminder-Signature: " + slashSigned, vendorBody, false, "\n    public_url: https://example.com/webhooks/\n"},
		{"body only", qminder, "X-Qminder-Signature: " + bodyOnly, vendorBody, false, "the vendor has another secret"},
		{"another secret", sourceOf(kindQminder, vendorURL, "", oldSecret), "X-Qminder-Signature: " + vendorSigned, vendorBody, false, "variants of URL and body verifies, by none of the secrets literal-1"},
		{"line feed more", qminder, "X-Qminder-Signature: " + vendorSigned, vendorBody + "\n", false, "with the body without the line feed at its end"},
		{"CRLF more", qminder, "X-Qminder-Signature: " + vendorSigned, vendorBody + "\r\n", false, "with the body without the CRLF at its end"},
		{"length", qminder, "Content-Length: 21\nX-Qminder-Signature: " + vendorSigned, vendorBody + "\n", false, "Content-Length is 21, the capture holds 22"},
		{"upper case", qminder, "X-Qminder-Signature: " + strings.ToUpper(vendorSigned), vendorBody, false, "some in upper case; expected are 64 lower-case hex digits\n  - written in the expected form it would verify"},
		{"prefix", qminder, "X-Qminder-Signature: sha256=" + vendorSigned, vendorBody, false, "behind sha256=; expected are"},
		{"cut off", qminder, "X-Qminder-Signature: " + vendorSigned[:60], vendorBody, false, "has 60 characters, neither hex nor base64"},
		{"missing", qminder, "Content-Type: application/json", vendorBody, false, "X-Qminder-Signature is missing; the captured ones: Content-Type, Host"},
		{"twice", qminder, "X-Qminder-Signature: " + vendorSigned + "\nX-Qminder-Signature: a", vendorBody, false, "is there 2 times; exactly one"},
		{"empty", qminder, "X-Qminder-Signature:", vendorBody, false, "X-Qminder-Signature is empty"},
		{"white space", sourceOf(kindQminder, vendorURL, "", " "+vendorSecret+"\n"), "X-Qminder-Signature: " + vendorSigned, vendorBody, false, "literal-1 without the white space around it"},
		{"chunks", qminder, "Transfer-Encoding: chunked\nX-Qminder-Signature: " + vendorSigned, "15\r\n" + vendorBody + "\r\n0\r\n\r\n", true, "captured in chunks"},

		{"base64", helpDesk, "X-SuperOffice-Signature: " + base64Signed, vendorBody, true, "yes"},
		{"hex", helpDesk, fmt.Sprintf("X-SuperOffice-Signature: %x", digest), vendorBody, false, "as 64 lower-case hex digits; expected are 44 characters of padded base64\n  - written in the expected form it would verify"},
		{"no padding", helpDesk, "X-SuperOffice-Signature: " + strings.TrimRight(base64Signed, "="), vendorBody, false, "base64 without padding"},
		{"not signed", helpDesk, "X-SuperOffice-Event: ticket.created", vendorBody, false, "signs only if the webhook has a secret"},
		{"line feed less", helpDesk, "X-SuperOffice-Signature: " + base64Signed, vendorBody + "\n", false, "without the line feed"},
		{"another body", helpDesk, "X-SuperOffice-Signature: " + base64Signed, "{}", false, "the vendor has another secret, or the body was changed"},

		{"whole value", store, "Authorization: Bearer s3cr3t-of-the-store", vendorBody, true, "yes"},
		{"no scheme word", store, "Authorization: s3cr3t-of-the-store", vendorBody, false, "the scheme word Bearer is missing"},
		{"another word", store, "Authorization: bearer s3cr3t-of-the-store", vendorBody, false, "begins with the word bearer where the secret has Bearer"},
		{"word too many", sourceOf(kindOmbori, "", "ApiKey", "s3cr3t-of-the-store"), "ApiKey: Bearer s3cr3t-of-the-store", vendorBody, false, "begins with the word Bearer, the secret does not"},
		{"quotes", store, `Authorization: "Bearer s3cr3t-of-the-store"`, vendorBody, false, "stands in quotes"},
		{"another name", store, "ApiKey: Bearer s3cr3t-of-the-store", vendorBody, false, "\n    header: Apikey\n"},
		{"another value", store, "Authorization: Basic bm90aGluZw==", vendorBody, false, "a value of 18 bytes that begins with the word Basic"},
		{"nothing there", store, "ApiKey: nothing-of-ours", vendorBody, false, "Authorization is missing; the captured ones: Apikey, Host"},
		{"compressed", store, "Content-Encoding: gzip\nAuthorization: nothing", vendorBody, false, "it has a Content-Encoding"},
	} {
		out, yes := diagnosed(t, c.source, captureOf("/webhooks", "Host: x\n"+c.headers, c.body))
		if yes != c.yes || !strings.Contains(out, c.want) {
			t.Errorf("%s: %v, want %v and %q\n%s", c.name, yes, c.yes, c.want, out)
		}
		if strings.Contains(out, vendorSigned) || strings.Contains(out, base64Signed) || strings.Contains(out, "nothing-of-ours") {
			t.Errorf("%s: it prints a value:\n%s", c.name, out)
		}
	}
}

// A long search ends when it is told to.
func TestDiagnosisEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	from, err := parseCaptured([]byte(captureOf("/webhooks/city", "X-Qminder-Signature: "+bodyOnly, vendorBody)))
	if err != nil {
		t.Fatal(err)
	}
	if err := sourceOf(kindQminder, vendorURL, "", vendorSecret).diagnose(ctx, from, &strings.Builder{}); !errors.Is(err, context.Canceled) {
		t.Errorf("diagnose = %v, want canceled", err)
	}
}

// The number of variants is bounded, whatever a capture says.
func TestURLVariantsAreBounded(t *testing.T) {
	t.Parallel()
	var hosts []string
	for n := range 5000 {
		hosts = append(hosts, fmt.Sprintf("h%d.example.com:%d", n, 1000+n))
	}
	from, err := parseCaptured([]byte(captureOf("/webhooks/city?a=1", "X-Forwarded-Host: "+strings.Join(hosts, ","), "")))
	if err != nil {
		t.Fatal(err)
	}
	got := urlVariants(vendorURL, from)
	if got[0] != vendorURL || len(got) > 20_000 {
		t.Errorf("%d variants, the first %s", len(got), got[0])
	}
}

func TestParseCaptured(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, err string }{
		{"POST /webhooks/city HTTP/1.1\r\nHost: x\r\n\r\nbody\n", ""},
		{"POST /webhooks/city HTTP/1.1\nHost: x\n\nbody\n", ""},
		{"POST /webhooks/city HTTP/2\n\n", ""},
		{"", "line 1: no request line"},
		{"{}", "line 1: no request line"},
		{"POST /webhooks/city\n\n", "line 1: no request line"},
		{"POST webhooks HTTP/1.1\n\n", "line 1: the request's target"},
		{"POST /webhooks/city HTTP/1.1", "line 2: the head does not end"},
		{"POST /webhooks/city HTTP/1.1\nHost: x\n", "line 3: the head does not end"},
		{"POST /webhooks/city HTTP/1.1\nHost: x\nBearer s3cr3t\n\n", "line 3: no header"},
		{"POST /webhooks/city HTTP/1.1\nA: s3cr3t\x00\n\n", "line 2: no header"},
	} {
		got, err := parseCaptured([]byte(c.raw))
		if (err == nil) != (c.err == "") || err != nil && (!strings.HasPrefix(err.Error(), c.err) || strings.Contains(err.Error(), "s3cr3t")) {
			t.Errorf("%q: %v, want %q", c.raw, err, c.err)
		}
		if _, body, _ := strings.Cut(strings.ReplaceAll(c.raw, "\r", ""), "\n\n"); err == nil && (string(got.body) != body || got.sourceName() != "city") {
			t.Errorf("%q: body %q of %q", c.raw, got.body, got.sourceName())
		}
	}
}

// Whatever is captured, it is read or refused, and the diagnosis of what was read says what serve would: the same bytes
// in a real request verify exactly when it says yes.
func FuzzCaptured(f *testing.F) {
	for _, seed := range []string{
		captureOf("/webhooks/city", "Host: x\nX-Qminder-Signature: "+vendorSigned, vendorBody),
		captureOf("/webhooks", "X-Qminder-Signature: "+slashSigned+"\nX-Forwarded-Host: [::1]:8080, a", vendorBody),
		captureOf("http://u:p@h:1/w?q#f", "X-Forwarded-Port: 1\nX-Forwarded-Prefix: //", "\n"),
		captureOf("/", "Transfer-Encoding: chunked", "15\r\n"+vendorBody+"\r\n0\r\n\r\n"),
		captureOf("/", "Transfer-Encoding: chunked\nContent-Length: -1", "ffffffffffffffff\r\n"),
		captureOf("*", "X-SuperOffice-Signature: sha256=AAAA", ""), captureOf("//", "Authorization: Bearer ", ""),
		"POST / HTTP/1.1\n\n", "", "\n\n", "POST % HTTP/1.1\n\n", "POST / HTTP/1.1\n: x\n\n", "POST / HTTP/1.1\n folded\n\n",
	} {
		f.Add([]byte(seed))
	}
	sources := []sourceConfig{
		sourceOf(kindQminder, vendorURL, "", vendorSecret), sourceOf(kindSuperOffice, "", "", helpDeskSecret),
		sourceOf(kindOmbori, "", "Authorization", "Bearer s3cr3t-of-the-store"),
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		from, err := parseCaptured(raw)
		if err != nil {
			return
		}
		for _, s := range sources {
			opened, err := s.open()
			if err != nil {
				t.Fatal(err)
			}
			r := &http.Request{Header: from.header.Clone()}
			_, refused := opened.Verify(r.Header, from.body)
			var out strings.Builder
			if err := s.diagnose(t.Context(), from, &out); (err == nil) != (refused == nil) {
				t.Errorf("%s: %v, and the adapter: %v\n%s", s.Kind, err, refused, &out)
			}
		}
	})
}
