package qminder_test

import (
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"

	"queuetrack/eventstore/source"
	"queuetrack/eventstore/source/qminder"
)

const (
	header = "X-Qminder-Signature"
	secret = "71dX4IUKcJMDOaMHeA5IACBSHJkS4LzYNXlZPleg" // of the vendor's published example
	hook   = "https://example.com/webhooks"
)

func newSource(t testing.TB, publicURL string) source.Source {
	t.Helper()
	s, err := qminder.New(source.Config{
		Name: "city", PublicURL: publicURL, Secrets: []source.Secret{{Name: "env:S", Value: []byte(secret)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The vendor's published snippet, run in Node.
func TestVerifyVendorVector(t *testing.T) {
	t.Parallel()
	body := []byte(`{ "statusCode": 200 }`)
	const good = "cc316996bed6b481bfe539a643159a25bc8db08be2402e89be25b48e4935fde4"
	raw, err := hex.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	s := newSource(t, hook)
	if got := s.Sign(body).Get(header); got != good {
		t.Errorf("Sign: %s, want %s", got, good)
	}
	for name, tt := range map[string]struct {
		value string
		ok    bool
	}{
		"as published":      {good, true},
		"of the body only":  {"c237c0ac08f6e2e67d0bcb1a03d27f3336e06e3e802f0d50900c85fa00bb55d5", false},
		"with a slash":      {"ae8ca6779fcf8f1fc93bfdaecfcc9b37526c9f09ba5b075aede0ba7fef2fd673", false},
		"upper case":        {strings.ToUpper(good), false},
		"one letter upper":  {"C" + good[1:], false},
		"raw bytes":         {string(raw), false},
		"of another length": {good + "00", false},
	} {
		key, err := s.Verify(http.Header{header: {tt.value}}, body)
		if (key == "env:S") != tt.ok || errors.Is(err, source.ErrSignature) == tt.ok {
			t.Errorf("%s: key %q, error %v", name, key, err)
		}
	}
}

// Only the configured URL counts: what a proxy made of it is nowhere to be seen.
func TestSignatureCheckedAgainstTheRegisteredURL(t *testing.T) {
	t.Parallel()
	body := []byte(`{ "statusCode": 200 }`)
	h := newSource(t, hook).Sign(body)
	for _, other := range []string{hook + "/", "http://example.com/webhooks", "https://example.com:443/webhooks", hook + "?a=1", "https://Example.com/webhooks"} {
		if _, err := newSource(t, other).Verify(h, body); !errors.Is(err, source.ErrSignature) {
			t.Errorf("%s: %v", other, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	secrets := []source.Secret{{Name: "env:S", Value: []byte(secret)}}
	for name, cfg := range map[string]source.Config{
		"no URL":       {Name: "city", Secrets: secrets},
		"a path":       {Name: "city", Secrets: secrets, PublicURL: "/webhooks/city"},
		"no scheme":    {Name: "city", Secrets: secrets, PublicURL: "example.com/webhooks"},
		"other scheme": {Name: "city", Secrets: secrets, PublicURL: "ftp://example.com/webhooks"},
		"no secret":    {Name: "city", PublicURL: hook},
		"empty secret": {Name: "city", PublicURL: hook, Secrets: []source.Secret{{Name: "env:S"}}},
	} {
		if s, err := qminder.New(cfg); err == nil || s != nil || !strings.Contains(err.Error(), "city") {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	s := newSource(f, hook)
	f.Add(`{"type":"ticket_created"}`, "cc316996bed6b481bfe539a643159a25bc8db08be2402e89be25b48e4935fde4")
	f.Fuzz(func(t *testing.T, body, value string) {
		key, err := s.Verify(http.Header{header: {value}}, []byte(body))
		if want := s.Sign([]byte(body)).Get(header); (err == nil) != (value == want) || (key == "") != (err != nil) {
			t.Errorf("%q for %q: key %q, error %v", value, body, key, err)
		}
	})
}

func FuzzIdentifyDecode(f *testing.F) {
	s := newSource(f, hook)
	for typ := range rowTypes {
		f.Add([]byte(`{"type":"` + typ + `","data":{"id":"1","status":"CALLED","line":2,"called":{"date":"2020-05-15T00:15Z","desk":"3"}}}`))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		id := s.Identify(body)
		d, err := s.Decode(body)
		if err == nil && id.Quarantine == "" && (d.Ticket == nil) != (id.Ticket == "") {
			t.Errorf("identified %+v, decoded %+v", id, d)
		}
	})
}
