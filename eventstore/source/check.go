package source

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
)

// MinSecret is the length in bytes, surrounding white space apart, that a secret has at least.
const MinSecret = 8

// Check is the way a vendor proves that a delivery is its own: one header, whose value follows from a secret and
// (where the vendor signs) the body. A vendor embeds it, and has Verify and Sign.
//
// Make one with [NewCheck]; the zero value verifies nothing.
type Check struct {
	header  string
	secrets []Secret
	value   func(secret, body []byte) string
}

// NewCheck returns the check of cfg's secrets against the header. value returns what the vendor would send in it.
// It refuses a configuration that any sender could satisfy: no secret, or one that is blank or too short.
func NewCheck(cfg Config, header string, value func(secret, body []byte) string) (Check, error) {
	if len(cfg.Secrets) == 0 {
		return Check{}, cfg.Refuse(errors.New("no secret: without one no delivery can be verified"))
	}
	for _, s := range cfg.Secrets {
		if len(bytes.TrimSpace(s.Value)) < MinSecret {
			return Check{}, cfg.Refuse(fmt.Errorf("secret %s is blank or shorter than %d bytes", s.Name, MinSecret))
		}
	}
	return Check{header: header, secrets: cfg.Secrets, value: value}, nil
}

// Refuse says which source a configuration error is about.
func (c Config) Refuse(err error) error {
	return fmt.Errorf("configure source %s: %w", c.Name, err)
}

// Verify implements [Source]. It compares the header with what the vendor would have sent, byte for byte: another
// case or another base64 alphabet is another value. All secrets are tried, whichever matches, and digests are
// compared instead of values, so that neither the time nor a length tells how close a guess came.
func (c Check) Verify(h http.Header, body []byte) (string, error) {
	values := h.Values(c.header)
	if len(values) != 1 || values[0] == "" {
		return "", ErrSignature
	}
	got := sha256.Sum256([]byte(values[0]))
	match := -1
	for i, s := range c.secrets {
		want := sha256.Sum256([]byte(c.value(s.Value, body)))
		if equal := subtle.ConstantTimeCompare(got[:], want[:]); equal == 1 && match < 0 {
			match = i
		}
	}
	if match < 0 {
		return "", ErrSignature
	}
	return c.secrets[match].Name, nil
}

// Sign implements [Source].
func (c Check) Sign(body []byte) http.Header {
	h := http.Header{}
	h.Set(c.header, c.value(c.secrets[0].Value, body))
	return h
}

// HMAC returns the HMAC-SHA256 of the parts, one after the other.
func HMAC(secret []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, secret)
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}
