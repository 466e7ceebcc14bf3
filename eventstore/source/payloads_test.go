package source_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"queuetrack/eventstore/source"
)

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// payloads is the folder with the vendors' own samples. They are not ours to publish, so it is looked for beside the
// repository, and need not be there.
func payloads(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		found := filepath.Join(dir, "shared", "vendors", "payloads")
		if _, err := os.Stat(found); err == nil {
			return found
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Skip("the vendors' samples are not beside this repository")
		}
		dir = parent
	}
}

// isWebhook leaves out samples of other channels of the vendors.
func isWebhook(name string) bool {
	for _, prefix := range []string{"rest_", "legacy_", "ws_", "signalr_", "position_model"} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	return true
}

func TestVendorSamples(t *testing.T) {
	t.Parallel()
	dir := payloads(t)
	ticketless := map[string]bool{
		"location_created": true, "location_changed": true, "line_changed": true,
		"chatsession.changed": true, "contact.changed": true, "sale.deleted": true, "test": true, "webhook.errors": true,
	}
	eachVendor(t, func(t *testing.T, v vendor, s source.Source) {
		files, err := filepath.Glob(filepath.Join(dir, v.name, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Skipf("no samples in %s", filepath.Join(dir, v.name))
		}
		for _, file := range files {
			name := filepath.Base(file)
			if !isWebhook(name) {
				continue
			}
			body := readFile(t, file)
			id := s.Identify(body)
			if id.Quarantine != "" || id.Type == source.UnknownType {
				t.Errorf("%s: identified as %+v", name, id)
			}
			if (id.Ticket == "") != ticketless[id.Type] {
				t.Errorf("%s: type %s, ticket %q", name, id.Type, id.Ticket)
			}
			if id.Ping != (id.Type == "test") {
				t.Errorf("%s: ping %v", name, id.Ping)
			}
			checkAgreement(t, s, body)
			t.Run(name, func(t *testing.T) { verifyOpenssl(t, v, s, body) })
		}
	})
}

func TestVendorSamplesThatAreNoJSON(t *testing.T) {
	t.Parallel()
	dir := payloads(t)
	eachVendor(t, func(t *testing.T, v vendor, s source.Source) {
		files, err := filepath.Glob(filepath.Join(dir, v.name, "*.raw.txt"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if id := s.Identify(readFile(t, file)); !strings.HasPrefix(id.Quarantine, "not JSON: ") || id.Ticket != "" {
				t.Errorf("%s: identified as %+v", filepath.Base(file), id)
			}
		}
	})
}

// verifyOpenssl checks a delivery that another implementation has signed.
func verifyOpenssl(t *testing.T, v vendor, s source.Source, body []byte) {
	t.Helper()
	var value string
	switch v.name {
	case "qminder":
		value = hex.EncodeToString(opensslHMAC(t, newSecret, append([]byte("https://hooks.example.com/webhooks/s"), body...)))
	case "superoffice":
		value = base64.StdEncoding.EncodeToString(opensslHMAC(t, newSecret, body))
	case "ombori":
		value = newSecret
	default:
		t.Fatalf("say here how %s signs", v.name)
	}
	key, err := s.Verify(http.Header{http.CanonicalHeaderKey(v.header): {value}}, body)
	if key != "new" {
		t.Errorf("key %q, error %v", key, err)
	}
}

func opensslHMAC(t *testing.T, secret string, message []byte) []byte {
	t.Helper()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	cmd := exec.Command(openssl, "dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:"+hex.EncodeToString([]byte(secret)), "-binary")
	cmd.Stdin = bytes.NewReader(message)
	digest, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

// The digests were computed over the vendor's sample with its white space taken out.
func TestSuperOfficeSampleVectors(t *testing.T) {
	t.Parallel()
	file := filepath.Join(payloads(t), "superoffice", "ticket.created.pre_fieldvalues.json")
	var body bytes.Buffer
	if err := json.Compact(&body, readFile(t, file)); err != nil {
		t.Fatal(err)
	}
	v := vendors[2]
	for secret, signature := range map[string]string{
		"Something Super Secret": "fSJ2Ts5N1L9g8up4V/6ujw/NsCeVKkUmnAw1F4MP8nk=",
		"Hemmelig nøkkel":        "zCcelm4KhxBJ/xeq/B7GFVgdHNOFcgt27KlUoQbz40g=",
	} {
		key, err := v.source(t, secret).Verify(http.Header{http.CanonicalHeaderKey(v.header): {signature}}, body.Bytes())
		if key != "new" {
			t.Errorf("%s: %v", secret, err)
		}
	}
}
