package ombori_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"queuetrack/eventstore/source"
	"queuetrack/eventstore/source/ombori"
)

const secret = "Bearer 3f9c-static"

func newSource(t testing.TB, servingTab bool) source.Source {
	t.Helper()
	s, err := ombori.New(source.Config{
		Name: "store", Header: "authorization", ServingTab: servingTab, Zone: time.FixedZone("winter", 3600),
		Secrets: []source.Secret{{Name: "env:S", Value: []byte(secret)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVerifyTheWholeHeader(t *testing.T) {
	t.Parallel()
	s := newSource(t, true)
	for value, ok := range map[string]bool{
		secret: true, "3f9c-static": false, "bearer 3f9c-static": false, secret + " ": false, "Bearer  3f9c-static": false, "": false,
	} {
		h := http.Header{}
		h.Set("Authorization", value)
		if _, err := s.Verify(h, []byte("{}")); (err == nil) != ok || !ok && !errors.Is(err, source.ErrSignature) {
			t.Errorf("%q: %v", value, err)
		}
	}
	if got := s.Sign(nil).Get("Authorization"); got != secret {
		t.Errorf("Sign sends %q", got)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	good := []source.Secret{{Name: "env:S", Value: []byte(secret)}}
	for name, cfg := range map[string]source.Config{
		"no header":             {Name: "store", Secrets: good},
		"a blank header":        {Name: "store", Secrets: good, Header: " "},
		"no header's name":      {Name: "store", Secrets: good, Header: "Api Key"},
		"a header never seen":   {Name: "store", Secrets: good, Header: "host"},
		"no secret":             {Name: "store", Header: "ApiKey"},
		"empty secret":          {Name: "store", Header: "ApiKey", Secrets: []source.Secret{{Name: "env:S"}}},
		"secret with a newline": {Name: "store", Header: "ApiKey", Secrets: []source.Secret{{Name: "env:S", Value: []byte(secret + "\n")}}},
		"secret with a space":   {Name: "store", Header: "ApiKey", Secrets: []source.Secret{{Name: "env:S", Value: []byte(" " + secret)}}},
	} {
		s, err := ombori.New(cfg)
		if err == nil || s != nil || !strings.Contains(err.Error(), "store") {
			t.Errorf("%s: %v, %v", name, s, err)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v prints the secret", name, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	s := newSource(f, true)
	f.Add(secret)
	f.Fuzz(func(t *testing.T, value string) {
		if _, err := s.Verify(http.Header{"Authorization": {value}}, nil); (err == nil) != (value == secret) {
			t.Errorf("%q: %v", value, err)
		}
	})
}

func FuzzIdentifyDecode(f *testing.F) {
	s := newSource(f, false)
	for _, typ := range types {
		f.Add([]byte(`{"type":"` + typ + `","data":{"position":{"id":"1","status":"notified","booking":{"start":"2026-03-02 10:00"},"station":{"id":4},"retryCount":1}}}`))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		id := s.Identify(body)
		d, err := s.Decode(body)
		if err == nil && id.Quarantine == "" && (d.Ticket == nil) != (id.Ticket == "") {
			t.Errorf("identified %+v, decoded %+v", id, d)
		}
	})
}
