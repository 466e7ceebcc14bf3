package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"queuetrack/eventstore/source"
)

// The forms of a digest in a header.
const (
	formHex    = "64 lower-case hex digits"
	formBase64 = "44 characters of padded base64"
)

// expectedForm writes a digest as the vendor's own signer writes one.
func (d diagnosis) expectedForm(digest []byte) (value, form string) {
	_, form = readDigest(d.sample)
	value = base64.StdEncoding.EncodeToString(digest)
	if strings.HasPrefix(form, formHex) {
		value = hex.EncodeToString(digest)
	}
	if strings.HasPrefix(d.sample, "sha256=") {
		value = "sha256=" + value
	}
	return value, form
}

// signature looks for what would make a signature verify that does not.
func (d diagnosis) signature(ctx context.Context, value string) error {
	digest, form := readDigest(value)
	expected, expectedAs := d.expectedForm(digest)
	if digest == nil {
		d.say("%s has %s, %s; expected are %s", d.header, counted(len(value), "character"), form, expectedAs)
		d.say("what that leaves: the value was changed on the way, or is no signature of %s", d.source.Kind)
		return nil
	}
	if value == expected {
		d.say("%s is there once and has the right form: %s", d.header, expectedAs)
	} else {
		d.say("%s is there once, as %s; expected are %s", d.header, form, expectedAs)
	}
	s := search{source: d.source, from: d.from, header: d.header, value: expected}
	found, ok, err := s.run(ctx)
	if err != nil {
		return err
	}
	if !ok {
		d.nothing(s.tried)
		return nil
	}
	return d.found(found, value == expected)
}

// nothing says what is left when no variant verifies.
func (d diagnosis) nothing(tried int) {
	names := strings.Join(d.source.secretNames(), ", ")
	if d.source.Kind == kindQminder {
		d.say("none of %s of URL and body verifies, by none of the secrets %s", counted(tried, "variant"), names)
		d.say("what that leaves: the vendor has another secret; the body was changed on the way; or the registered URL is one that neither the configuration nor the capture hints at")
		return
	}
	d.say("none of %s of the body verifies, by none of the secrets %s", counted(tried, "variant"), names)
	d.say("what that leaves: the vendor has another secret, or the body was changed on the way")
}

// found says what is different, and how to mend it.
func (d diagnosis) found(f variant, rightForm bool) error {
	if !rightForm {
		d.say("written in the expected form it would verify; something rewrites the header on the way")
	}
	if f.body != "" {
		d.say("it verifies with the body %s: something changed the body, or the capture did (an editor, a terminal); the configuration is not at fault for that", f.body)
	}
	if f.secret.trimmed {
		d.say("it verifies by secret %s without the white space around it: take that out of the secret", f.secret.Name)
	} else {
		d.say("the secret is the right one: %s", f.secret.Name)
	}
	if f.url == d.source.PublicURL {
		return nil
	}
	d.say("the URL is another one: not %s", d.source.PublicURL)
	return d.advise("public_url", f.url)
}

// readDigest reads a SHA-256 in any of the forms that senders write; nil when it is none of them.
func readDigest(value string) (digest []byte, form string) {
	text, prefix := strings.Trim(value, `"' `), ""
	if rest, ok := strings.CutPrefix(text, "sha256="); ok {
		text, prefix = rest, " behind sha256="
	} else if text != value {
		prefix = " in quotes or white space"
	}
	if b, err := hex.DecodeString(text); err == nil && len(b) == sha256.Size {
		if text != strings.ToLower(text) {
			return b, "64 hex digits, some in upper case" + prefix
		}
		return b, formHex + prefix
	}
	unpadded := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	if b, err := base64.RawStdEncoding.DecodeString(unpadded); err == nil && len(b) == sha256.Size {
		if text != base64.StdEncoding.EncodeToString(b) {
			return b, "base64 without padding, or of the URL alphabet" + prefix
		}
		return b, formBase64 + prefix
	}
	return nil, "neither hex nor base64 of a SHA-256"
}

// search tries every URL with every body and every secret.
type search struct {
	source        sourceConfig
	from          captured
	header, value string
	tried         int
}

// variant is what verifies.
type variant struct {
	url    string
	body   string // what is different about it; empty: nothing
	secret searchSecret
}

type searchSecret struct {
	source.Secret
	trimmed bool
}

func (s *search) run(ctx context.Context) (variant, bool, error) {
	urls := []string{""}
	if s.source.Kind == kindQminder {
		urls = urlVariants(s.source.PublicURL, s.from)
	}
	bodies := bodyForms(s.from.body)
	s.tried = len(urls) * len(bodies)
	h := s.from.header.Clone()
	h.Set(s.header, s.value)
	for _, b := range bodies {
		for _, u := range urls {
			if err := ctx.Err(); err != nil {
				return variant{}, false, err
			}
			for _, secret := range s.secrets() {
				one := s.source
				one.PublicURL, one.Secrets = u, []source.Secret{secret.Secret}
				opened, err := one.open()
				if err != nil {
					continue // no URL that the adapter takes
				}
				if _, err := opened.Verify(h, b.body); err == nil {
					return variant{first(u, s.source.PublicURL), b.what, secret}, true, nil
				}
			}
		}
	}
	return variant{}, false, nil
}

// secrets are the configured ones, and those without the white space around them: what is pasted has some.
func (s *search) secrets() []searchSecret {
	var list []searchSecret
	for _, one := range s.source.Secrets {
		list = append(list, searchSecret{one, false})
		if bare := bytes.TrimSpace(one.Value); len(bare) < len(one.Value) {
			list = append(list, searchSecret{source.Secret{Name: one.Name, Value: bare}, true})
		}
	}
	return list
}

type bodyForm struct {
	body []byte
	what string
}

// bodyForms are the body as captured and as it may have been: editors add a line end, captures lose one, either may
// write others.
func bodyForms(body []byte) []bodyForm {
	list := []bodyForm{{body, ""}}
	add := func(form []byte, what string) {
		if !bytes.Equal(form, body) {
			list = append(list, bodyForm{form, what})
		}
	}
	add(bytes.TrimSuffix(body, []byte("\n")), "without the line feed at its end")
	if bytes.HasSuffix(body, []byte("\r\n")) {
		add(body[:len(body)-2], "without the CRLF at its end")
	}
	add(fmt.Append(nil, string(body), "\n"), "with a line feed more at its end")
	add(fmt.Append(nil, string(body), "\r\n"), "with a CRLF more at its end")
	lf := bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))
	add(lf, "with every line end LF instead of CRLF")
	add(bytes.ReplaceAll(lf, []byte("\n"), []byte("\r\n")), "with every line end CRLF instead of LF")
	return list
}
