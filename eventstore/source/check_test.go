package source_test

import (
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"

	"queuetrack/eventstore/source"
)

// The second test case of RFC 4231, with the message in one part and in two.
func TestHMAC(t *testing.T) {
	t.Parallel()
	const want = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
	if got := hex.EncodeToString(source.HMAC([]byte("Jefe"), []byte("what do ya want for nothing?"))); got != want {
		t.Errorf("one part: %s, want %s", got, want)
	}
	if got := hex.EncodeToString(source.HMAC([]byte("Jefe"), []byte("what do ya want "), []byte("for nothing?"))); got != want {
		t.Errorf("two parts: %s, want %s", got, want)
	}
}

func TestVerificationIsNeverSkippedForWantOfASecret(t *testing.T) {
	t.Parallel()
	value := func(secret, _ []byte) string { return string(secret) }
	for name, secrets := range map[string][]source.Secret{
		"none":              nil,
		"nil value":         {{Name: "env:S"}},
		"empty":             {{Name: "env:S", Value: []byte{}}},
		"blank":             {{Name: "env:S", Value: []byte("            ")}},
		"short":             {{Name: "env:S", Value: []byte("1234567")}},
		"short but padded":  {{Name: "env:S", Value: []byte(" 1234567\r\n")}},
		"second one short":  {{Name: "env:A", Value: []byte("long enough")}, {Name: "env:S", Value: []byte("x")}},
		"second one absent": {{Name: "env:A", Value: []byte("long enough")}, {Name: "env:S"}},
	} {
		cfg := source.Config{Name: "city", Secrets: secrets}
		check, err := source.NewCheck(cfg, "X-Signature", value)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if !strings.Contains(err.Error(), "city") || len(secrets) > 0 && !strings.Contains(err.Error(), "env:S") {
			t.Errorf("%s: %v does not say which source and secret", name, err)
		}
		if strings.Contains(err.Error(), "1234567") {
			t.Errorf("%s: %v prints the secret", name, err)
		}
		for _, header := range []string{"", "x"} {
			if _, err := check.Verify(http.Header{"X-Signature": {header}}, nil); !errors.Is(err, source.ErrSignature) {
				t.Errorf("%s: what was refused verifies %q: %v", name, header, err)
			}
		}
	}
}

func TestVerifyTriesEverySecretAlways(t *testing.T) {
	t.Parallel()
	secrets := []source.Secret{
		{Name: "env:NEW", Value: []byte("new secret")},
		{Name: "file:/run/old", Value: []byte("old secret")},
		{Name: "literal-3", Value: []byte("old secret")},
	}
	tried := 0
	check, err := source.NewCheck(source.Config{Secrets: secrets}, "X-Signature", func(secret, _ []byte) string {
		tried++
		return string(secret)
	})
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{"new secret": "env:NEW", "old secret": "file:/run/old", "no secret": ""} {
		tried = 0
		key, err := check.Verify(http.Header{"X-Signature": {value}}, nil)
		if key != want || (err == nil) != (want != "") {
			t.Errorf("%s: key %q, error %v; want %q", value, key, err, want)
		}
		if tried != len(secrets) {
			t.Errorf("%s: tried %d of %d secrets", value, tried, len(secrets))
		}
	}
}
