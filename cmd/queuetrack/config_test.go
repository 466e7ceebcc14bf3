package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestShort(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", 24 * time.Hour: "24h", 30 * time.Minute: "30m", 90 * time.Second: "1m30s", 90 * time.Minute: "1h30m", 10 * time.Second: "10s",
	} {
		if got := short(d); got != want {
			t.Errorf("short(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestReachable(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{
		"127.0.0.1:8080": "127.0.0.1:8080", "0.0.0.0:8080": "127.0.0.1:8080", ":8080": "127.0.0.1:8080", "[::]:80": "127.0.0.1:80",
		"localhost:1": "localhost:1", "10.0.0.7:80": "10.0.0.7:80",
	} {
		if got := reachable(listen); got != want {
			t.Errorf("reachable(%q) = %q, want %q", listen, got, want)
		}
	}
}

func TestWithoutPassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://u:hunter2@h:5432/d", "postgres://u@h/d?password=hunter2", "host=h user=u password=hunter2 dbname=d",
		"postgres://u:hunter2@[", "host=h password='hunter2",
	} {
		if got := withoutPassword(url); strings.Contains(got, "hunter2") {
			t.Errorf("withoutPassword(%q) = %q", url, got)
		}
	}
}

// Whatever stands in a file, reading it does not panic, and what passes the check can be opened and printed.
func FuzzConfig(f *testing.F) {
	const secret = "s3cr3t-of-the-fuzzer"
	for _, seed := range []string{
		"", "sources:", "sources: [" + secret + "]", "sources:\n  - {name: a, kind: qminder, secrets: [" + secret + "]}",
		"sources:\n  - name: a\n    secrets: " + secret, "sources: &a [*a]", "a: b: c", "{", "- - -", "sources:\n  - <<: {name: x}",
		"sources:\n  - name: a\n    kind: ombori\n    header: H\n    secrets:\n      - |\n        " + secret + "\n", "\x00", "? [x]\n: y", "---\n---\n",
		"sources:\n  - queues: {1: {name: x}, null: 2}\n", "sources: [{secrets: [!!binary " + secret + "]}]",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "queuetrack.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a := &app{flags: globalFlags{config: path}}
		c, err := a.loadConfig()
		if err == nil {
			var out strings.Builder
			if err := c.print(&out); err != nil {
				t.Fatal(err)
			}
			for _, s := range c.Sources {
				if _, err := s.open(); err != nil {
					t.Errorf("checked, and yet: %v", err)
				}
			}
		}
	})
}

// The example of the contract is good, and means what it says.
func TestContractsExample(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "queuetrack.yaml")
	old := filepath.Join(t.TempDir(), "qminder_old")
	if err := os.WriteFile(old, []byte("the-old-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := `
sources:
  - name: city                      # [a-z0-9-]{1,40}; the webhook's URL is /webhooks/city
    kind: qminder                   # qminder | ombori | superoffice
    public_url: https://hooks.example.com/webhooks/city   # part of the signature
    secrets: [env:QMINDER_SECRET, file:` + old + `]   # tried in turn
    timezone: Europe/Tallinn
    replay_window: 24h
    expire_after: 24h
    silent_after: 30m
    queues:
      "37338": {name: Passports, location: City Hall}
  - name: store
    kind: ombori
    header: Authorization
    secrets: [env:OMBORI_HEADER]
    timezone: Europe/Stockholm
    serving_tab: true
  - name: crm
    kind: superoffice
    secrets: [env:SUPEROFFICE_SECRET]
    timezone: Europe/Oslo
    unassigned_owner: 1
    context: Cust31038
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a := &app{
		flags:   globalFlags{config: path},
		environ: []string{"QMINDER_SECRET=the-new-secret", "OMBORI_HEADER=Bearer of-the-store", "SUPEROFFICE_SECRET=hemmelig nøkkel"},
	}
	c, err := a.loadConfig()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range c.Sources {
		for _, secret := range s.Secrets {
			got[s.Name+" "+secret.Name] = string(secret.Value)
		}
		got[s.Name] = s.Location.String() + " " + short(s.ExpireAfter) + " " + short(s.SilentAfter)
	}
	want := map[string]string{
		"city": "Europe/Tallinn 24h 30m", "store": "Europe/Stockholm 24h 0s", "crm": "Europe/Oslo 0s 0s",
		"city env:QMINDER_SECRET": "the-new-secret", "city file:" + old: "the-old-secret",
		"store env:OMBORI_HEADER": "Bearer of-the-store", "crm env:SUPEROFFICE_SECRET": "hemmelig nøkkel",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	if q := c.Sources[0].Queues["37338"]; q != (queueConfig{Name: "Passports", Location: "City Hall"}) {
		t.Errorf("queue = %+v", q)
	}
}
