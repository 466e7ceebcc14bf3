package main

import (
	"errors"
	"fmt"
	"net/http"

	"queuetrack/cmd/queuetrack/doctor"
	"queuetrack/eventstore/source"
)

// signatures signs a delivery with each secret as the vendor would, and verifies it as serve would.
func (x *examination) signatures() []doctor.Check {
	var checks []doctor.Check
	for _, s := range x.sources() {
		checks = append(checks, looked("signatures", s.Name, func() []doctor.Finding { return []doctor.Finding{s.selfCheck()} }))
	}
	return checks
}

// sampleBody is signed. No vendor sends it, and it goes nowhere.
const sampleBody = `{"queuetrack":"doctor"}`

// selfCheck tells whether each secret verifies what it signed, and what the vendor must have been told.
func (s sourceConfig) selfCheck() doctor.Finding {
	f := doctor.Finding{Check: s.Name, Verdict: doctor.OK, Do: s.atVendor()}
	if err := s.verifiesItself(); err != nil {
		f.Verdict, f.Found, f.Do = doctor.Problem, err.Error(), "mend the mistakes of the configuration first"
		return f
	}
	f.Found = fmt.Sprintf("%s: what %s signs is verified", s.Kind, comma(s.secretNames()))
	return f
}

func (s sourceConfig) verifiesItself() error {
	if vendors()[s.Kind] == nil || len(s.Secrets) == 0 {
		return errors.New("it can't be tried: kind or secrets are missing")
	}
	all, err := s.open()
	if err != nil {
		return err
	}
	for _, secret := range s.Secrets {
		one, err := s.openWith([]source.Secret{secret})
		if err != nil {
			return err
		}
		if _, err := all.Verify(one.Sign([]byte(sampleBody)), []byte(sampleBody)); err != nil {
			return fmt.Errorf("what secret %s signs is not verified", secret.Name)
		}
	}
	if _, err := all.Verify(http.Header{}, []byte(sampleBody)); err == nil {
		return errors.New("a delivery without a signature is verified")
	}
	return nil
}

// signatureHeader is the header that the vendor proves itself with; empty when the source can't be opened.
func (s sourceConfig) signatureHeader() string {
	if vendors()[s.Kind] == nil {
		return ""
	}
	opened, err := s.open()
	if err != nil {
		return ""
	}
	for name := range opened.Sign(nil) { // there is one
		return name
	}
	return ""
}

// atVendor is what has to be set there for the signatures to be these.
func (s sourceConfig) atVendor() string {
	secret := "that secret"
	if len(s.Secrets) > 0 {
		secret = s.Secrets[0].Name
	}
	at := first(s.PublicURL, "https://YOUR-HOST/webhooks/"+s.Name)
	switch s.Kind {
	case kindQminder:
		return fmt.Sprintf("at Qminder: the endpoint %s, exactly so, whose secret is %s", at, secret)
	case kindOmbori:
		return fmt.Sprintf("at Ombori: POST to %s with the header %s, its whole value %s", at, s.Header, secret)
	case kindSuperOffice:
		return fmt.Sprintf("at SuperOffice: a webhook for ticket.created and ticket.changed to %s, with the secret %s", at, secret)
	}
	return ""
}

// unsigned is what to do when deliveries come without the header that proves them.
func (k kind) unsigned() string {
	if k == kindOmbori {
		return "have Ombori send the static header, under that name and with the secret as its whole value"
	}
	return string(k) + " signs only if the webhook has a secret there: give it one; or a proxy took the header away, or another sent this"
}
